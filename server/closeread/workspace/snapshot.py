"""A workspace over git's objects: a commit's tree, or the index. What is in the working folder does not matter.

Satisfies what `Workspace` does, by the same decoding and the same limits. Symbolic links and submodules are no files
here. Deliberately absent: ignore files of that state; the working folder's count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from ..settings import Settings
from .files import Listing, Source, Workspace, decoded, is_source, refused
from .git import GitError, Repository, TooLarge, below


class Committed(Workspace):
    """The files that `entries` (blobs by path from the root) name."""

    def __init__(self, root: Path, settings: Settings, repository: Repository, entries: Mapping[str, str]) -> None:
        super().__init__(root, settings)
        self.repository = repository
        self.entries = below(entries, repository.top, root)

    def exists(self, path: str) -> bool:
        """See `Workspace.exists`."""
        return path in self.entries

    def has_folder(self, path: str) -> bool:
        """See `Workspace.has_folder`."""
        return path.rstrip("/") in self._folder_names

    @cached_property
    def _folder_names(self) -> frozenset[str]:
        names: set[str] = set()
        for path in self.entries:
            folder = path.rpartition("/")[0]
            while folder and folder not in names:
                names.add(folder)
                folder = folder.rpartition("/")[0]
        return frozenset(names)

    def sources(self, under: Iterable[Path] = ()) -> Listing:
        """See `Workspace.sources`."""
        folders = [self.relative(path) or "" for path in under] or [""]
        files = tuple(
            sorted(
                path
                for path in self.entries
                if is_source(path) and any(not f or path == f or path.startswith(f + "/") for f in folders)
            )
        )
        kept = tuple(path for path in files if not self.ignored(path))
        return Listing(kept, (), len(files) - len(kept))

    def _load(self, path: str) -> Source:
        id_ = self.entries.get(path)
        if id_ is None:
            return refused(path, "There is no such file in this state of the repository.", "unreadable")
        limit = self.settings.max_file_size
        try:
            data = self.repository.objects().read(id_, limit)
        except TooLarge:
            return refused(path, f"Larger than {limit:,} bytes (`max-file-size`); not read.", "too-large")
        except GitError as error:
            return refused(path, f"Cannot be read: {error}", "unreadable")
        return decoded(path, data)
