"""The files around one file of an application, and what their texts show at a glance.

An application's users, its limits and its protections are often set up in another file than its routes. What
the imports reach, and the files that by custom hold an application's creation, are searched by regular
expression for signals: piece by piece, and each piece once, so that an edit costs the piece that it is in.
Deliberately absent: who imports this file, which no question here can tell.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from functools import cached_property
from hashlib import blake2b
from itertools import pairwise
from posixpath import dirname, join
from typing import TYPE_CHECKING, Final, NamedTuple

from .. import ir
from ..tree import statements
from .aging import Aging
from .scopes import Source

if TYPE_CHECKING:
    from .engine import Engine

MAX_FILES: Final = 30
_HOMES: Final = ("__init__.py", "app.py", "main.py", "server.py", "extensions.py")

_SIGNALS: Final = {
    "users": re.compile(
        rb"flask_login|flask_jwt|flask_httpauth|flask_security|login_required|current_user|check_password|aiohttp_security|fastapi\.security"
        rb"|OAuth2PasswordBearer|HTTPBearer|HTTPBasic\b|session\[.(?:user|username|uid|user_id|logged_in|email|admin)|request\.user\b|jwt\.decode"
        rb"|contrib\.auth|get_current_user|authenticate\("
    ),
    "hook": re.compile(
        rb"add_middleware\(\s*\w*(?:[Aa]uth|JWT|[Ll]ogin)\w*|middlewares\s*=\s*\[[^\]]*(?:auth|jwt|login)\w*[^\]]*\]"
        rb"|LoginRequiredMiddleware|(?:FastAPI|APIRouter|include_router)\([^()]*dependencies\s*=\s*\[[^\]]*Depends\("
        rb"\s*\w*(?:auth|user|token|verify|login)"
    ),
    "limits": re.compile(
        rb"(?i)flask_limiter|slowapi|ratelimit|rate_limit|throttl|\baxes\b|captcha|login_attempts|failed_(?:login|attempt)s?|attempts_left"
        rb"|lockout|locked_until|brute_?force|too many|limiter"
    ),
    "csrf": re.compile(
        rb"CSRFProtect|CsrfProtect|SeaSurf|flask_wtf|FlaskForm|flask_seasurf|WTF_CSRF|csrf_token|validate_csrf|SameSite.{0,5}Strict|SAMESITE"
    ),
    "bearer": re.compile(rb"Bearer |jwt|[\"']Authorization[\"']|flask_restful|flask_restx"),
    "forms": re.compile(rb"request\.form\b|request\.values\b|await request\.post\("),
    "sessions": re.compile(rb"(?<![\w.])session\[|login_user\(|flask_login|(?<![\w.])session\.get\("),
    "signed-cookies": re.compile(rb"set_(?:secure|signed)_cookie\("),
    "by-name": re.compile(rb"^[ \t]*(?:import|from)\s+connexion\b", re.MULTILINE),
}
_HOOK: Final = re.compile(
    rb"(?s)before_(?:app_)?request.{0,1500}?(?:session|current_user|jwt|[Aa]uthorization|is_authenticated|g\.user)"
)
"""A "hook" whose function may stand in another piece than what makes it one."""
_HOOK_BEGINS: Final = re.compile(rb"before_(?:app_)?request")
_INNER_IMPORT: Final = re.compile(rb"^[ \t]+(?:from|import)\s", re.MULTILINE)
_COMMENT: Final = re.compile(rb"(?m)^[ \t]*#.*$|\s#\s.*$")


class Seen(NamedTuple):
    """What one text shows: its signals, and the modules it may import, each with its level."""

    signals: frozenset[str]
    modules: tuple[tuple[str, int], ...]


class Piece(NamedTuple):
    """What a text shows from the start of one unit to the next: its signals, and whether there is more to look for."""

    signals: frozenset[str]
    hook: bool
    imports: bool


class Shown:
    """What texts, and pieces of them, have shown, by their digests."""

    def __init__(self) -> None:
        self.files: Aging[bytes, Seen] = Aging()
        self.pieces: Aging[bytes, Piece] = Aging()

    def age(self) -> None:
        """See `Aging`."""
        self.files.age()
        self.pieces.age()


class Neighbours:
    """The signals of a file and of those around it, which are looked at when somebody asks: most files have no routes.

    `digests` are those of the texts that were read; None for a file that is not there.
    """

    def __init__(self, engine: Engine, source: Source, known: Shown) -> None:
        self.digests: dict[str, bytes | None] = {}
        self._engine = engine
        self._source = source
        self._known = known

    @property
    def signals(self) -> frozenset[str]:
        """All of them."""
        return self._both[0] | self._both[1]

    @property
    def others(self) -> frozenset[str]:
        """Those of the files around, without the file itself."""
        return self._both[1]

    def beside(self, path: str, name: str) -> bytes | None:
        """The text of a file in the same folder as `path`, if it is there."""
        other = join(dirname(path), name)
        source = self._engine.load(other)
        self.digests[other] = source.digest if source is not None else None
        return source.module.source if source is not None else None

    @cached_property
    def _both(self) -> tuple[frozenset[str], frozenset[str]]:
        """The signals of the file itself, and of those around."""
        engine, own, others = self._engine, frozenset[str](), frozenset[str]()
        pending = deque([self._source])
        for path in _homes(self._source.path):
            self._visit(engine.load(path), path, pending)
        taken = 0
        seen = {self._source.path}
        while pending and taken < MAX_FILES:
            at = pending.popleft()
            taken += 1
            shown = self._of(at)
            if at is self._source:
                own = shown.signals
            else:
                others |= shown.signals
            for module, level in shown.modules:
                found = engine._resolved(at.path, module, level)
                if found is not None and found not in seen:
                    seen.add(found)
                    self._visit(engine.load(found), found, pending)
        return own, others

    def _visit(self, source: Source | None, path: str, pending: deque[Source]) -> None:
        self.digests[path] = source.digest if source is not None else None
        if source is not None:
            pending.append(source)

    def _of(self, source: Source) -> Seen:
        known = self._known.files.get(source.digest)
        if known is None:
            known = self._known.files.put(source.digest, self._look(source))
        return known

    def _look(self, source: Source) -> Seen:
        text = source.module.source
        units = sorted(source.units.items(), key=lambda item: item[1].start)
        starts = [unit.start for _, unit in units]
        pieces = [self._piece(text[: starts[0] if starts else len(text)])]
        imports = [*source.imports.values(), *source.stars]
        for (name, _), (start, end) in zip(units, pairwise([*starts, len(text)]), strict=True):
            piece = self._piece(text[start:end])
            pieces.append(piece)
            info = source.functions.get(name) if piece.imports else None
            if info is not None:
                imports += [s for s in statements(*info.function.body) if isinstance(s, ir.Import)]
        signals = frozenset().union(*(piece.signals for piece in pieces))
        if any(piece.hook for piece in pieces) and _HOOK.search(_COMMENT.sub(b"", text)):
            signals |= {"hook"}
        return Seen(signals, tuple(dict.fromkeys(_modules(imports))))

    def _piece(self, text: bytes) -> Piece:
        digest = blake2b(text, digest_size=16).digest()
        known = self._known.pieces.get(digest)
        if known is None:
            bare = _COMMENT.sub(b"", text)
            signals = frozenset(name for name, pattern in _SIGNALS.items() if pattern.search(bare))
            hook, imports = _HOOK_BEGINS.search(bare) is not None, _INNER_IMPORT.search(text) is not None
            known = self._known.pieces.put(digest, Piece(signals, hook, imports))
        return known


def _homes(path: str) -> list[str]:
    folder = dirname(path)
    found = [join(folder, name) for name in _HOMES]
    if folder:
        found += [join(dirname(folder), name) for name in _HOMES]
    return [other for other in found if other != path]


def _modules(imports: Iterable[ir.Import]) -> Iterator[tuple[str, int]]:
    for imported in imports:
        for module in (imported.module, _inner(imported)):
            if module or imported.level:
                yield module, imported.level


def _inner(imported: ir.Import) -> str:
    if imported.member is None or imported.member == "*":
        return ""
    return f"{imported.module}.{imported.member}" if imported.module else imported.member
