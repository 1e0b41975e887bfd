"""Settings by which well-known programs stop looking at certificates."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...configuration import entries, is_on
from ...shapes import last_name
from ...words import words_of

visits = (ir.Assign, ir.Mapping)

_OFF_IF_FALSE = frozenset(
    {
        "node_tls_reject_unauthorized",
        "pythonhttpsverify",
        "strict_ssl",
        "npm_config_strict_ssl",
        "ssl_verify",
        "sslverify",
    }
)
_OFF_IF_TRUE = frozenset(
    {"git_ssl_no_verify", "insecure_skip_verify", "tls_insecure_skip_verify", "insecure_skip_tls_verify"}
)
_FALSE = frozenset({"0", "false", "no", "off"})


def check(node: ir.Assign | ir.Mapping, context: Context) -> Iterator[Report]:
    """Reports the setting."""
    named: list[tuple[str, ir.Expression, ir.Expression]] = []
    if type(node) is ir.Mapping:
        named = list(entries(node))
    elif type(node) is ir.Assign and node.value is not None:
        named = [(last_name(target), target, node.value) for target in node.targets]
    for name, place, value in named:
        if type(value) is not ir.Constant:
            continue
        words = words_of(name)
        off = str(value.value).lower() in _FALSE
        if (words in _OFF_IF_FALSE and off) or (words in _OFF_IF_TRUE and is_on(value)):
            yield Report(ir.Node(place.start, value.end), name=name)
