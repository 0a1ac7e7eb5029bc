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

from typing import TYPE_CHECKING, Generic, TypeVar

from authz.policy.pauses import drained, drop_oldest
from authz.policy.routing.editing import Edit
from authz.policy.routing.entries import ANY_HOST
from authz.policy.routing.trie import walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from authz.policy.routing.entries import Entry, Match
    from authz.policy.routing.trie import Leaf, Node

D = TypeVar("D")
A = TypeVar("A")

REMEMBERED = 4096
"""Answers kept; a caller who makes up ever new combinations costs time, never memory."""


class Index(Generic[D, A]):
    """Finds what governs a request; `answer` turns its matches, in order, into what `find` returns."""

    def __init__(
        self,
        answer: Callable[[tuple[Match[D], ...]], A],
        entries: Iterable[Entry[D]] = (),
        *,
        edit: Edit[D] | None = None,
        known: dict[tuple[Leaf[D], ...], A] | None = None,
    ) -> None:
        """Index `entries` on top of an edit of another index, whose answers may be `known`."""
        edit = edit or Edit({}, 0)
        for entry in entries:
            edit.add(entry)
        self._answer = answer
        self._answers = known or {}
        self._hosts = edit.hosts
        self._depth = edit.depth

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
        edit = Edit(self._hosts, self._depth)
        for entry in removed:
            edit.remove(entry)
        for entry in added:
            edit.add(entry)
        known = dict(self._answers) if keep else {}  # at once: whoever is asked meanwhile adds to them
        kept = {leaves: made for leaves, made in known.items() if edit.gone.isdisjoint(leaves)}
        return Index(answer, edit=edit, known=kept)

    @property
    def answers(self) -> frozenset[A]:
        """Return the answers that were made and may be given again."""
        return frozenset(self._answers.copy().values())

    def forget(self, pause: Callable[[], None]) -> None:
        """Forget, with pauses, the answers that were made; whoever asks gets them made anew."""
        for leaves in drained(list(self._answers), pause):
            self._answers.pop(leaves, None)

    def find(self, host: str, segments: Sequence[str], method: str) -> A:
        """Return the answer for a lower-case host, decoded path segments and a method."""
        found: list[Leaf[D]] = []
        hosts = self._hosts
        if (root := hosts.get(ANY_HOST)) is not None:
            walk(root, segments, method, found)
        if (root := hosts.get(host)) is not None:
            walk(root, segments, method, found)
        if self._depth:
            for root in self._above(host):
                walk(root, segments, method, found)
        key = tuple(found)
        answer = self._answers.get(key)
        return self._remember(key) if answer is None else answer

    def _above(self, host: str) -> Iterator[Node[D]]:
        """Yield the tries of the wildcards that take one or more labels of a host."""
        end = len(host)
        for _ in range(self._depth):
            if (end := host.rfind(".", 1, end)) < 0:
                return
            if (root := self._hosts.get("*" + host[end:])) is not None:
                yield root

    def _remember(self, leaves: tuple[Leaf[D], ...]) -> A:
        first: dict[tuple[int, str], Match[D]] = {}
        for match in sorted((match for leaf in leaves for match in leaf.matches), key=lambda match: match.rank):
            first.setdefault(match.rank[0], match)
        if len(self._answers) >= REMEMBERED:
            drop_oldest(self._answers)
        answer = self._answers[leaves] = self._answer(tuple(first.values()))
        return answer
