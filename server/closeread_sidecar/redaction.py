"""What must not leave: secrets, in whatever text they stand; and lines of code, unless a channel was opted in.

Secrets are known by their shapes, and the sidecar's own by heart. A shape that is not in the table leaves: this is a net under the
other rules, not instead of them. Code is what stands between fences, in backticks of its own line, or in a finding's `code`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

HIDDEN = "[redacted]"

_SHAPES = re.compile(
    r"""
    -----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY-----[\s\S]*?(?:-----END[ ][A-Z ]*PRIVATE[ ]KEY-----|\Z)
    | \b(?:AKIA|ASIA)[0-9A-Z]{16}\b                                   # AWS
    | \bgh[pousr]_[A-Za-z0-9]{30,}\b | \bgithub_pat_\w{40,}\b          # GitHub
    | \bglpat-[\w-]{16,}                                              # GitLab
    | \bxox[abeoprs]-[\w-]{10,}                                       # Slack
    | \bsk-[A-Za-z0-9_-]{20,} | \b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}  # OpenAI and alike; Stripe
    | \bAIza[\w-]{35}                                                 # Google
    | \b\d{8,12}:[\w-]{34,}                                           # Telegram
    | \beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*                               # JWT
    | (?<=://)[^\s/:@]+:[^\s/@]+(?=@)                                 # a password in an address
    """,
    re.VERBOSE,
)
_NAMED = re.compile(
    r"""(?ix) (\b[\w.-]*(?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential)[\w.-]*
        ["']?\s*(?:=|:|=>)\s*["']?) ([^\s"',;]{4,})"""
)
_FENCED = re.compile(r"^(`{3,}|~{3,})[^\n]*\n[\s\S]*?(?:^\1[`~]*[ \t]*$|\Z)", re.MULTILINE)
_WITHOUT = "[code is not shown on this channel]"


class Redaction:
    """Hides shapes of secrets, and `secrets` themselves."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        own = sorted({secret for secret in secrets if len(secret) >= 4}, key=len, reverse=True)
        self._own = re.compile("|".join(map(re.escape, own))) if own else None

    def text(self, text: str, code: bool = False) -> str:
        """`text` as it may leave; lines of code with it only if `code`."""
        if not code:
            text = _FENCED.sub(_WITHOUT, text)
        if self._own is not None:
            text = self._own.sub(HIDDEN, text)
        text = _SHAPES.sub(HIDDEN, text)
        return _NAMED.sub(lambda match: match[1] + HIDDEN, text)
