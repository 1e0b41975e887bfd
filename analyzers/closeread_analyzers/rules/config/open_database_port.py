"""Published ports of databases that are known to ask for no password unless they are told to."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...configuration import entries, entry, is_compose, is_on, items, keys_above, text_of
from ...pattern import later
from ...tree import walk

visits = (ir.Mapping,)

_IMAGE = later(r"(?:^|/)(redis|valkey|memcached|mongo|postgres|mysql|mariadb|couchdb|elasticsearch)(?:-\w+)*(?:[:@]|$)")
_LOCAL = later(r"^(127\.|localhost:|\[::1\]|\$)")


def check(node: ir.Mapping, context: Context) -> Iterator[Report]:
    """Reports each port."""
    ports = entry(node, "ports") if is_compose(context.module.path) else None
    if ports is None:
        return
    found = _IMAGE.search(text_of(entry(node, "image")))
    if found is None or len(above := keys_above(node, context)) != 2 or above[0] != "services":
        return
    if not _is_open(found[1], node):
        return
    for item in items(ports):
        published, local = entry(item, "published"), text_of(entry(item, "host_ip"))
        place = published or item
        # a port alone ("6379") is published on any free one; two are outside:inside
        if type(place) is ir.Constant and not _LOCAL.match(local or text_of(place)):
            yield Report(place, name=found[1])


def _is_open(image: str, service: ir.Mapping) -> bool:
    environment = {name: value for name, _, value in entries(entry(service, "environment"))}
    told = "env_file" in {name for name, _, _ in entries(service)}
    command = entry(service, "command") or entry(service, "entrypoint")
    words = " ".join(text_of(part) for part in walk(command) if type(part) is ir.Constant) if command else ""
    if image in ("redis", "valkey"):
        return (
            not told and not re.search(r"requirepass|aclfile|\.conf|\$", words) and "REDIS_PASSWORD" not in environment
        )
    if image == "memcached":
        return "-S" not in words
    if image == "mongo":
        return not told and not any("ROOT" in name for name in environment) and "--auth" not in words
    if image == "postgres":
        return text_of(environment.get("POSTGRES_HOST_AUTH_METHOD")) == "trust"
    if image in ("mysql", "mariadb"):
        return any(name.endswith("ALLOW_EMPTY_PASSWORD") and is_on(value) for name, value in environment.items())
    security = environment.get("xpack.security.enabled")
    return image == "elasticsearch" and type(security) is ir.Constant and str(security.value).lower() == "false"
