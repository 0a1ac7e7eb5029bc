"""From a request to the documents that govern it, at a cost that does not grow with those that do not.

Theory. Every route of a document (a host pattern, a path template, methods) ends in a leaf of a trie of path
segments; there is one such trie for each host pattern. A request walks the trie of its exact host, those of the
wildcards above it (only as deep as patterns go) and the one for any host; in each it follows the literal and the
wildcard branch of every segment at once. What it finds are leaves, and leaves never change: so which documents that
makes, in which order, is worked out once for every set of leaves and remembered.

An index never changes either: `updated` shares with the old one every node that the changed documents do not reach.
Segments are compared decoded, templates and requests alike: `/admin/%5Bx%5D` meets `/admin/[x]`.
Nothing here knows what a document says.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

D = TypeVar("D")
A = TypeVar("A")
Change = Callable[[tuple["Match[D]", ...]], tuple["Match[D]", ...]]

ANY_HOST = ""
"""The host pattern of a route that names none."""

ANY_METHOD = ""
"""The method of a route that names none."""

REMEMBERED = 4096
"""Answers kept; a caller who makes up ever new combinations costs time, never memory."""


class PathTemplate(msgspec.Struct, frozen=True, kw_only=True):
    """A path template. `segments` are decoded, `None` takes any one; `open` lets none or more follow.

    `captures` are the named segments, as name and position.
    """

    segments: tuple[str | None, ...]
    open: bool = False
    captures: tuple[tuple[str, int], ...] = ()


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One way to reach a document. `host` is exact, `*.suffix` or `ANY_HOST`; no `methods` means every method."""

    host: str = ANY_HOST
    template: PathTemplate
    methods: tuple[str, ...] = ()


class Entry(msgspec.Struct, Generic[D], frozen=True, kw_only=True):
    """A document with its routes; documents are asked by `order`. The first route that matches gives the template."""

    order: tuple[int, str]
    document: D
    routes: tuple[Route, ...]


class Match(msgspec.Struct, Generic[D], frozen=True):
    """A document and the template by which a request reached it; `rank` is the entry's order and the route's place."""

    rank: tuple[tuple[int, str], int]
    document: D
    template: PathTemplate


class _Leaf(Generic[D]):
    """What is reached together; compared by identity, so that a set of leaves is a cheap key."""

    __slots__ = ("matches",)

    def __init__(self, matches: tuple[Match[D], ...]) -> None:
        self.matches = matches


class _Node(Generic[D]):
    """A place in a trie of path segments: the leaves, by method, of templates that end here, closed or open."""

    __slots__ = ("closed", "edit", "literal", "open", "wild")

    def __init__(self, edit: object, copied: _Node[D] | None = None) -> None:
        self.edit = edit
        self.literal: dict[str, _Node[D]] = dict(copied.literal) if copied else {}
        self.wild: _Node[D] | None = copied.wild if copied else None
        self.closed: dict[str, _Leaf[D]] = dict(copied.closed) if copied else {}
        self.open: dict[str, _Leaf[D]] = dict(copied.open) if copied else {}

    @property
    def empty(self) -> bool:
        return not (self.literal or self.wild or self.closed or self.open)


