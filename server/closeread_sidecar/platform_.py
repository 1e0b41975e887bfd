"""Where operating systems differ for the sidecar: private files, one process a home, children, confinement.

What holds where, honestly:

| | Linux | macOS | Windows |
| --- | --- | --- | --- |
| a handler has no network | a namespace of its own, no interface up | not enforced: does not run | not enforced: does not run |
| memory, processor time, file size | `setrlimit` | `setrlimit`, though memory is a hint there | time alone, by killing it |
| the editor goes first | `nice`, and its session's | `nice` | priority class |
| dies with its parent | `PR_SET_PDEATHSIG`, and its input ends | its input ends | its input ends |

A namespace does not hide the sockets that lie in the file system, nor the files of the user: a handler is the user's own
program, and the limits are for its mistakes. Where a row says "does not run", the settings can say `handlers: {unconfined: true}`.
"""
# ruff: noqa: PTH123

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

WINDOWS = sys.platform == "win32"
LINUX = sys.platform.startswith("linux")

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38


class Unconfined(Exception):
    """A limit that was asked for cannot be had here; says which."""


# --- Files -----------------------------------------------------------------------------------------


def private_folder(path: Path) -> Path:
    """Make `path` a folder that only this user can enter. Raises OSError if that cannot be had."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not WINDOWS:
        status = path.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
            raise OSError(0, "the folder belongs to someone else")
        if stat.S_IMODE(status.st_mode) != 0o700:
            path.chmod(0o700)
    return path


def exposure(path: Path) -> str:
    """Why others could read or change what lies at `path`, in words; "" if they cannot.

    Windows: always "", because a user's own folders are private there by inherited permissions, which are not looked at.
    """
    if WINDOWS:
        return ""
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        return "it is a link"
    if status.st_uid != os.getuid():
        return "it belongs to someone else"
    if stat.S_IMODE(status.st_mode) & 0o077:
        return f"its mode is {stat.S_IMODE(status.st_mode):04o}, not {'0700' if path.is_dir() else '0600'}"
    return ""


def writable_by_others(path: Path) -> bool:
    """Whether another user could change the file or folder."""
    if WINDOWS:
        return False
    status = path.stat()
    return status.st_uid not in (os.getuid(), 0) or bool(stat.S_IMODE(status.st_mode) & 0o022)


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only this user can read; a reader sees the old one or the new one, never a half."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600 by itself
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


class Lock:
    """One sidecar a home. The system lets go of it when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] | None = None

    def take(self) -> bool:
        """Whether it is ours now; never waits."""
        file = open(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)  # noqa: SIM115
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Let another process have it."""
        if self._file is not None:
            self._file.close()
            self._file = None


# --- Processes -------------------------------------------------------------------------------------


def environment() -> dict[str, str]:
    """What Python needs to start and to find the user's folders; no secret, and nothing that changes what it runs."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "WINDIR", "USERPROFILE")
    more = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "LOCALAPPDATA", "APPDATA")
    return {name: os.environ[name] for name in (*kept, *more) if name in os.environ}


async def confined(arguments: Sequence[str], folder: Path, output_limit: int) -> asyncio.subprocess.Process:
    """A child of our own, isolated, in a group of its own, that confines itself before it does anything else.

    `arguments` are those of `confined.py`; `folder` is where it runs, `output_limit` the longest line in bytes that is read of it.
    """
    return await asyncio.create_subprocess_exec(
        *[sys.executable, "-I", *_runnable("closeread_sidecar.confined"), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        limit=output_limit,
        cwd=folder,
        env=environment(),
        start_new_session=not WINDOWS,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )


def _runnable(module: str) -> list[str]:
    """How isolated Python is told to run a module of ours: by name, where the package is installed; where it runs
    out of a folder that is a program (as editors carry it: `python -I FOLDER serve`), by that folder."""
    folder = Path(__file__).parents[1]
    carried = sys.path[:1] == [str(folder)] and (folder / "__main__.py").is_file()
    return [str(folder), "-m", module] if carried else ["-m", module]


def step_back(by: int) -> None:
    """Let other processes go first: from 0, as they, to 19, only when nobody else wants the processor."""
    if sys.platform == "win32":
        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), 0x40 if by > 10 else 0x4000)  # IDLE, BELOW_NORMAL
        return
    with contextlib.suppress(OSError):
        os.nice(by)
    # Linux weighs sessions against each other before it looks at the processes in them; of a session that is not
    # this process's own, others would be slowed down too.
    if LINUX and os.getsid(0) == os.getpid():
        with contextlib.suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(by))


def end(process: asyncio.subprocess.Process) -> None:
    """Kill a child and whatever it started that is still in its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if WINDOWS:
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)


def follow_parent(stream: IO[bytes]) -> None:
    """End this process, at once, when `stream` ends: whoever held its other end is gone."""

    handle = stream.fileno()

    def wait() -> None:
        # Not by `stream`: a thread that holds its lock when Python ends is a fatal error.
        with contextlib.suppress(OSError):
            while os.read(handle, 65536):
                pass
        os._exit(0)

    threading.Thread(target=wait, name="parent", daemon=True).start()


def on_end(loop: asyncio.AbstractEventLoop, stop: Any) -> None:
    """Call `stop` when somebody asks the process to end (Ctrl-C, SIGTERM)."""
    for name in ("SIGINT", "SIGTERM"):
        with contextlib.suppress(NotImplementedError, AttributeError):
            loop.add_signal_handler(getattr(signal, name), stop)


# --- Confinement: called in the child --------------------------------------------------------------


def die_with_parent() -> None:
    """Linux: the kernel kills this process when its parent's thread ends. Elsewhere the end of input does it."""
    if LINUX:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def limit(memory: int, seconds: int, file_size: int) -> None:
    """Bytes of address space, seconds of processor time, bytes of the largest file written. Windows: nothing."""
    if sys.platform == "win32":
        return
    import resource

    def lower(what: int, value: int) -> None:
        hard = resource.getrlimit(what)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with contextlib.suppress(ValueError, OSError):  # macOS refuses some; the clock still ends it
            resource.setrlimit(what, (value, value))

    lower(resource.RLIMIT_CORE, 0)
    lower(resource.RLIMIT_CPU, max(1, seconds))
    lower(resource.RLIMIT_FSIZE, file_size)
    lower(resource.RLIMIT_AS, memory)


def leave_network() -> None:
    """Move this process where there is no network, not even loopback. Raises Unconfined where that cannot be had."""
    if not LINUX:
        raise Unconfined("this system has no network namespaces, so a handler's network cannot be cut")
    libc = ctypes.CDLL(None, use_errno=True)
    # As root a network namespace is to be had at once; as anybody else, inside a user namespace of one's own.
    flags = _CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWUSER | _CLONE_NEWNET
    if libc.unshare(flags) != 0:
        raise Unconfined(f"the network cannot be cut here (unshare: {os.strerror(ctypes.get_errno())})")
