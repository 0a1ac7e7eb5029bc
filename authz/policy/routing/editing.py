"""How the tries of an index change without changing: what a change reaches is copied, the rest is shared."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from authz.policy.routing.entries import ANY_METHOD, Match
from authz.policy.routing.trie import Leaf, Node

if TYPE_CHECKING:
    from collections.abc import Iterable

    from authz.policy.routing.entries import Entry, Route

D = TypeVar("D")
Change = Callable[[tuple["Match[D]", ...]], tuple["Match[D]", ...]]


class Edit(Generic[D]):
    """One change of the tries: a node is copied when first touched, and dropped when nothing is left in it.

    `gone` are the leaves that no request reaches any more.
    """

    def __init__(self, hosts: dict[str, Node[D]], depth: int) -> None:
        self.gone: set[Leaf[D]] = set()
        self._mark = object()  # in nodes it stands for the edit, which holds them: none is to wait for the collector
        self.hosts = dict(hosts)
        self.depth = depth

    def add(self, entry: Entry[D]) -> None:
        """Let a document be reached by its routes."""
        for place, route in enumerate(entry.routes):
            match = Match((entry.order, place), entry.document, route.template)
            self._change(route, partial(_with, match))
            if route.host.startswith("*."):
                self.depth = max(self.depth, route.host.count("."))

    def remove(self, entry: Entry[D]) -> None:
        """Let a document be reached no more."""
        for route in entry.routes:
            self._change(route, partial(_without, entry))

    def _change(self, route: Route, change: Change[D]) -> None:
        root = self._node(self.hosts.get(route.host), route, 0, change)
        if root is not None:
            self.hosts[route.host] = root
        else:
            self.hosts.pop(route.host, None)

    def _node(self, node: Node[D] | None, route: Route, depth: int, change: Change[D]) -> Node[D] | None:
        if node is None or node.edit is not self._mark:
            node = Node(self._mark, node)
        segments = route.template.segments
        if depth == len(segments):
            self._leaves(node.open if route.template.open else node.closed, route.methods or (ANY_METHOD,), change)
        elif (segment := segments[depth]) is None:
            node.wild = self._node(node.wild, route, depth + 1, change)
        elif (child := self._node(node.literal.get(segment), route, depth + 1, change)) is not None:
            node.literal[segment] = child
        else:
            node.literal.pop(segment, None)
        return None if node.empty else node

    def _leaves(self, leaves: dict[str, Leaf[D]], methods: Iterable[str], change: Change[D]) -> None:
        for method in methods:
            leaf = leaves.get(method)
            if leaf is not None:
                self.gone.add(leaf)
            if matches := change(() if leaf is None else leaf.matches):
                leaves[method] = Leaf(matches)
            else:
                leaves.pop(method, None)


def _with(match: Match[D], matches: tuple[Match[D], ...]) -> tuple[Match[D], ...]:
    return (*matches, match)


def _without(entry: Entry[D], matches: tuple[Match[D], ...]) -> tuple[Match[D], ...]:
    return tuple(match for match in matches if match.rank[0] != entry.order)
