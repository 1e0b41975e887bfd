"""The reviews of a repository's commits, kept in the user's data folder: what `closeread log` lists.

One JSON line a commit, appended in one write, so that a crash costs no other; private, and never of secrets: messages
and places, no code. A line that is malformed (a crash in the middle of it) is passed over. The last few thousand are
kept. Linked work trees share a log, as they share the commits.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import platformdirs

from closeread_analyzers.finding import Finding

from . import platform_
from .review import Review
from .workspace.git import Repository

_MOST = 2_000


def file_of(repository: Repository) -> Path:
    """Where the reviews of a repository are."""
    name = blake2b(os.fsencode(os.path.realpath(repository.common_dir)), digest_size=12).hexdigest()
    return Path(platformdirs.user_data_dir("closeread", appauthor=False)) / "reviews" / f"{name}.jsonl"


def entry(review: Review) -> dict[str, Any]:
    """A review as JSON-ready data. `spoken` is what in the commit's message speaks to a model that reads along."""
    from closeread_analyzers.addressed import passages

    commit = review.commit
    message = commit.message if commit is not None else ""
    return {
        "commit": commit.id if commit is not None else "",
        "subject": commit.subject if commit is not None else "",
        "author": commit.author if commit is not None else "",
        "time": commit.time if commit is not None else 0,
        "introduced": [_finding(finding) for finding in review.report.findings],
        "fixed": [_finding(finding) for finding in review.fixed],
        "suppressed": len(review.report.suppressed),
        "problems": len(review.report.problems),
        "spoken": [" ".join(message[start:end].split())[:80] for start, end in passages(message)],
    }


def keep(repository: Repository, review: Review) -> dict[str, Any]:
    """Keep the review of a commit, and give what was kept. Raises OSError where nothing can be kept."""
    made = entry(review)
    file = file_of(repository)
    platform_.private_folder(file.parent.parent)
    platform_.private_folder(file.parent)
    known = entries(repository)
    if len(known) > _MOST:
        text = "".join(json.dumps(one) + "\n" for one in known[-_MOST // 2 :])
        platform_.write_atomically(file, text.encode())
    platform_.append_private(file, json.dumps(made).encode() + b"\n")
    return made


def entries(repository: Repository) -> list[dict[str, Any]]:
    """The reviews there are, the oldest first; of two of one commit the later."""
    try:
        text = file_of(repository).read_bytes()
    except OSError:
        return []
    found: dict[str, dict[str, Any]] = {}
    for line in text.split(b"\n"):
        try:
            one = json.loads(line)
            found.pop(one["commit"], None)
            found[one["commit"]] = one
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
    return list(found.values())


def sentence(made: dict[str, Any]) -> str:
    """A review in one sentence."""
    return summary([made])


def summary(made: Sequence[dict[str, Any]]) -> str:
    """The reviews of some commits, the oldest first, in one sentence."""
    new = [finding for one in made for finding in one["introduced"]]
    counts = {
        "remarks": sum(finding["kind"] == "remark" for finding in new),
        "fixed": sum(len(one["fixed"]) for one in made),
        "problems": sum(one["problems"] for one in made),
    }
    introduced = len(new) - counts["remarks"]
    parts = [f"{introduced} introduced" if introduced else "nothing introduced"]
    parts += [f"{count} {what}" for what, count in counts.items() if count]
    if spoken := [text for one in made for text in one.get("spoken", ())]:
        parts.append(f'and its message speaks to a model that judges code ("{spoken[0]}"): ask who wrote it')
    last = f"{made[-1]['commit'][:10]} {made[-1]['subject'][:72]}" if made[-1]["commit"] else "what is staged"
    return f"{last if len(made) == 1 else f'{len(made)} commits up to {last}'}: {', '.join(parts)}"


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "path": finding.location.path,
        "line": finding.location.start_line,
        "severity": finding.severity.label,
        "kind": finding.kind,
        "message": finding.message,
        "fingerprint": finding.fingerprint,
    }
