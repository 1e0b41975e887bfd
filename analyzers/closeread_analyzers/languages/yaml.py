"""YAML: workflows, manifests, compose files, settings.

Read by libyaml's events, which come one by one and need no stack of ours; nothing is ever constructed. Its parser
stops at the first mistake: what stands before it is analysed, and the mistake is a problem of the file. Templates
of YAML (`{{ ... }}`, `{% ... %}`) are read with the pieces blanked out, so that positions stay.

Deliberately absent: what anchors and merges refer to, and types beyond text, numbers, truth values and null.
"""

from __future__ import annotations

from .config import ConfigLanguage, Reading


class Yaml(ConfigLanguage):
    """The language object."""

    name = "yaml"
    suffixes = (".yaml", ".yml")

    def read(self, path: str, source: bytes) -> Reading:
        """The statements of a text."""
        from .config.events import Reader

        return Reader(source).read()


language = Yaml()
