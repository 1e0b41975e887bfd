"""Where operating systems differ: paths, permissions, processes, terminals. The only module that asks which one it is.

Deliberately absent: anything about findings or projects.
"""
# ruff: noqa: PTH101, PTH105, PTH108, PTH116, PTH123
# Open descriptors and bytes-for-bytes system calls are what this module is about.

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

WINDOWS = sys.platform == "win32"


def reason(error: OSError) -> str:
    """Why a file operation failed, in words, without the path."""
    return (error.strerror or type(error).__name__).lower()


def is_regular(path: Path | str) -> bool:
    """Whether there is a regular file (or a link to one)."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def read_regular(path: Path | str, limit: int) -> bytes | None:
    """The bytes of a regular file, or None if there are more than `limit`.

    Never blocks on a FIFO and never reads a device: what is not regular raises OSError.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOCTTY", 0)
    handle = os.open(path, flags | getattr(os, "O_CLOEXEC", 0))
    with open(handle, "rb", buffering=0) as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "not a regular file")
        if status.st_size > limit:
            return None
        data = bytearray()
        # The file may grow while it is read; one byte over the limit settles it.
        while chunk := file.read(min(1 << 20, limit + 1 - len(data))):
            data += chunk
            if len(data) > limit:
                return None
        return bytes(data)


def private_folder(path: Path) -> Path:
    """Make `path` a folder that only this user can enter. Raises OSError if that cannot be had."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if sys.platform == "win32":
        return path  # A user's local application data is private by its inherited permissions.
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise OSError(0, "the folder belongs to someone else")
    if stat.S_IMODE(status.st_mode) != 0o700:
        path.chmod(0o700)
    return path


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that a reader sees the old file or the new one, never a half.

    What is not a regular file (`/dev/stdout`, a FIFO) cannot be replaced and is written to.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            file.write(data)
        return
    path = Path(os.path.realpath(path))
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=".tmp", dir=path.parent)
    try:
        with open(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def append_private(path: Path, data: bytes) -> None:
    """Add `data` at the end of a file that only this user can read, in one write that is on the disk when this returns."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags, 0o600)
    try:
        os.write(handle, data)
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def program(name: str) -> Path | None:
    """Where an installed program is: in an absolute folder of the PATH, and never in the current one."""
    for folder in map(Path, os.environ.get("PATH", "").split(os.pathsep)):
        path = folder / (f"{name}.exe" if WINDOWS else name)
        if folder.is_absolute() and is_regular(path) and os.access(path, os.X_OK):
            return path
    return None


def cores() -> int:
    """How many processes can really run at once here."""
    if sys.version_info >= (3, 13):
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


@contextlib.contextmanager
def child(
    module: str,
    arguments: Sequence[str] = (),
    *,
    network: bool = False,
    errors: bool = False,
    extra: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[subprocess.Popen[bytes]]:
    """A process of our own that runs `module`, with pipes; it does not outlive the `with`.

    `-I` keeps a hostile workspace out of the import path; the environment is built, not inherited,
    and the working folder is a fresh empty one. With `network` it learns what the user's programs know of proxies,
    certificates and package indexes; with `errors` its standard error is a pipe too. `extra` adds to its environment.
    """
    folder = tempfile.mkdtemp(prefix="closeread-")
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", *_runnable(module), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if errors else subprocess.DEVNULL,
            cwd=folder,
            env={**_environment(network), **extra},
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            # Ctrl-C goes to the parent alone, which ends its children in order.
            start_new_session=not WINDOWS,
        )
        try:
            yield process
        finally:
            stop(process)
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def in_foreground(module: str, arguments: Sequence[str], extra: Mapping[str, str] = MappingProxyType({})) -> int:
    """Run `module` in a process of our own on this terminal, until it ends; gives its exit code.

    Isolated as every child. Ctrl-C reaches it as it does this process, and it is waited for.
    """
    folder = tempfile.mkdtemp(prefix="closeread-")
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", *_runnable(module), *arguments], cwd=folder, env={**_environment(False), **extra}
        )
        while True:
            with contextlib.suppress(KeyboardInterrupt):
                return process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _runnable(module: str) -> list[str]:
    """How isolated Python is told to run a module of ours: by name, where the package is installed; where it runs
    out of a folder that is a program (as editors carry it: `python -I FOLDER serve`), by that folder."""
    folder = Path(__file__).parents[1]
    carried = sys.path[:1] == [str(folder)] and is_regular(folder / "__main__.py")
    return [str(folder), "-m", module] if carried else ["-m", module]


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a child at once; it holds nothing worth saving."""
    if process.poll() is None:
        process.kill()
    process.wait()


# What Python needs to start and to find its temporary folder; nothing that changes what it runs.
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "WINDIR", "USERPROFILE")
_FOR_NETWORK = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
_FOR_PIP = ("XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA")


def _environment(network: bool) -> dict[str, str]:
    kept = {*_KEPT, *_FOR_NETWORK, *_FOR_PIP} if network else set(_KEPT)
    return {
        name: value
        for name, value in os.environ.items()
        if name in kept or (network and (name.upper() in _FOR_NETWORK or name.startswith("PIP_")))
    }


def lowest_priority() -> None:
    """Let every other process go first."""
    if sys.platform == "win32":
        import ctypes

        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), 0x40)  # IDLE_PRIORITY_CLASS
    else:
        with contextlib.suppress(OSError):
            os.nice(19)
        # Where Linux schedules by session, a process in a session of its own gets as much as the editor's whole session,
        # however nice it is: the group has a niceness too.
        with contextlib.suppress(OSError):
            Path("/proc/self/autogroup").write_text("19", "ascii")


def limit_memory(size: int) -> None:
    """Let this process have `size` bytes of address space at most, where the system can keep it to that (Linux)."""
    if sys.platform == "linux":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        limit = size if hard == resource.RLIM_INFINITY else min(size, hard)
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def most_memory() -> int:
    """The most address space that this process has had, in bytes, where it can be limited (Linux); 0 elsewhere."""
    if sys.platform == "linux":
        for line in Path("/proc/self/status").read_text("ascii", "replace").splitlines():
            if line.startswith("VmPeak:"):
                return int(line.split()[1]) * 1024
    return 0


class Used(NamedTuple):
    """What a process used so far: CPU in seconds, and the most memory it had at once, in bytes; 0 where unknown."""

    cpu: float
    memory: int


def used(pid: int | None) -> Used:
    """What a running process used, where the system tells others (Linux)."""
    try:
        times = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        status = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
        most = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)
        return Used((int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK"), most * 1024)
    except (OSError, ValueError, IndexError, AttributeError):
        return Used(0.0, 0)


def why_ended(status: int | None) -> str:
    """Why a process ended, in words; "" where its status does not say."""
    if status in (-signal.SIGILL, 0xC000001D):
        return "it uses instructions that this processor does not have"
    if status == -9:
        return "it was killed from outside, as happens where memory is short"
    return ""


def free_memory() -> int | None:
    """How many bytes a new process could use before this machine (or container) is short; None if that is unknown."""
    try:
        facts = Path("/proc/meminfo").read_text("ascii")
        free = next(int(line.split()[1]) * 1024 for line in facts.splitlines() if line.startswith("MemAvailable:"))
    except (OSError, ValueError, StopIteration):
        return None
    with contextlib.suppress(OSError, ValueError):
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text("ascii"))
        free = min(free, limit - int(Path("/sys/fs/cgroup/memory.current").read_text("ascii")))
    return free
