"""Mended as it is where a client wrote the value."""

from __future__ import annotations

from .command_injection import fix, mends, safe, title

__all__ = ["fix", "mends", "safe", "title"]
