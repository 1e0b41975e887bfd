"""Whether the client's process lives. A server must not outlive its editor, even one that was killed."""

from __future__ import annotations

import os
import sys


def is_alive(process: int) -> bool:
    """Whether there is a process of that number. When in doubt, yes: ending too early is worse."""
    if process <= 0:
        return False
    if sys.platform == "win32":
        return _is_alive_on_windows(process)
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


if sys.platform == "win32":

    def _is_alive_on_windows(process: int) -> bool:
        # `os.kill` ends a process there, whatever the signal.
        import ctypes

        synchronize, wait_timeout = 0x00100000, 0x00000102
        kernel = ctypes.windll.kernel32
        handle = kernel.OpenProcess(synchronize, False, process)
        if not handle:
            return False
        try:
            return bool(kernel.WaitForSingleObject(handle, 0) == wait_timeout)
        finally:
            kernel.CloseHandle(handle)
