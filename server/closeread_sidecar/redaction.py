"""What must not leave: secrets, in whatever text they stand; and lines of code, unless a channel was opted in.

Secrets are known by their shapes, and the sidecar's own by heart. A shape that is not in the table leaves: this is a net under the
other rules, not instead of them. Code is what stands between fences. What is no text cannot be looked through, so that it leaves by
a channel that was opted in, or not at all.

A channel is the name of a platform, `gateway` or `collector`. Whatever is cut short is cut after it was redacted: half a secret
has no shape.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from .message import File

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
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""What no XML may hold, no terminal should be shown, and no UTF-8 can say."""


class Redaction:
    """Hides shapes of secrets, and `secrets` themselves. `opted` are the channels by which lines of code may leave."""

    def __init__(self, secrets: Iterable[str] = (), opted: Collection[str] = ()) -> None:
        own = sorted({secret for secret in secrets if len(secret) >= 4}, key=len, reverse=True)
        self._own = re.compile("|".join(map(re.escape, own))) if own else None
        self._opted = frozenset(opted)

    def shows_code(self, channel: str) -> bool:
        """Whether lines of code may leave by it."""
        return channel in self._opted

    def text(self, text: str, channel: str = "") -> str:
        """`text` as it may leave by a channel; "" is one that nobody opted in, the log."""
        text = _UNFIT.sub("", text)
        if not self.shows_code(channel):
            text = _FENCED.sub(_WITHOUT, text)
        if self._own is not None:
            text = self._own.sub(HIDDEN, text)
        text = _SHAPES.sub(HIDDEN, text)
        return _NAMED.sub(lambda match: match[1] + HIDDEN, text)

    def file(self, file: File, channel: str) -> File | None:
        """`file` as it may leave by a channel; None if it must stay."""
        try:
            data = self.text(file.data.decode("utf-8"), channel).encode()
        except UnicodeDecodeError:
            if not self.shows_code(channel):
                return None
            data = file.data
        return File(self.text(file.name), data)
