"""Where the reports of a run go: `--output` and `--format` as files and formats, checked before the scan begins.

Deliberately absent: what a report says (`reports/`), and the summary on the terminal (`commands/analyze.py`).
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import platform_, reports
from .errors import Mistake
from .reports import Report


class BadOutput(Mistake):
    """What is wrong with the options, in one sentence."""


@dataclass(frozen=True, slots=True)
class Output:
    """One report: its format, and its file (None is standard output)."""

    format: str
    file: Path | None

    def write(self, report: Report) -> None:
        """Render and write. Raises `BadOutput` where the file cannot be written."""
        data = reports.named(self.format).render(report)
        if self.file is None:
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
            return
        try:
            platform_.write_atomically(self.file, data)
        except OSError as error:
            raise BadOutput(f"the report cannot be written to {self.file}: {platform_.reason(error)}") from None


def planned(files: Sequence[str], formats: Sequence[str]) -> tuple[Output, ...]:
    """The reports that are asked for; none is the summary on the terminal alone. Raises `BadOutput`.

    The formats are those of the files, in order; files without one go by their names. "-" is standard output, and so is
    a format without any file.
    """
    for name in formats:
        if name not in reports.names():
            near = difflib.get_close_matches(name, reports.names(), n=1, cutoff=0.4)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise BadOutput(f"there is no format {name!r}; there are {', '.join(reports.names())}.{hint}")
    if len(formats) > max(len(files), 1):
        raise BadOutput("there are more --format than --output; each output has one format")
    if sum(file == "-" for file in files) > 1:
        raise BadOutput("only one report can go to standard output (--output -)")
    if not files:
        return () if list(formats) in ([], ["text"]) else (Output(formats[0], None),)
    return tuple(_output(file, formats[place] if place < len(formats) else None) for place, file in enumerate(files))


def _output(file: str, name: str | None) -> Output:
    if file == "-":
        return Output(name or "text", None)
    parent = Path(file).absolute().parent
    if not parent.is_dir():
        raise BadOutput(f"the folder of the report does not exist: {parent}")
    if Path(file).is_dir():
        raise BadOutput(f"the report cannot be written, it is a folder: {file}")
    return Output(name or reports.for_file(file), Path(file))
