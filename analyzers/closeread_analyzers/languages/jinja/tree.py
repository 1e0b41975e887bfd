"""What stands for a syntax tree here: the comments, which are all that anybody asks a template's tree for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

Spans = list[tuple[int, int]]


class Node(NamedTuple):
    """A comment, or the whole file."""

    type: str
    start_byte: int
    end_byte: int


class Root:
    """The whole file. Its comments are looked for when somebody asks."""

    def __init__(self, find: Callable[[], Spans], end: int) -> None:
        self.type = "template"
        self.end_byte = end
        self._find = find

    @cached_property
    def comments(self) -> Spans:
        """Where each comment starts and ends."""
        return self._find()

    def descendant_for_byte_range(self, start: int, end: int) -> Node:
        """The comment around these bytes, or the whole file."""
        for first, last in self.comments:
            if first <= start and end <= last:
                return Node("comment", first, last)
        return Node(self.type, 0, self.end_byte)


class Tree:
    """Satisfies `languages.Tree`. It is made anew after each edit: scanning is quicker than keeping it right."""

    def __init__(self, root: Root) -> None:
        self.root_node = root

    def edit(
        self,
        start_byte: int,
        old_end_byte: int,
        new_end_byte: int,
        start_point: tuple[int, int],
        old_end_point: tuple[int, int],
        new_end_point: tuple[int, int],
    ) -> None:
        """Nothing is kept, so there is nothing to move."""
