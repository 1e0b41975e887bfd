"""The models this user has, and the one in use: files in the user's data folder, or anywhere the user points at; or a
model that a server of the user's gives.

`current.json` names the one in use, by path and hash or by address and name. A workspace cannot: no setting names a model.
Deliberately absent: getting a model (`download.py`) and running one (`process.py`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs

from .. import platform_
from ..policy import PolicyProblem
from . import gguf
from .address import WrongAddress, may_be_elsewhere, parse
from .known import Known, known

CONTEXT = 4096
"""For how many tokens a model's process has room: all that is asked at once, with what the questions share."""

_CURRENT = "current.json"
_PIECE = 1 << 20

Progress = Callable[[int, int], None]
"""Called with how many bytes are done, and how many there are."""


class ModelProblem(Exception):
    """A model cannot be had or used; the message says what, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model file, and what its bytes were when it was last looked at whole. `modified` is in nanoseconds."""

    name: str
    path: Path
    sha256: str
    size: int
    modified: int

    @property
    def identity(self) -> str:
        """What answers are remembered under: other bytes, other answers."""
        return self.sha256


@dataclass(frozen=True, slots=True)
class Served:
    """A model that a server gives (`endpoint.py`), and when it was chosen, in nanoseconds.

    `says` is what the server said of it then, as JSON. Of bytes nothing is known, so that answers are remembered until it
    is chosen anew.
    """

    name: str
    address: str
    says: str
    chosen: int

    @property
    def identity(self) -> str:
        """What answers are remembered under."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    @property
    def is_allowed_elsewhere(self) -> bool:
        """Whether the policy names the server, so that it need not be on this machine. Raises `ModelProblem`."""
        try:
            return may_be_elsewhere(parse(self.address))
        except (WrongAddress, PolicyProblem) as error:
            raise ModelProblem(str(error)) from None


class Shelf:
    """The models of one user. Every method raises `ModelProblem` for what the user must know."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(platformdirs.user_data_dir("closeread", appauthor=False)) / "models"

    def place(self, model: Known) -> Path:
        """Where a known model's file is, or would be."""
        return self.folder / model.file

    def has(self, model: Known) -> bool:
        """Whether the file is there, with the right size."""
        try:
            return self.place(model).stat().st_size == model.size
        except OSError:
            return False

    def current(self) -> Model | Served | None:
        """The model in use; None where none is."""
        try:
            row = json.loads((self.folder / _CURRENT).read_text("utf-8"))
            if "address" in row:
                return Served(**row)
            return Model(**{**row, "path": Path(row["path"])})
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError):
            raise ModelProblem(
                f"{self.folder / _CURRENT} cannot be read; `closeread model use NAME` writes it anew"
            ) from None

    def ready(self) -> Model | Served | None:
        """The model in use, its file being what it was when it was chosen; None where none is in use.

        What a server gives is looked at when its process starts.
        """
        model = self.current()
        if model is None or isinstance(model, Served):
            return model
        try:
            status = model.path.stat()
        except OSError as error:
            raise ModelProblem(
                f"the model in use, {model.path}, cannot be read ({platform_.reason(error)}); "
                "choose one with `closeread model use`"
            ) from None
        if (status.st_size, status.st_mtime_ns) != (model.size, model.modified):
            raise ModelProblem(
                f"{model.path} is not the file it was when it was chosen; "
                f"look at it with `closeread model verify` and choose it again: `closeread model use {model.path}`"
            )
        return model

    def use(self, wanted: str, progress: Progress = lambda done, total: None) -> Model:
        """Take a known model, or any GGUF file by its path, into use. Reads the whole file for its hash."""
        model = self.look(wanted, progress)
        self.choose(model)
        return model

    def choose(self, model: Model | Served) -> None:
        """Take a model into use that was looked at."""
        row = {**asdict(model), "path": str(model.path)} if isinstance(model, Model) else asdict(model)
        try:
            platform_.private_folder(self.folder)
            platform_.write_atomically(self.folder / _CURRENT, json.dumps(row, indent=2).encode() + b"\n")
        except OSError as error:
            raise ModelProblem(f"{self.folder / _CURRENT} cannot be written ({platform_.reason(error)})") from None

    def look(self, wanted: str, progress: Progress = lambda done, total: None) -> Model:
        """A known model's file, or the GGUF at a path, read whole: its header, and its hash where one is pinned."""
        listed = known().get(wanted)
        path = self.place(listed) if listed is not None else Path(wanted).absolute()
        if not platform_.is_regular(path):
            if listed is not None:
                raise ModelProblem(f"{wanted} is not here yet; get it with `closeread model pull {wanted}`")
            names = ", ".join(known())
            raise ModelProblem(f"there is no file {wanted}, and no known model of that name ({names})")
        header(path)
        try:
            status = path.stat()
            digest = sha256(path, progress)
        except OSError as error:
            raise ModelProblem(f"{path} cannot be read ({platform_.reason(error)})") from None
        if listed is not None and digest != listed.sha256:
            raise ModelProblem(
                f"{path} is not {listed.title}: its SHA-256 is {digest}, and must be {listed.sha256}; "
                f"get it again with `closeread model remove {listed.name}` and `closeread model pull {listed.name}`"
            )
        same = next((one.name for one in known().values() if one.sha256 == digest), path.stem)
        return Model(same, path, digest, status.st_size, status.st_mtime_ns)

    def remove(self, name: str) -> int:
        """Delete a known model's file, and what an interrupted `pull` left of it. Returns how many bytes are free now.

        A file that the user only pointed at is never deleted.
        """
        listed = known().get(name)
        if listed is None:
            raise ModelProblem(
                f"{name!r} is no known model ({', '.join(known())}); files of your own are yours to delete"
            )
        place = self.place(listed)
        freed = 0
        for file in (place, partial(place), *self.pieces(listed)):
            try:
                freed += file.stat().st_size
                file.unlink()
            except FileNotFoundError:
                continue
            except OSError as error:
                raise ModelProblem(f"{file} cannot be deleted ({platform_.reason(error)})") from None
        current = self.current()
        if isinstance(current, Model) and current.path == place:
            (self.folder / _CURRENT).unlink()
        return freed

    def pieces(self, model: Known) -> list[Path]:
        """The wheels of a model that lie here: what an interrupted `pull` left."""
        folder = self.folder / f"{model.name}.wheels"
        return sorted(folder.iterdir()) if folder.is_dir() else []


def runtime() -> str | None:
    """The version of llama-cpp-python, the extra that runs models; None where it is not installed. Imports nothing."""
    from importlib import metadata  # which imports the standard library's mail, and every server this module

    try:
        return metadata.version("llama-cpp-python")
    except metadata.PackageNotFoundError:
        return None


def partial(place: Path) -> Path:
    """Where a file is put together before it is whole."""
    return place.with_name(f"{place.name}.partial")


def header(path: Path) -> gguf.Header:
    """What the file says of itself. Raises `ModelProblem` where it is no whole GGUF file."""
    try:
        return gguf.read(path)
    except gguf.NotAModel as error:
        raise ModelProblem(f"{path} cannot be used: {error}") from None
    except OSError as error:
        raise ModelProblem(f"{path} cannot be read ({platform_.reason(error)})") from None


def sha256(path: Path, progress: Progress = lambda done, total: None) -> str:
    """The hash of a file, in hexadecimal. Raises OSError."""
    state = hashlib.sha256()
    done, total = 0, path.stat().st_size
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            state.update(piece)
            done += len(piece)
            progress(done, total)
    return state.hexdigest()
