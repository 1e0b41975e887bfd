"""JSON Lines: one object a line, each with its `type`, for tools that read as they go.

First `scan`, then a `finding` or `suppressed` each in the words of `--format json`, then every `problem`, and `end`: a
file without it was cut off.
"""

from __future__ import annotations

import json
from typing import Any

from . import Report
from .json import document

suffixes = (".jsonl", ".ndjson")


def render(report: Report) -> bytes:
    """See the module."""
    whole = document(report)
    kinds = {"findings": "finding", "suppressed": "suppressed", "problems": "problem"}
    lines: list[dict[str, Any]] = [{"type": "scan", **{k: v for k, v in whole.items() if k not in kinds}}]
    lines += [{"type": kind, **item} for key, kind in kinds.items() for item in whole[key]]
    lines.append({"type": "end", **{key: len(whole[key]) for key in kinds}})
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode()
