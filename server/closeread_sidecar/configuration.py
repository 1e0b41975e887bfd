"""YAML to models: the safe loader, and one clear message with file and line for whatever is wrong.

Types are those of JSON: `port: no` is no number, though Python would take it for 0.
Deliberately absent: aliases (a few lines of them unfold to gigabytes), keys given twice, keys nobody knows.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

M = TypeVar("M", bound="Model")

_LARGEST = 1_000_000


class Model(BaseModel):
    """What a file may say. Words are joined by dashes in files: `max-waiting`."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=lambda name: name.replace("_", "-"), hide_input_in_errors=True
    )


class ConfigurationError(Exception):
    """One mistake in one file, and where. The message never repeats a value: it may be a secret."""

    def __init__(self, path: Path, line: int, message: str) -> None:
        super().__init__(f"{path}:{line}: {message}" if line else f"{path}: {message}")
        self.path, self.line = path, line


def load(path: Path, model: type[M]) -> M:
    """The file as a model. Raises ConfigurationError; a file that is not there is one too."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            path, 0, f"cannot be read: {(error.strerror or type(error).__name__).lower()}"
        ) from error
    if len(data) > _LARGEST:
        raise ConfigurationError(path, 0, f"larger than {_LARGEST:,} bytes")
    try:
        root = _compose(path, data.decode("utf-8-sig"))
        content = {} if root is None else yaml.SafeLoader("").construct_document(root)
    except UnicodeDecodeError as error:
        raise ConfigurationError(path, data[: error.start].count(b"\n") + 1, "not UTF-8") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ConfigurationError(
            path, mark.line + 1 if mark else 0, f"not YAML: {error.problem or error.context}"
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigurationError(path, 0, f"not YAML: {type(error).__name__}") from error
    return checked(path, content, model, root)


def checked(path: Path, content: Any, model: type[M], root: yaml.Node | None = None, below: tuple[str, ...] = ()) -> M:
    """`content`, which stands in the file at `below`, as a model. Raises ConfigurationError."""
    try:
        return model.model_validate_json(json.dumps(content, default=str), strict=True)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = (*below, *first["loc"])
        words = {"extra_forbidden": "nobody knows this word", "missing": "this is missing"}
        message = words.get(first["type"]) or first["msg"].removeprefix("Value error, ")
        message = message[0].lower() + message[1:]
        raise ConfigurationError(
            path, line_of(root, place), f"`{'.'.join(map(str, place)) or 'the file'}`: {message}"
        ) from None


def line_of(root: yaml.Node | None, place: tuple[Any, ...]) -> int:
    """The line (from 1) of what stands at a place, or of the nearest thing around it; 0 if unknown."""
    node, line = root, (root.start_mark.line + 1 if root is not None else 0)
    for step in place:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(step):
                    node, line = value, key.start_mark.line + 1
                    break
            else:
                break
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            break
    return line


def composed(path: Path) -> yaml.Node | None:
    """The file's tree, for `line_of`."""
    return _compose(path, path.read_text("utf-8-sig"))


def _compose(path: Path, text: str) -> yaml.Node | None:
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise ConfigurationError(path, event.start_mark.line + 1, "aliases are not allowed here")
    root: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    pending = [root]
    while pending:
        node = pending.pop()
        if isinstance(node, yaml.MappingNode):
            seen = set()
            for key, value in node.value:
                if key.value in seen if isinstance(key.value, str) else True:
                    raise ConfigurationError(
                        path, key.start_mark.line + 1, f"`{str(key.value)[:60]}` is given twice, or is no word"
                    )
                seen.add(key.value)
                pending.append(value)
        elif isinstance(node, yaml.SequenceNode):
            pending.extend(node.value)
    return root
