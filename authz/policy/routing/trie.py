"""A trie of path segments, and the way through it; who changes one is `editing`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from authz.policy.routing.entries import ANY_METHOD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authz.policy.routing.entries import Match

D = TypeVar("D")


class Leaf(Generic[D]):
    """What is reached together; compared by identity, so that a set of leaves is a cheap key."""

    __slots__ = ("matches",)

    def __init__(self, matches: tuple[Match[D], ...]) -> None:
        self.matches = matches


class Node(Generic[D]):
    """A place in a trie of path segments: the leaves, by method, of templates that end here, closed or open."""

    __slots__ = ("closed", "edit", "literal", "open", "wild")

    def __init__(self, edit: object, copied: Node[D] | None = None) -> None:
        self.edit = edit
        self.literal: dict[str, Node[D]] = dict(copied.literal) if copied else {}
        self.wild: Node[D] | None = copied.wild if copied else None
        self.closed: dict[str, Leaf[D]] = dict(copied.closed) if copied else {}
        self.open: dict[str, Leaf[D]] = dict(copied.open) if copied else {}

    @property
    def empty(self) -> bool:
        """Whether nothing is left here or below."""
        return not (self.literal or self.wild or self.closed or self.open)


def walk(root: Node[D], segments: Sequence[str], method: str, found: list[Leaf[D]]) -> None:
    """Collect the leaves of every template that takes these segments."""
    nodes = [root]
    for segment in segments:
        reached: list[Node[D]] = []
        for node in nodes:
            if node.open:
                _gather(node.open, method, found)
            if (child := node.literal.get(segment)) is not None:
                reached.append(child)
            if (child := node.wild) is not None:
                reached.append(child)
        if not reached:
            return
        nodes = reached
    for node in nodes:
        if node.open:
            _gather(node.open, method, found)
        if node.closed:
            _gather(node.closed, method, found)


def _gather(leaves: dict[str, Leaf[D]], method: str, found: list[Leaf[D]]) -> None:
    if (leaf := leaves.get(method)) is not None:
        found.append(leaf)
    if (leaf := leaves.get(ANY_METHOD)) is not None:
        found.append(leaf)
