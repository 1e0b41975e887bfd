"""Mounts of the container engine's socket and of the host's root folder."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...configuration import entries, entry, is_compose, items, keys_above, text_of
from ...pattern import later

visits = (ir.Mapping,)

_SOCKET = later(r"(^|/)(docker|containerd|crio|podman)\.sock/?$")


def check(node: ir.Mapping, context: Context) -> Iterator[Report]:
    """Reports the mount."""
    for name, _, value in entries(node):
        if name == "hostPath":
            path = entry(value, "path")
            if path is not None and _is_host(text_of(path)):
                yield Report(path, name=text_of(path))
        elif name == "volumes" and is_compose(context.module.path):
            above = keys_above(node, context)
            if len(above) == 2 and above[0] == "services":
                yield from _in_volumes(value)


def _in_volumes(volumes: ir.Expression) -> Iterator[Report]:
    for item in items(volumes):
        source = entry(item, "source")
        path = text_of(source) if source is not None else text_of(item).partition(":")[0]
        if _is_host(path):
            yield Report(source or item, name=path)


def _is_host(path: str) -> bool:
    return path == "/" or _SOCKET.search(path) is not None