class Index(Generic[D, A]):
    """Finds what governs a request; `answer` turns its matches, in order, into what `find` returns."""

    def __init__(self, answer: Callable[[tuple[Match[D], ...]], A], entries: Iterable[Entry[D]] = ()) -> None:
        edit: _Edit[D] = _Edit({}, 0)
        for entry in entries:
            edit.add(entry)
        self._settle(answer, edit, {})

    def updated(
        self,
        answer: Callable[[tuple[Match[D], ...]], A],
        removed: Iterable[Entry[D]],
        added: Iterable[Entry[D]],
        *,
        keep: bool = False,
    ) -> Index[D, A]:
        """Return this index without some entries and with others; this one goes on answering as before.

        `keep` says that `answer` makes of the same matches what the one before made: then answers that the change does
        not touch are not made again.
        """
        edit = _Edit(self._hosts, self._depth)
        for entry in removed:
            edit.remove(entry)
        for entry in added:
            edit.add(entry)
        known = dict(self._answers) if keep else {}  # at once: whoever is asked meanwhile adds to them
        index: Index[D, A] = Index.__new__(Index)
        index._settle(answer, edit, {leaves: made for leaves, made in known.items() if edit.gone.isdisjoint(leaves)})
        return index

    def _settle(
        self, answer: Callable[[tuple[Match[D], ...]], A], edit: _Edit[D], known: dict[tuple[_Leaf[D], ...], A]
    ) -> None:
        self._answer = answer
        self._answers = known
        self._hosts = edit.hosts
        self._depth = edit.depth

    @property
    def answers(self) -> frozenset[A]:
        """Return the answers that were made and may be given again."""
        return frozenset(self._answers.copy().values())

    def find(self, host: str, segments: Sequence[str], method: str) -> A:
        """Return the answer for a lower-case host, decoded path segments and a method."""
        found: list[_Leaf[D]] = []
        hosts = self._hosts
        if (root := hosts.get(ANY_HOST)) is not None:
            _walk(root, segments, method, found)
        if (root := hosts.get(host)) is not None:
            _walk(root, segments, method, found)
        if self._depth:
            for root in self._above(host):
                _walk(root, segments, method, found)
        key = tuple(found)
        answer = self._answers.get(key)
        return self._remember(key) if answer is None else answer

    def _above(self, host: str) -> Iterator[_Node[D]]:
        """Yield the tries of the wildcards that take one or more labels of a host."""
        end = len(host)
        for _ in range(self._depth):
            if (end := host.rfind(".", 1, end)) < 0:
                return
            if (root := self._hosts.get("*" + host[end:])) is not None:
                yield root

    def _remember(self, leaves: tuple[_Leaf[D], ...]) -> A:
        first: dict[tuple[int, str], Match[D]] = {}
        for match in sorted((match for leaf in leaves for match in leaf.matches), key=lambda match: match.rank):
            first.setdefault(match.rank[0], match)
        if len(self._answers) >= REMEMBERED:
            self._answers.clear()
        answer = self._answers[leaves] = self._answer(tuple(first.values()))
        return answer


class _Edit(Generic[D]):
    """One change of the tries: a node is copied when first touched, and dropped when nothing is left in it.

    `gone` are the leaves that no request reaches any more.
    """

    def __init__(self, hosts: dict[str, _Node[D]], depth: int) -> None:
        self.gone: set[_Leaf[D]] = set()
        self.hosts = dict(hosts)
        self.depth = depth

    def add(self, entry: Entry[D]) -> None:
        for place, route in enumerate(entry.routes):
            match = Match((entry.order, place), entry.document, route.template)
            self._change(route, partial(_with, match))
            if route.host.startswith("*."):
                self.depth = max(self.depth, route.host.count("."))

    def remove(self, entry: Entry[D]) -> None:
        for route in entry.routes:
            self._change(route, partial(_without, entry))

    def _change(self, route: Route, change: Change[D]) -> None:
        root = self._node(self.hosts.get(route.host), route, 0, change)
        if root is not None:
            self.hosts[route.host] = root
        else:
            self.hosts.pop(route.host, None)

    def _node(self, node: _Node[D] | None, route: Route, depth: int, change: Change[D]) -> _Node[D] | None:
        if node is None or node.edit is not self:
            node = _Node(self, node)
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

    def _leaves(self, leaves: dict[str, _Leaf[D]], methods: Iterable[str], change: Change[D]) -> None:
        for method in methods:
            leaf = leaves.get(method)
            if leaf is not None:
                self.gone.add(leaf)
            if matches := change(() if leaf is None else leaf.matches):
                leaves[method] = _Leaf(matches)
            else:
                leaves.pop(method, None)


def _with(match: Match[D], matches: tuple[Match[D], ...]) -> tuple[Match[D], ...]:
    return (*matches, match)


def _without(entry: Entry[D], matches: tuple[Match[D], ...]) -> tuple[Match[D], ...]:
    return tuple(match for match in matches if match.rank[0] != entry.order)


def _walk(root: _Node[D], segments: Sequence[str], method: str, found: list[_Leaf[D]]) -> None:
    """Collect the leaves of every template that takes these segments."""
    nodes = [root]
    for segment in segments:
        reached: list[_Node[D]] = []
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


def _gather(leaves: dict[str, _Leaf[D]], method: str, found: list[_Leaf[D]]) -> None:
    if (leaf := leaves.get(method)) is not None:
        found.append(leaf)
    if (leaf := leaves.get(ANY_METHOD)) is not None:
        found.append(leaf)
