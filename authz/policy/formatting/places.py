"""Where the nodes of a text begin and end, in lines; all lines count from 0."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache
from typing import TYPE_CHECKING

from authz.policy.source import Mapping, Scalar, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz.policy.source import Node

CONDITIONS = frozenset({"allow", "deny", "when", "cost", "key"})
"""Keys whose values are CEL."""

_COMMENT = re.compile(r"[ \t]*(#.*)?")
_BEFORE_QUOTE = frozenset("[{,:")


def is_flow(node: Node) -> bool:
    """Tell whether a mapping or a list is written in brackets."""
    return not isinstance(node, Scalar) and node.source.text[node.start] in "[{"


@lru_cache(maxsize=2)
def _starts(text: str) -> tuple[int, ...]:
    """Return where the lines of a text begin; those of a long one are asked for again and again."""
    return (0, *(found.end() for found in re.finditer("\n", text)))


def line_of(text: str, offset: int) -> int:
    """Return the line of an offset."""
    return bisect_right(_starts(text), offset) - 1


def column_of(text: str, offset: int) -> int:
    """Return the column of an offset, from 0."""
    return offset - text.rfind("\n", 0, offset) - 1


def is_remark(line: str) -> bool:
    """Tell whether a line is blank or a comment."""
    return _COMMENT.fullmatch(line) is not None


def end(node: Node) -> int:
    """Return the offset behind the last character of a node."""
    if isinstance(node, Scalar):
        return node.start + len(node.raw.rstrip())
    if is_flow(node):
        return _closed(node.source.text, node.start)
    children: list[Node] = list(node.values() if isinstance(node, Mapping) else node)
    last = children[-1]
    empty = isinstance(last, Scalar) and last.start == last.end
    return max(end(last), *(key.end for key in node.written())) if isinstance(node, Mapping) and empty else end(last)


def _closed(text: str, start: int) -> int:
    """Return the offset behind the bracket that closes the one at `start`."""
    depth, place, before = 0, start, ""
    while place < len(text):
        character = text[place]
        if character in "\"'" and before in _BEFORE_QUOTE:
            place = _unquoted(text, place)
        elif character == "#" and text[place - 1] in " \t\n":
            place = text.find("\n", place)
        depth += (character in "[{") - (character in "]}")
        if depth == 0:
            return place + 1
        before = before if character.isspace() else character
        place += 1
    return len(text)


def _unquoted(text: str, start: int) -> int:
    """Return the offset of the quote that closes the one at `start`."""
    pattern = r'"(?:\\.|[^"\\])*"' if text[start] == '"' else r"'(?:''|[^'])*'"
    found = re.compile(pattern, re.DOTALL).match(text, start)
    return found.end() - 1 if found else start


def scalars(node: Node, key: str = "", *, flow: bool = False) -> Iterator[tuple[Scalar, str, bool]]:
    """Yield every value that is a scalar, with the key it belongs to and whether it stands in brackets.

    The key of a variable is `when`, for it is CEL too.
    """
    if isinstance(node, Scalar):
        yield node, key, flow
        return
    flow = flow or is_flow(node)
    if isinstance(node, Sequence):
        for item in node:
            yield from scalars(item, key, flow=flow)
        return
    for name, value in node.items():
        yield from scalars(value, "when" if key == "variables" else name, flow=flow)
