"""How much of a value is looked at again to tell what is wrong with it.

Whether a value fits its schema is found in an instant. What is wrong with it takes the engine ten thousand times as
long: it gathers every fault before it tells the first, below alternatives those of each, and where a schema recurs
through alternatives, their number to the power of the depth. A caller would choose how long everybody else waits. So a
part of the value is looked at, as small as the schema demands, and nothing is told of what lost anything. Pure.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from authz.content.circles import reaching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

Path = tuple[str | int, ...]

LOOKS = 256
"""How often schemas may be held against values, in all: a few milliseconds where every one is a fault."""

DEEPEST = 64

_ALTERNATIVES = ("anyOf", "oneOf", "allOf")
_CONDITIONS = ("if", "then", "else", "not")


class Fault(Protocol):
    """A fault that the engine found."""

    @property
    def instance_path(self) -> Sequence[str | int]:
        """Where in the value."""


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """How many values are looked at, and how many levels of them."""

    values: int
    levels: int


def reaches(documents: Mapping[str, object]) -> Callable[[object], Reach]:
    """Return what says how much of a value may be looked at for a schema of the document `""`; it may refer to all."""
    return partial(_reach, reaching(documents))


def _reach(find: Callable[[dict[str, Any]], tuple[list[dict[str, Any]], bool]], start: object) -> Reach:
    if not isinstance(start, dict):
        return Reach(values=LOOKS, levels=DEEPEST)
    schemas, recurs = find(start)
    counts = [_alternatives(each) for each in schemas]
    ways, looks = 1 + max(counts), 1 + sum(counts)
    if not recurs or ways == 1:
        return Reach(values=max(1, LOOKS // looks), levels=DEEPEST)
    levels = 1
    while ways ** (levels + 1) <= LOOKS // 8:
        levels += 1
    return Reach(values=max(8, LOOKS // ways**levels), levels=levels)


def _alternatives(schema: dict[str, object]) -> int:
    several = sum(len(found) for word in _ALTERNATIVES if isinstance(found := schema.get(word), list))
    return several + sum(word in schema for word in _CONDITIONS)


class Part:
    """A part of a value within a reach: its `value`, and which faults of that are faults of the whole."""

    def __init__(self, value: object, reach: Reach) -> None:
        self._left = reach.values
        self._levels = reach.levels
        self._cut_at: set[Path] = set()
        self.value = self._cut(value, ())

    def tells(self, fault: Fault) -> bool:
        """Say whether a fault is of something that is whole: a list that was cut may be too short for that alone."""
        return tuple(fault.instance_path) not in self._cut_at

    def _cut(self, value: object, place: Path) -> object:
        self._left -= 1
        if isinstance(value, dict):
            return dict(self._some(value.items(), place))
        if isinstance(value, list):
            return [each for _, each in self._some(enumerate(value), place)]
        return value

    def _some(self, items: Iterable[tuple[str | int, object]], place: Path) -> Iterator[tuple[str | int, object]]:
        for key, each in items:
            if self._left <= 0 or len(place) >= self._levels:
                self._cut_at.update(place[:end] for end in range(len(place) + 1))
                return
            yield key, self._cut(each, (*place, key))
