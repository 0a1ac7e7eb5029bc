"""How two sets of policies disagree: counted by what the disagreements have in common, in bounded memory.

Of a request only its place is remembered, as a record would have it: never a header, a query or a body.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

import msgspec

from authz.audit.text import cut
from authz.server.comparing import Comparison, Said
from authz.server.ending import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authz.model import Outcome

MOST_GROUPS = 1000
"""Ways to disagree that are counted apart; a disagreement of one more is only in the numbers and the records."""

EXAMPLES = 3
"""Requests of a group that are remembered: the latest."""

MOST_SHOWN = 100


class Group(msgspec.Struct, frozen=True):
    """Disagreements of one kind: on one route, by the same rules on both sides."""

    outcome: Comparison
    route: str
    method: str
    live: Said
    candidate: Said


class Members(msgspec.Struct):
    """How many there are in a group, and the latest of them."""

    examples: deque[Mapping[str, str]]
    count: int = 0


class Table:
    """Disagreements, counted by what they have in common, in bounded memory."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._groups: dict[Group, Members] = {}
        self._since = clock()
        self._others = 0

    def add(self, comparison: Comparison, outcome: Outcome, live: Said, candidate: Said) -> None:
        """Count one more."""
        request = outcome.request
        assert request is not None  # noqa: S101 - there is nothing to compare without one
        route = cut(request.extensions.get("route", ""))
        group = Group(comparison, route, cut(request.method), live, candidate)
        members = self._groups.get(group)
        if members is None:
            if len(self._groups) >= MOST_GROUPS:
                self._others += 1
                return
            members = self._groups[group] = Members(deque(maxlen=EXAMPLES))
        members.count += 1
        members.examples.append({
            "id": outcome.id, "time": moment(outcome.started), "host": cut(request.host), "path": cut(request.path)
        })  # fmt: skip

    def shown(self) -> dict[str, object]:
        """Return the groups, the largest first; `others` counts what was too various to keep apart."""
        ordered = sorted(self._groups.items(), key=lambda entry: entry[1].count, reverse=True)
        groups = [
            {**msgspec.structs.asdict(group), "count": members.count, "examples": list(members.examples)[::-1]}
            for group, members in ordered[:MOST_SHOWN]
        ]
        return {"since": moment(self._since), "groups": groups, "others": self._others}
