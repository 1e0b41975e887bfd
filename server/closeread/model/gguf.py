"""What a GGUF file says of itself: architecture, context, size of its tensors. Read without loading the model.

The format is ggml's (docs/gguf.md in its repository): a magic word, a version, key-value pairs, then name, shape, type
and place of every tensor, then their data. A file may be anybody's, so every length is checked against the file's before
it is used. Deliberately absent: the weights.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_MOST_PAIRS = 10_000
_MOST_TENSORS = 100_000
_LONGEST_TEXT = 1 << 20
_MOST_ITEMS = 4_000_000

# The value types of a pair by number: struct's letter for numbers.
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_TEXT, _ARRAY = 8, 9

# Of ggml's tensor types: how many elements share a block, and how many bytes a block has.
_BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292),
    16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82),
    23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2),
    34: (256, 54), 35: (256, 66), 39: (32, 17),
}  # fmt: skip

# llama.cpp's names for what most tensors are quantised to (`general.file_type`).
_FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S", 12: "Q3_K_M",
    13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 32: "BF16",
}  # fmt: skip


class NotAModel(ValueError):
    """The file cannot be used; the message says why, without the file's name."""


@dataclass(frozen=True, slots=True)
class Header:
    """What matters of a model's file. `size` and `context` are in bytes and tokens; 0 where the file does not say."""

    size: int
    architecture: str
    name: str
    quantisation: str
    parameters: int
    context: int
    layers: int
    width: int
    """The size of an embedding."""
    heads: int
    heads_kv: int
    vocabulary: int

    def memory(self, context: int) -> int:
        """About how many bytes a process with this model and room for `context` tokens needs.

        The file's own size, 16-bit keys and values for every token and layer, and a round sum for what llama.cpp and
        Python need to compute; measured figures are in the README.
        """
        head = self.width // self.heads if self.heads else 0
        cache = 2 * 2 * self.layers * head * self.heads_kv * context
        return self.size + cache + 4 * 512 * self.vocabulary + 150_000_000


def read(path: Path) -> Header:
    """The header of a model's file. Raises `NotAModel` for anything but a whole one, and OSError."""
    size = path.stat().st_size
    with path.open("rb") as file:
        return _Reader(file, size).header()


class _Reader:
    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file = file
        self.size = size

    def header(self) -> Header:
        start = self.file.read(4)
        if start != _MAGIC:
            what = "is empty" if not start else f"begins with {start!r}"
            raise NotAModel(f"it is no GGUF file: it {what}, and not with {_MAGIC!r}")
        version = self.number("I")
        if version not in _VERSIONS:
            raise NotAModel(f"its GGUF version is {version}, and only versions 2 and 3 can be read")
        tensors, pairs = self.number("Q"), self.number("Q")
        if tensors > _MOST_TENSORS or pairs > _MOST_PAIRS:
            raise NotAModel(f"its header is damaged: {tensors:,} tensors and {pairs:,} settings")
        facts = dict(self.pair() for _ in range(pairs))
        parameters, end = self.tensors(tensors, facts.get("general.alignment", 32))
        if end > self.size:
            raise NotAModel(f"it is cut off: {self.size:,} bytes of {end:,} are there")
        return self.facts(facts, parameters)

    def facts(self, facts: dict[str, Any], parameters: int) -> Header:
        architecture = facts.get("general.architecture", "")
        if not isinstance(architecture, str) or "tokenizer.ggml.model" not in facts:
            raise NotAModel("it is a GGUF file without a tokenizer, and so no language model")

        def count(key: str) -> int:
            value = facts.get(f"{architecture}.{key}", 0)
            return value if isinstance(value, int) else 0

        heads = count("attention.head_count")
        return Header(
            size=self.size,
            architecture=architecture,
            name=str(facts.get("general.name", "")),
            quantisation=_FILE_TYPES.get(facts.get("general.file_type", -1), "mixed"),
            parameters=parameters,
            context=count("context_length"),
            layers=count("block_count"),
            width=count("embedding_length"),
            heads=heads,
            heads_kv=count("attention.head_count_kv") or heads,
            vocabulary=facts.get("tokenizer.ggml.tokens", 0),
        )

    def pair(self) -> tuple[str, Any]:
        key = self.text()
        return key, self.value(self.number("I"))

    def value(self, kind: int) -> Any:
        """A value; of an array, only how many items it has."""
        if kind in _NUMBERS:
            return self.number(_NUMBERS[kind])
        if kind == _TEXT:
            return self.text()
        if kind != _ARRAY:
            raise NotAModel(f"its header is damaged: there is no type {kind}")
        inner, length = self.number("I"), self.number("Q")
        if length > _MOST_ITEMS:
            raise NotAModel(f"its header is damaged: a list of {length:,} items")
        if inner in _NUMBERS:
            self.take(length * struct.calcsize(f"<{_NUMBERS[inner]}"))
        elif inner == _TEXT:
            for _ in range(length):
                self.text()
        else:
            raise NotAModel("its header is damaged: lists inside a list")
        return length

    def tensors(self, count: int, alignment: Any) -> tuple[int, int]:
        """How many numbers all tensors hold together, and where in the file the last of them ends."""
        elements = end = 0
        for _ in range(count):
            self.text()
            dimensions = self.number("I")
            if dimensions > 8:
                raise NotAModel(f"its header is damaged: a tensor of {dimensions} dimensions")
            size = 1
            for _ in range(dimensions):
                size *= self.number("Q")
            kind, offset = self.number("I"), self.number("Q")
            per_block, of_bytes = _BLOCKS.get(kind, (1, 0))
            elements += size
            end = max(end, offset + size // per_block * of_bytes)
        if not isinstance(alignment, int) or not 0 < alignment <= 1 << 20:
            raise NotAModel("its header is damaged: no such alignment")
        start = -(-self.file.tell() // alignment) * alignment
        return elements, start + end

    def number(self, letter: str) -> Any:
        (value,) = struct.unpack(f"<{letter}", self.take(struct.calcsize(f"<{letter}")))
        return value

    def text(self) -> str:
        length = self.number("Q")
        if length > _LONGEST_TEXT:
            raise NotAModel(f"its header is damaged: a text of {length:,} bytes")
        return self.take(length).decode("utf-8", "replace")

    def take(self, length: int) -> bytes:
        data = self.file.read(length) if length <= self.size else b""
        if len(data) != length:
            raise NotAModel(f"it is cut off inside its header, after {self.size:,} bytes")
        return data
