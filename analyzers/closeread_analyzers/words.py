"""Names that promise a secret, and texts that are one or only stand in its place.

Absent on purpose: any list of real secrets beyond the handful of passwords that everybody tries first.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import lru_cache
from typing import Literal

from .pattern import later

Promise = Literal["", "password", "key", "token"]
Likeness = Literal["no", "weak", "strong"]

_HUMP = later(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOT_WORD = later(r"[^A-Za-z0-9]+")
_HINT = later(r"pass|pwd|secret|token|key|credential", re.IGNORECASE)

_PASSWORD = (
    r"password|passwd|passwort|pwd|passphrase|passcode|userpass|dbpass|db_pass|user_pass|mysql_pwd|root_pass|pgpassword"
)
_KEY = (
    r"secret_key|secretkey|secret_access_key|private_key|privatekey|api_key|apikey|api_secret|apisecret|app_secret"
    r"|client_secret|consumer_secret|access_key|encryption_key|encrypt_key|signing_key|signing_secret|jwt_secret|jwt_key"
    r"|session_secret|cookie_secret|shared_secret|webhook_secret|hmac_key|hmac_secret|master_key|auth_key|secret"
)
_TOKEN = (
    r"(?:auth|access|api|bearer|bot|refresh|github|gitlab|slack|jwt|personal_access|deploy|oauth|session)_token"
    r"|authtoken|apitoken"
)
# What may stand behind the words and leaves the value the secret itself.
_AFTER = (
    r"(?:_(?:\d+|v\d+|dev|development|prod|production|staging|local|test|default|admin|root|user|db|database|mysql"
    r"|postgres|redis|hmac|jwt|aes|value|string|str|plain|plaintext|old|new|live|main|backup|primary|secondary))*"
)
_BEFORE_NOT = (
    r"(?<!no_)(?<!without_)(?<!bad_)(?<!wrong_)(?<!invalid_)(?<!incorrect_)(?<!forgot_)(?<!reset_)(?<!change_)"
)
_PROMISES: tuple[tuple[Promise, re.Pattern[str]], ...] = (
    ("key", later(rf"(?:^|_){_BEFORE_NOT}(?:{_KEY}){_AFTER}$")),
    ("token", later(rf"(?:^|_){_BEFORE_NOT}(?:{_TOKEN}){_AFTER}$")),
    ("password", later(rf"(?:^|_){_BEFORE_NOT}(?:{_PASSWORD}){_AFTER}$")),
)

_PLACEHOLDER = later(
    r"change[-_ .]?(?:me|this|it)|replace[-_ .]?(?:me|this|with)|^your|your[-_ ]|^my[-_]|^insert|^enter"
    r"|^example|example$|placeholder"
    r"|^todo|fixme|^dummy|^fake|^mock|redacted|^sample|^foo|^bar$|^baz$|^n/?a$|^unset$|not[-_ ]set|^none$|^null$|^nil$"
    r"|^undefined$|^true$|^false$|^default$|^optional$|^required$|^hidden$|^masked$|^unused$|^empty$|^ignored?$|^anonymous$"
    r"|^([x*.?#_-])\1+$|\*\*\*|xxx|\.\.\.|^test(?:ing)?$|^string$|^text$|^value$|^env:|^file:|^vault:|^arn:|^ref\+|^!|^(?:abc|123|0123)$",
    re.IGNORECASE,
)
_TEMPLATE = later(r"<[^<>]*>|\$\{|\$\(|\{\{|%\(|%[sdr]\b|^\{\w*\}$|^\$\w+$|^%\w+%$|\{\w*\}|^@")
_PLACE = later(
    r"^[a-z][a-z0-9+.-]*://|^[./~]|/.*/|^[\w-]+(?:\.[\w-]+)+$|^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$|^--?\w|[\[\]()=;,]\s|^\w+\(|^#"
)
_SIGNS = later(
    r"(?:^|_)(?:SECRET_KEY|JWT_SECRET|JWT_SECRET_KEY|JWT_KEY|SESSION_SECRET|COOKIE_SECRET|SIGNING_KEY|SIGNING_SECRET)$|^SECRET$"
    r"|(?:^|_)(?:secret_key|jwt_secret)$"
)
_RANDOM = later(r"[A-Za-z0-9+/=_.-]{24,}$")
_WORDS = later(r"^[A-Za-z]+(?:[-_ .:][A-Za-z]+)*[?:.!]?$")

COMMON_PASSWORDS = frozenset(
    [
        "admin",
        "root",
        "toor",
        "guest",
        "letmein",
        "qwerty",
        "postgres",
        "mysql",
        "oracle",
        "welcome",
        "iloveyou",
        "monkey",
        "dragon",
        "master",
        "secret",
        "pass",
        "administrator",
        "superuser",
        "manager",
        "hunter2",
        "passw0rd",
        "p@ssw0rd",
        "changeit",
        "trustno1",
    ]
)
"""What everybody tries first: plain words, and secrets all the same."""


def words_of(name: str) -> str:
    """The words of a name in lower case, joined by `_`."""
    return _NOT_WORD.sub("_", _HUMP.sub("_", name)).strip("_").lower()


@lru_cache(maxsize=1 << 14)
def promise(name: str) -> Promise:
    """What secret a variable, key or parameter of this name holds, if any."""
    if len(name) > 60 or not _HINT.search(name):
        return ""
    words = words_of(name)
    return next((kind for kind, pattern in _PROMISES if pattern.search(words)), "")


@lru_cache(maxsize=1 << 12)
def likeness(text: str) -> Likeness:
    """How much a text looks like a secret and not like a word, a place, a template or a placeholder."""
    if not 4 <= len(text) <= 512 or "\n" in text:
        return "no"
    if not text.isprintable():
        # what a generator of random bytes printed is pasted so; a format is not
        return "strong" if len(text) >= 12 and entropy(text) >= 3.5 and "\t" not in text else "no"
    if text.lower() in COMMON_PASSWORDS:
        return "weak"
    if _PLACEHOLDER.search(text) or _TEMPLATE.search(text) or _PLACE.search(text) or _WORDS.match(text):
        return "no"
    if promise(text) or text.count(" ") > 3:
        return "no"
    kinds = sum(1 for kind in (str.islower, str.isupper, str.isdigit) if any(map(kind, text)))
    kinds += any(not character.isalnum() for character in text)
    if len(text) >= 8 and kinds >= 2 and entropy(text) >= 2.5:
        return "strong"
    return "weak" if kinds >= 2 or text.isdigit() else "no"


@lru_cache(maxsize=1 << 10)
def is_weak_key(text: str, name: str) -> bool:
    """Whether a text that likeness() takes for a word or a placeholder is a key all the same: it stands where one signs."""
    if not _SIGNS.search(name) or not 3 <= len(text) <= 64 or " " in text:
        return False
    return not _TEMPLATE.search(text) and not _PLACE.search(text) and words_of(text) != words_of(name)


def entropy(text: str) -> float:
    """Bits a character, by the text's own frequencies."""
    total = len(text)
    return -sum(count / total * math.log2(count / total) for count in Counter(text).values())


def is_random(text: object) -> bool:
    """Whether a text is so long and so mixed that nobody can have written it as a word."""
    if not isinstance(text, str) or not _RANDOM.match(text) or likeness(text) != "strong":
        return False
    return entropy(text) >= 3.5 and any(map(str.isdigit, text)) and any(map(str.isalpha, text))
