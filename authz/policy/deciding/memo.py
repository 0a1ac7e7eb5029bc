"""Decisions that need not be made twice.

A decision is a function of the values that its plan reads, and of nothing else: rules, data and variables are the
plan's own, and there is no clock and no chance in them. Callers ask the same again and again. So a plan whose reads
are few short texts keeps its decisions by these values, until new policies bring new plans. Of data with entries that
end, the value is the two ends that the request falls between.

What is kept is exact or not kept at all. Values are compared as texts and whole numbers of one type per place, because
`1`, `1.0` and `true` are three values to a rule and one to a dict. A plan that reads the time, a body, a whole map or
Envoy's metadata keeps nothing, nor does a request that is read in two ways or has headers that are no text. A plan that
is hardly ever asked the same stops looking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.policy.pauses import drained, drop_oldest

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from authz.model import Decision
    from authz.policy.facts import Facts

    Values = tuple[object, ...]
    Reader = Callable[[Facts, Sequence[str]], object]

MOST = 8192
"""Decisions kept for one set of policies; with one more, the oldest are forgotten."""

LONGEST = 256
"""Characters of a text that may be kept: what callers send must not fill the memory."""

LARGEST = 2048
"""Characters of all texts of one decision together, for the same reason; a path can have a thousand segments."""

WIDEST = 4
"""Times as much that a text with any character beyond ASCII may take as one without."""

TRIAL = 4096
"""Requests after which a plan that found fewer than one in four of its decisions kept stops looking."""


class Unfit(Exception):
    """A value that can't be compared as what it is to a rule."""


class Remembered:
    """The decisions of one set of policies, by plan and values."""

    __slots__ = ("_decisions",)

    def __init__(self) -> None:
        self._decisions: dict[tuple[Hashable, Values], Decision] = {}

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._decisions)

    def get(self, plan: Hashable, values: Values) -> Decision | None:
        """Return what a plan decided for these values."""
        return self._decisions.get((plan, values))

    def forget(self, gone: Callable[[Hashable], bool], pause: Callable[[], None]) -> None:
        """Forget the decisions of plans that are gone, and so the plans; somebody may go on keeping meanwhile."""
        for key in drained(list(self._decisions), pause):
            if gone(key[0]):
                self._decisions.pop(key, None)

    def keep(self, plan: Hashable, values: Values, decision: Decision) -> None:
        """Keep a decision, unless it is for values too long to keep."""
        if len(self._decisions) >= MOST:
            drop_oldest(self._decisions)
        if _size(values) <= LARGEST:
            self._decisions[plan, values] = decision


class Memo:
    """What one plan's decisions follow from, and whether looking for them pays.

    It does not hold the plan that holds it: a plan that is gone would wait for the garbage collector, and requests
    would wait while that looks for it.
    """

    __slots__ = ("_found", "_kept", "_looked", "_readers")

    def __init__(self, readers: Sequence[Reader], kept: Remembered) -> None:
        self._readers = tuple(readers)
        self._kept = kept
        self._looked = 0
        self._found = 0

    @property
    def pays(self) -> bool:
        """Whether decisions have been found often enough to go on looking."""
        return self._looked < TRIAL or self._found * 4 >= self._looked

    def values(self, facts: Facts, segments: Sequence[str]) -> Values | None:
        """Return what the decision for these facts follows from; `None` where that can't be said in a few texts."""
        request = facts.request
        if request.ambiguities or request.invalid_headers:
            return None
        try:
            return tuple([read(facts, segments) for read in self._readers])
        except Unfit:
            return None

    def find(self, plan: Hashable, values: Values) -> Decision | None:
        """Return the decision that the plan made for these values."""
        decision = self._kept.get(plan, values)
        self._looked += 1
        self._found += decision is not None
        return decision

    def keep(self, plan: Hashable, values: Values, decision: Decision) -> None:
        """Keep the decision that the plan made for these values."""
        self._kept.keep(plan, values, decision)


def _size(value: object) -> int:
    """Return how much it takes to keep a value: its characters, more than may be kept for a text that is too long."""
    if isinstance(value, str):
        size = len(value) if value.isascii() else len(value) * WIDEST
        return size if size <= LONGEST else LARGEST + 1
    return sum(map(_size, value)) + len(value) if isinstance(value, tuple) else 1
