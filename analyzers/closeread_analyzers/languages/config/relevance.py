"""Whether a text of configuration can hold anything that a rule asks for, by a look at its bytes.

Most files of a project's JSON and YAML do not, and reading them would cost more than the rest of a scan.
A new rule over configuration adds the words without which it never reports.
"""

from __future__ import annotations

import re

_WORDS = (
    *(b"passw", b"passphrase", b"passcode", b"dbpass", b"userpass", b"_pass", b"pwd", b"secret", b"private", b"token"),
    *(b"api_key", b"apikey", b"api-key", b"api.key", b"access_key", b"accesskey", b"access-key", b"auth_key"),
    *(b"master_key", b"masterkey", b"encryption", b"encrypt_key", b"signing", b"jwt", b"hmac"),
)
_GIVEN = re.compile(
    rb"(?:" + b"|".join(map(re.escape, _WORDS)) + rb")[\w.-]{0,40}"
    rb"(?:[\"']?\s{0,4}[:=]\s{0,4}[\"']{0,3}\s{0,4}[^\s\"'{}\[\],$<]{4}|[\"']?\s{0,4},?\s{0,40}[\"']?value)"
)
_SETTINGS = (
    *(b"privileged", b".sock", b"hostpath", b"- /:", b"source: /", b"ports:"),
    *(b"github.event", b"github.head_ref", b"pull_request_target", b"workflow_run"),
    *(b"| sh", b"|sh", b"| bash", b"|bash", b"| sudo", b"|sudo", b"| /", b"|/"),
    *(b"tls_reject", b"ssl_no_verify", b"sslverify", b"ssl_verify", b"httpsverify", b"strict-ssl", b"strict_ssl"),
    *(b"skip_verify", b"skip-verify", b"skipverify", b"skip_tls", b"skip-tls", b"skiptls"),
)
_TOKEN = re.compile(
    rb"A[KS]IA[A-Z2-7]{8}|AIza|SG\.\w|gh[pousr]_|glpat-|xox|k_live_|npm_|pypi-|_v1_|eyJ|hooks\.s|AccountKey"
)
_DEBUG = re.compile(rb"debug\W{1,6}(?:true|1|on|yes)\b")
_PASSWORD_IN_ADDRESS = re.compile(rb"://[^\s/@:\"']{1,60}:[^\s/@\"']{1,80}@")


def is_relevant(source: bytes) -> bool:
    """Whether the text is worth reading."""
    lower = source.lower()
    return (
        (any(word in lower for word in _WORDS) and _GIVEN.search(lower) is not None)
        or b"private key-----" in lower
        or (b"kind: secret" in lower or b'"kind": "secret"' in lower)
        or any(word in lower for word in _SETTINGS)
        or _DEBUG.search(lower) is not None
        or _TOKEN.search(source) is not None
        or (b"://" in source and b"@" in source and _PASSWORD_IN_ADDRESS.search(source) is not None)
    )
