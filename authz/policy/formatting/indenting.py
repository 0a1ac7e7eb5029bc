"""Two blanks for each level, lists one level deeper than their key; what is broken over lines moves with its first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.policy.formatting.places import column_of, end, is_flow, is_remark, line_of
from authz.policy.source import Mapping, Scalar
from authz.policy.source import Sequence as List

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authz.policy.source import Node

STEP = 2


def indented(text: str, documents: Sequence[Node]) -> str:
    """Return a text with every line where its place in the document is."""
    layout = _Layout(text)
    for document in documents:
        layout.place(document, 0)
    return layout.written()


class _Layout:
    """The lines of one text, and where they are to begin."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = text.split("\n")
        self._begins: dict[int, int] = {}
        self._heads: dict[int, tuple[int, int]] = {}
        self._inside: set[int] = set()

    def place(self, node: Node, column: int) -> None:
        """Give a node and all below it a column."""
        if isinstance(node, Scalar) or is_flow(node):
            first, last = line_of(self._text, node.start), line_of(self._text, end(node))
            self._inside.update(range(first + 1, last + 1))
        elif isinstance(node, Mapping):
            for key in node.written():
                self._begin(key.start, column)
                value = node[key]
                self.place(value, column + STEP)
        else:
            self._items(node, column)

    def _items(self, node: List, column: int) -> None:
        for item in node:
            self._begin(item.start, column + STEP, dashed=True)
            self.place(item, column + STEP)

    def _begin(self, offset: int, column: int, *, dashed: bool = False) -> None:
        """Note where the line begins that a key or an item is the first of."""
        line = line_of(self._text, offset)
        head = self._lines[line][: column_of(self._text, offset)]
        if head.replace("-", " ").strip():
            return
        column -= STEP * head.count("-") if dashed or "-" in head else 0
        if line not in self._begins:
            self._begins[line] = max(column, 0)
            self._heads[line] = (len(head), head.count("-"))
        elif len(head) > self._heads[line][0]:
            self._heads[line] = (len(head), head.count("-"))

    def written(self) -> str:
        """Return the text with every line where it is to begin."""
        made: list[str] = []
        shift = 0
        for number, line in enumerate(self._lines):
            if number in self._begins:
                length, dashes = self._heads[number]
                column = self._begins[number]
                shift = column + STEP * dashes - length
                made.append(" " * column + "- " * dashes + line[length:])
            elif line.startswith("---"):
                shift = 0
                made.append(line)
            elif number not in self._inside and is_remark(line):
                made.append(" " * self._remark(number) + line.strip() if line.strip() else "")
            else:
                made.append(_shifted(line, shift))
        return "\n".join(made)

    def _remark(self, number: int) -> int:
        """Return where a comment begins: with what is below it, as far as it was not further out."""
        below = next((line for line in range(number + 1, len(self._lines)) if line in self._begins), None)
        own = len(self._lines[number]) - len(self._lines[number].lstrip())
        if below is not None and not any(line.startswith("---") for line in self._lines[number:below]):
            written = len(self._lines[below]) - len(self._lines[below].lstrip())
            if own <= written:
                return self._begins[below]
        above = next((line for line in range(number, -1, -1) if line in self._begins), None)
        if above is None or own == 0:
            return 0
        return max(0, own + self._begins[above] - (len(self._lines[above]) - len(self._lines[above].lstrip())))


def _shifted(line: str, shift: int) -> str:
    indent = len(line) - len(line.lstrip(" "))
    return " " * max(0, indent + shift) + line[indent:] if line.strip() else line
