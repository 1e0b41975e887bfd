"""What a request handler's body says of who asks, what the client sent and what is changed.

One walk over one function, by names and shapes alone: `Body` gathers it, and rules over routes ask it.
Names are evidence here, not proof: a developer who calls a function `verify_token` means it. Deliberately
absent: order and branches (a look at the session anywhere counts), values, and other functions, which
routes.py follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from typing import Final

from .. import ir
from ..catalogue import name_words
from ..scope import targets
from ..tree import walk, walk_here

_CURRENT: Final = frozenset(["current_user", "current_identity", "auth_user", "logged_in_user", "get_current_user"])
_HOLDERS: Final = frozenset(["request", "req", "g", "ctx", "context", "self", "info", "state"])
_WHO: Final = frozenset(
    ["user", "current_user", "identity", "auth", "authorization", "user_id", "account", "jwt", "principal"]
)
_STATES: Final = frozenset(["is_authenticated", "is_admin", "is_staff", "is_superuser", "has_perm", "has_role"])
_ASKERS: Final = frozenset(
    ["user", "current_user", "me", "auth_user", "account", "member", "identity", "principal", "g", "caller"]
)
_WHO_KEY: Final = re.compile(
    r"user|uid|auth|log|admin|name|mail|role|account|token|identity|^id$|member|customer", re.IGNORECASE
)
_LAST_KEY: Final = re.compile(r"last|next|csrf|lang|visit|cart|flash|theme", re.IGNORECASE)
_HEADER: Final = re.compile(r"^authorization$|api.?key|token|^x-(?:user|auth)|signature|secret", re.IGNORECASE)
_SENDER: Final = re.compile(
    r"(?:^|_)(?:auth|authenticate|authenticated|authorize|authorized|authorise|authorised|authentication|authorization|jwt|oauth"
    r"|logged|login_required|permissions?|current_user|identity|whoami|is_admin|is_staff|is_owner)(?:_|$)"
)
_CHECKED: Final = re.compile(
    r"(?:^|_)(?:token|session|api_?key|admin|role|login|user|signature|hmac|access|credentials?)(?:_|$)"
)
_CHECK: Final = re.compile(
    r"(?:^|_)(?:verify|verified|check|validate|validates|validator|valid|require|requires|required|decode|ensure|assert|is|has)(?:_|$)"
)
_MAKES: Final = re.compile(
    r"(?:^|_)(?:encode|generate|create|make|issue|new|send|reset|register|set|exists?|existing|url)(?:_|$)"
)
_CREDENTIAL: Final = re.compile(r"token|session|auth|jwt|api_?key|credential|secret", re.IGNORECASE)

_SENT: Final = frozenset(
    ["args", "form", "json", "data", "values", "files", "view_args", "match_info", "GET", "POST", "body",
     "query_params", "query", "path_params", "rel_url", "params", "forms", "query_string"]
)  # fmt: skip
_SENDS: Final = frozenset(
    ["get_json", "get_data", "post", "json", "form", "body", "get_argument", "get_body_argument", "get_arguments"]
)
_REQUESTS: Final = frozenset(["request", "req", "self", "flask"])

PASSWORD: Final = re.compile(r"(?:^|_)(?:password|passwd|pwd|passwort|passphrase|user_?pass|pass)(?:_|$)")
_PASSWORD_CALL: Final = re.compile(
    r"(?:^|_)(?:check|verify|valid|validate|is_correct|compare|match)\w*_(?:password|passwd|pwd|hash|credentials?)|^check_?pw$|^checkpw$|^authenticate$"
    r"|(?:^|_)(?:password|passwd|pwd)_(?:verify|check|matches|is_valid)"
)
_DIGEST: Final = re.compile(r"(?:^|_)(?:digest|hash|hashed|pw|pwhash|checksum)$")
_CONFIRM: Final = re.compile(r"confirm|repeat|again|retype|password_?2|password_?1|new", re.IGNORECASE)
_SQL_PASSWORD: Final = re.compile(r"\bselect\b|\bwhere\b|\band\b", re.IGNORECASE)
_SQL_PASSWORD_IS: Final = re.compile(r"\bpass(?:word|wd)?\w*\s*(?:=|like)", re.IGNORECASE)

_DESTROYS_SQL: Final = re.compile(r"\s*(?:delete\s+from|drop\s+|truncate\s+)", re.IGNORECASE)
_CHANGES_SQL: Final = re.compile(r"\s*(?:update\s+\S+\s+set|replace\s+into|alter\s+)", re.IGNORECASE)
_CREATES_SQL: Final = re.compile(r"\s*(?:insert\s+(?:or\s+\w+\s+)?into|create\s+table)", re.IGNORECASE)
_SHOWS: Final = frozenset(["print", "debug", "info", "warning", "error", "log", "flash", "append", "write", "format"])
_DESTROYS: Final = frozenset(
    ["drop_all", "delete_one", "delete_many", "find_one_and_delete", "rmtree", "flushall", "flushdb", "drop"]
)
_CHANGES: Final = frozenset(
    ["update_one", "update_many", "replace_one", "find_one_and_update", "bulk_update", "setattr"]
)
_CREATES: Final = frozenset(
    ["insert_one", "insert_many", "bulk_create", "bulk_save_objects", "get_or_create", "create_all"]
)
_STORE: Final = re.compile(r"(?:^|\.)(?:db|session|database|objects|conn|connection|query)(?:$|\.|\()")

Write = tuple[str, ir.Node]
"""What is done ("destroys", "changes" or "creates"), and where."""


def last_name(node: ir.Node) -> str:
    """The last identifier of a name, an attribute or a call of one; "" for anything else."""
    while isinstance(node, ir.Call | ir.Await):
        node = node.callee if isinstance(node, ir.Call) else node.value
    if isinstance(node, ir.Attribute):
        return node.name
    return node.id if isinstance(node, ir.Name) else ""


def dotted(node: ir.Node) -> str:
    """A chain of names, calls as `()`; what is no name is "?"."""
    parts: list[str] = []
    while True:
        if isinstance(node, ir.Attribute):
            parts.append("." + node.name)
            node = node.value
        elif isinstance(node, ir.Call):
            parts.append("()")
            node = node.callee
        elif isinstance(node, ir.Await):
            node = node.value
        elif isinstance(node, ir.Subscript):
            parts.append("[]")
            node = node.value
        else:
            break
    root = node.id if isinstance(node, ir.Name) else "?"
    return root + "".join(reversed(parts))


def text_of(node: ir.Node | None) -> str:
    """A constant text, or ""."""
    return node.value if isinstance(node, ir.Constant) and isinstance(node.value, str) else ""


def texts(node: ir.Node) -> Iterator[str]:
    """All constant texts in an expression."""
    return (n.value for n in walk_here(node) if isinstance(n, ir.Constant) and isinstance(n.value, str))


def leading_text(node: ir.Node) -> str:
    """The constant text that an expression starts with."""
    while True:
        if isinstance(node, ir.Binary):
            node = node.left
        elif isinstance(node, ir.Template):
            if not node.parts:
                return ""
            node = node.parts[0]
        elif isinstance(node, ir.Call) and isinstance(node.callee, ir.Attribute) and node.callee.name == "format":
            node = node.callee.value
        elif isinstance(node, ir.Call) and last_name(node.callee) == "text" and node.arguments:
            node = node.arguments[0].value
        else:
            return text_of(node)


@lru_cache(maxsize=1 << 12)
def asks_who(name: str) -> bool:
    """Whether a function of this name looks at who asks."""
    words = name_words(name)
    if _MAKES.search(words):
        return False
    return bool(_SENDER.search(words) or (_CHECKED.search(words) and _CHECK.search(words)))


def is_password(name: str) -> bool:
    """Whether a name is that of a password (not of a form's repetition of one)."""
    return bool(PASSWORD.search(name_words(name)))


def key_of(node: ir.Node) -> str:
    """The constant key of `x[key]` or of `x.get(key)`, else ""."""
    if isinstance(node, ir.Subscript):
        return text_of(node.key)
    if isinstance(node, ir.Call) and node.arguments and last_name(node.callee) in ("get", "pop", "getlist", "getone"):
        return text_of(node.arguments[0].value)
    return ""


class Body:
    """One function's body, gathered. `parameters` are the names that the client fills, `askers` those that say who asks."""

    def __init__(self, function: ir.Function, parameters: Iterable[str] = (), askers: Iterable[str] = ()) -> None:
        self.function = function
        self.parameters, self.askers = frozenset(parameters), frozenset(askers)
        self.nodes: list[ir.Node] = list(walk_here(*function.body))
        self.calls: list[ir.Call] = [node for node in self.nodes if type(node) is ir.Call]
        self.assigned: dict[str, list[ir.Expression]] = {}
        for node in self.nodes:
            if isinstance(node, ir.Assign) and node.value is not None:
                for target in node.targets:
                    for name in targets(target):
                        self.assigned.setdefault(name, []).append(node.value)
            elif isinstance(node, ir.Bind):
                for name in targets(node.target):
                    self.assigned.setdefault(name, []).append(node.value)
            elif isinstance(node, ir.For):
                for name in targets(node.target):
                    self.assigned.setdefault(name, []).append(node.iterable)

    # --- Who asks ---------------------------------------------------------------------------------

    @cached_property
    def identity(self) -> str | None:
        """The first expression that looks at who asks, in words, or None."""
        return next((found for node in self.nodes if (found := self._identity(node))), None)

    def _identity(self, node: ir.Node) -> str | None:
        """`identity`, but a variable that this body fills itself says nothing by its name."""
        if type(node) is ir.Name and node.id in self.assigned:
            return None
        return identity(node)

    @cached_property
    def identity_names(self) -> frozenset[str]:
        """The variables made of who asks."""
        return self._closure(lambda node: self._identity(node) is not None, self.askers)

    @cached_property
    def client_names(self) -> frozenset[str]:
        """The variables made of what the client sent, the parameters included."""
        return self._closure(is_sent, self.parameters) - self.identity_names

    def _closure(self, holds: object, start: frozenset[str] = frozenset()) -> frozenset[str]:
        known = set(start)
        for _ in range(4):
            size = len(known)
            for name, values in self.assigned.items():
                if name not in known and any(
                    holds(n) or (type(n) is ir.Name and n.id in known)  # type: ignore[operator]
                    for value in values
                    for n in walk_here(value)
                ):
                    known.add(name)
            if len(known) == size:
                break
        return frozenset(known)

    def mentions_identity(self, node: ir.Node) -> bool:
        """Whether an expression is made of who asks."""
        names = self.identity_names
        return any((type(n) is ir.Name and n.id in names) or self._identity(n) is not None for n in walk_here(node))

    def mentions_client(self, node: ir.Node) -> bool:
        """Whether an expression is made of what the client sent."""
        names = self.client_names
        return any((type(n) is ir.Name and n.id in names) or is_sent(n) for n in walk_here(node))

    # --- What is changed --------------------------------------------------------------------------

    @cached_property
    def writes(self) -> list[Write]:
        """What this body itself changes in a store."""
        found: list[Write] = [(kind, call) for call in self.calls if (kind := self._write(call))]
        if any(call.arguments == [] and last_name(call.callee) == "commit" for call in self.calls):
            found += [
                ("changes", node)
                for node in self.nodes
                if isinstance(node, ir.Assign)
                and any(
                    isinstance(t, ir.Attribute) and last_name(t.value) not in ("self", "g", "conn", "app")
                    for t in node.targets
                )
            ]
        return found

    def _write(self, call: ir.Call) -> str:
        name = last_name(call.callee)
        if call.arguments and name not in _SHOWS:
            for value in self.values(call.arguments[0].value):
                text = leading_text(value)
                if _DESTROYS_SQL.match(text):
                    return "destroys"
                if _CHANGES_SQL.match(text):
                    return "changes"
                if _CREATES_SQL.match(text):
                    return "creates"
        if name in _DESTROYS:
            return "destroys"
        if name in _CHANGES:
            return "changes"
        if name in _CREATES:
            return "creates"
        if not isinstance(call.callee, ir.Attribute):
            return ""
        receiver = dotted(call.callee.value)
        if name == "delete" and (
            _STORE.search(receiver) or (not call.arguments and self._is_record(call.callee.value))
        ):
            return "destroys"
        if name == "update" and _STORE.search(receiver):
            return "changes"
        if name == "save" and not call.arguments and isinstance(call.callee.value, ir.Name):
            return "changes" if self._is_record(call.callee.value) else "creates"
        if (name in ("add", "add_all", "merge") and receiver.endswith(("session", "db"))) or (
            name == "create" and ".objects" in receiver
        ):
            return "creates"
        return ""

    def _is_record(self, node: ir.Expression) -> bool:
        """Whether a variable holds what was looked up."""
        if not isinstance(node, ir.Name):
            return isinstance(node, ir.Call) and last_name(node) in (
                "get",
                "get_object_or_404",
                "filter",
                "filter_by",
                "first",
                "one",
            )
        return any(
            last_name(call.callee)
            in ("get", "get_or_404", "get_object_or_404", "first", "first_or_404", "one", "filter", "get_object")
            for value in self.assigned.get(node.id, ())
            for call in walk_here(value)
            if isinstance(call, ir.Call)
        )

    def values(self, node: ir.Expression) -> list[ir.Expression]:
        """What an expression may be: a variable's assigned values, or itself."""
        if isinstance(node, ir.Name) and node.id in self.assigned:
            return self.assigned[node.id]
        return [node]

    # --- Passwords --------------------------------------------------------------------------------

    @cached_property
    def password_check(self) -> ir.Node | None:
        """The place at which a password is compared with the stored one."""
        for node in self.nodes:
            if isinstance(node, ir.Comparison) and node.operator in ("==", "!=", "===", "!=="):
                if self._compares_password(node.left, node.right) or self._compares_password(node.right, node.left):
                    return node
            elif isinstance(node, ir.Call) and self._checks_password(node):
                return node
        return None

    def _compares_password(self, stored: ir.Expression, given: ir.Expression) -> bool:
        name = stored.name if isinstance(stored, ir.Attribute) else key_of(stored)
        if (
            isinstance(stored, ir.Subscript)
            and isinstance(stored.key, ir.Constant)
            and isinstance(stored.key.value, int)
        ):
            # a column of a row, against a digest that is made on the spot
            return isinstance(given, ir.Call) and any(is_password(n) for n in names_in(given))
        if not name or is_sent_root(stored) or isinstance(given, ir.Constant):
            return False
        if not is_password(name):
            names = self.password_names
            return bool(_DIGEST.search(name_words(name))) and any(n in names for n in names_in(given))
        if _CONFIRM.search(name) or any(_CONFIRM.search(n) for n in names_in(given)):
            return False
        root = stored
        while isinstance(root, ir.Attribute | ir.Subscript | ir.Call):
            root = root.callee if isinstance(root, ir.Call) else root.value
        if isinstance(root, ir.Name) and (root.id in self.direct_client or root.id in ("form", "self")):
            return False
        return self.mentions_client(given) or any(is_password(n) for n in names_in(given))

    @cached_property
    def password_names(self) -> frozenset[str]:
        """The variables made of a password: its digest, mostly."""
        return self._closure(lambda node: any(is_password(name) for name in names_in(node)))

    @cached_property
    def direct_client(self) -> frozenset[str]:
        """Variables that are the client's own containers: `data = request.get_json()`."""
        return frozenset(
            name
            for name, values in self.assigned.items()
            for value in values
            if is_sent(value.value if isinstance(value, ir.Await) else value)
        )

    def _checks_password(self, call: ir.Call) -> bool:
        name = name_words(last_name(call.callee))
        if _PASSWORD_CALL.search(name):
            return len(call.arguments) >= 1 and not name.startswith("validate_password")
        if name == "verify" and len(call.arguments) >= 2:
            return any(is_password(n) for argument in call.arguments for n in names_in(argument.value))
        if name in ("filter_by", "get", "filter", "find_one", "find", "first", "get_or_none"):
            return any(self._asks_password(argument) for argument in call.arguments)
        if call.arguments and name not in _SHOWS:
            for value in self.values(call.arguments[0].value):
                joined = " ".join(texts(value))
                if _SQL_PASSWORD.search(joined) and _SQL_PASSWORD_IS.search(joined) and "select" in joined.lower():
                    return True
        return False

    def _asks_password(self, argument: ir.Argument) -> bool:
        value = argument.value
        if argument.name is not None:
            return is_password(argument.name) and not isinstance(value, ir.Constant)
        if isinstance(value, ir.Comparison):
            return isinstance(value.left, ir.Attribute) and is_password(value.left.name)
        if isinstance(value, ir.Mapping):
            return any(
                is_password(text_of(key)) and not isinstance(v, ir.Constant)
                for key, v in value.entries
                if key is not None
            )
        return False


# --- One expression --------------------------------------------------------------------------------


def names_in(node: ir.Node) -> Iterator[str]:
    """The names, attributes and constant keys in an expression."""
    for n in walk_here(node):
        if isinstance(n, ir.Name):
            yield n.id
        elif isinstance(n, ir.Attribute):
            yield n.name
        elif isinstance(n, ir.Subscript | ir.Call) and (key := key_of(n)):
            yield key


def is_sent(node: ir.Node) -> bool:
    """Whether an expression reads what the client sent: `request.form`, `await request.post()`."""
    if isinstance(node, ir.Attribute) and node.name == "path":
        return isinstance(node.value, ir.Name) and node.value.id == "self"  # http.server
    if isinstance(node, ir.Attribute) and node.name in _SENT:
        return last_name(node.value) in _REQUESTS and not isinstance(node.value, ir.Call)
    if isinstance(node, ir.Call) and isinstance(node.callee, ir.Attribute) and node.callee.name in _SENDS:
        return last_name(node.callee.value) in _REQUESTS and not isinstance(node.callee.value, ir.Call)
    return False


def is_sent_root(node: ir.Node) -> bool:
    """Whether an expression is a part of what the client sent."""
    return any(is_sent(n) for n in walk_here(node))


def is_session(node: ir.Node) -> bool:
    """Whether an expression is the visitor's session (and not a database's)."""
    if isinstance(node, ir.Name):
        return node.id in ("session", "sess", "user_session")
    return (
        isinstance(node, ir.Attribute)
        and node.name == "session"
        and last_name(node.value) in ("request", "req", "self", "flask", "bottle")
    )


def _who_key(key: str) -> bool:
    return bool(_WHO_KEY.search(key)) and not _LAST_KEY.search(key)


def identity(node: ir.Node) -> str | None:
    """How an expression looks at who asks, in words; None if it does not."""
    kind = type(node)
    if kind is ir.Name:
        return node.id if node.id in _CURRENT else None  # type: ignore[attr-defined]
    if kind is ir.Attribute:
        return _identity_attribute(node)  # type: ignore[arg-type]
    if kind is ir.Subscript:
        key = text_of(node.key)  # type: ignore[attr-defined]
        return _identity_key(node.value, key)  # type: ignore[attr-defined]
    if kind is ir.Comparison and isinstance(node, ir.Comparison):
        if node.operator in ("in", "not in") and is_session(node.right) and _who_key(text_of(node.left)):
            return "the session"
        return None
    if kind is ir.Call and isinstance(node, ir.Call):
        callee = node.callee
        name = last_name(callee)
        if isinstance(callee, ir.Attribute) and name in ("get", "pop", "has_key") and node.arguments:
            return _identity_key(callee.value, text_of(node.arguments[0].value))
        if name in ("get_cookie", "get_secure_cookie", "get_signed_cookie") and node.arguments:
            return "a cookie" if _who_key(text_of(node.arguments[0].value)) else None
        if asks_who(name):
            return f"{name}()"
        if _CHECK.search(name_words(name)) and any(_CREDENTIAL.search(last_name(a.value)) for a in node.arguments[:1]):
            return f"{name}()"
    return None


def _identity_attribute(node: ir.Attribute) -> str | None:
    holder = last_name(node.value)
    if isinstance(node.value, ir.Call):
        return None
    if node.name in _STATES and (holder in _ASKERS or (node.name == "is_authenticated" and not holder[:1].isupper())):
        return node.name
    if node.name in _WHO and holder in _HOLDERS:
        if holder == "self" and node.name not in ("current_user", "identity"):
            return None
        return f"{holder}.{node.name}"
    return None


def _identity_key(holder: ir.Expression, key: str) -> str | None:
    if not key:
        return None
    if is_session(holder):
        return "the session" if _who_key(key) else None
    name = last_name(holder)
    if name == "headers":
        return "a header" if _HEADER.search(key) else None
    if name in ("cookies", "COOKIES"):
        return "a cookie" if _who_key(key) or "session" in key.lower() else None
    if name == "META":
        return "a header" if "AUTHORIZATION" in key else None
    return None


__all__ = ["Body", "asks_who", "dotted", "identity", "is_sent", "last_name", "leading_text", "texts", "walk"]
