"""What a model infers of libraries that no file describes, as models beside the user's own. Off unless `inferred` is set.

The analysers say which calls are unknown where it matters; what is known of those is shipped with Closeread, or was
answered before, or is asked now of the model in use, if there is one. Without any, the answers that ship count alone. What
is asked, and what is made of the answers, is the librarian's business (`model/librarian.py`).
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from closeread_analyzers.pipeline import Cancelled

from . import platform_
from .model import librarian
from .model.assistant import Assistant, assistant
from .model.librarian import Api, Verdict
from .model.shelf import ModelProblem
from .store import default_folder
from .work import Snapshot, own_catalogue, start_deep
from .workspace.files import Workspace

_MEMORY = "inferred.json"
_LARGEST = 10_000_000

MOST_ASKED = 300
"""Of more unknown APIs, those met least are not asked about in this run. A small model needs some seconds for each."""


@dataclass(frozen=True, slots=True)
class Inference:
    """`models` are the user's and the inferred ones, packed; `warning` says what is not known, or ""."""

    models: str
    warning: str = ""


def infer(
    workspace: Workspace,
    files: Sequence[str],
    model: Callable[[], AbstractContextManager[Assistant | None]] = assistant,
    cancelled: Callable[[], bool] = lambda: False,
) -> Inference:
    """The models for a scan of `files`."""
    apis = [api for api in unknown(workspace, files, cancelled) if librarian.askable(api)]
    shipped = librarian.shipped()
    verdicts = [shipped[api] for api in apis if api in shipped]
    left = [api for api in apis if api not in shipped]
    warning = ""
    if left:
        try:
            with model() as answering:
                if answering is None:
                    warning = f"{_apis(len(left))} that no file describes, and no model is in use to ask (closeread model pull)."
                else:
                    judged = librarian.judge(left[:MOST_ASKED], answering)
                    verdicts += judged
                    remember(judged)
                    if len(left) > MOST_ASKED:
                        warning = f"{_apis(len(left) - MOST_ASKED)} that no file describes were left for the next run."
        except ModelProblem as error:
            warning = f"{_apis(len(left))} that no file describes were not asked about: {error}."
    return Inference(with_inferred(workspace.settings.models, verdicts), warning)


def at_hand(models: str) -> str:
    """A packed text of models with all that is known without asking: what ships, and what was concluded here before.

    For an editor, which waits for nothing. What is said of a module that model files describe does not count, as in a scan.
    """
    from closeread_analyzers.catalogue import builtin

    verdicts = {**librarian.shipped(), **{verdict.api: verdict for verdict in remembered()}}
    catalogue = own_catalogue(models)
    described = {language: catalogue.models(language).known_modules for language in builtin().languages}
    return with_inferred(
        models,
        (one for api, one in verdicts.items() if api.path.partition(".")[0] not in described.get(api.language, ())),
    )


def remembered() -> list[Verdict]:
    """What was concluded in earlier scans, by any model, with the questions of now."""
    try:
        data = platform_.read_regular(default_folder() / _MEMORY, _LARGEST) or b""
        known = json.loads(data)
        rows = known["verdicts"] if known["questions"] == librarian.version() else []
        made = [Verdict(Api(*row[:3]), row[3], float(row[4])) for row in rows]
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return []
    kinds = {"", "remote", *librarian.sink_kinds()}
    return [verdict for verdict in made if librarian.askable(verdict.api) and verdict.kind in kinds]


def remember(verdicts: Iterable[Verdict]) -> None:
    """Keep what was concluded. Where it cannot be written it is concluded anew, from answers that are kept elsewhere."""
    known = {verdict.api: verdict for verdict in (*remembered(), *verdicts)}
    rows = [[*verdict.api, verdict.kind, verdict.score] for verdict in known.values()]
    with contextlib.suppress(OSError):
        platform_.private_folder(default_folder())
        data = json.dumps({"questions": librarian.version(), "verdicts": rows})
        platform_.write_atomically(default_folder() / _MEMORY, data.encode())


def unknown(workspace: Workspace, files: Sequence[str], cancelled: Callable[[], bool] = lambda: False) -> list[Api]:
    """The APIs that nothing describes and that matter in `files`, most used first. Raises `Cancelled`."""
    from closeread_analyzers.pipeline import Project

    project = Project(Snapshot(workspace), own_catalogue(workspace.settings.models))
    found: list[Api] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            found.extend(Api(*api) for api in project.unknown(files, librarian.sink_kinds(), cancelled))
        except BaseException as error:
            errors.append(error)

    start_deep(run).join()
    if errors:
        raise errors[0]
    return found


def with_inferred(models: str, verdicts: Iterable[Verdict]) -> str:
    """A packed text of models (`catalogue.user`), with what was concluded beside them."""
    words: dict[str, list[dict[str, Any]]] = json.loads(models) if models else {}
    for word, rows in librarian.entries(verdicts).items():
        words[word] = [*words.get(word, []), *rows]
    return json.dumps(words, sort_keys=True) if words else ""


def _apis(count: int) -> str:
    return f"{count} call{'s' if count != 1 else ''} into libraries"


__all__ = ["Cancelled", "Inference", "infer", "unknown", "with_inferred"]
