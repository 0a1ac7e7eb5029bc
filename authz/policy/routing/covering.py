"""Whether one route takes every request that another takes, or some of them.

Both are asked of patterns alone, no request is looked at: hosts (`*.` takes one or more labels), templates of decoded
segments, methods. Two routes together may cover a third that neither covers alone; that is not found here, so what is
said to be covered is, and what is not may be all the same.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import takewhile
from typing import TYPE_CHECKING, Generic, TypeVar

from authz.policy.routing.entries import ANY_HOST

if TYPE_CHECKING:
    from collections.abc import Iterable

    from authz.policy.routing.entries import PathTemplate, Route

T = TypeVar("T")

Prefix = tuple[str, ...]


class Neighbours(Generic[T]):
    """Things that have routes, found by a route that may meet theirs; paths that begin otherwise are left out."""

    def __init__(self, placed: Iterable[tuple[T, Iterable[Route]]]) -> None:
        self._things: list[T] = []
        self._at: defaultdict[Prefix, set[int]] = defaultdict(set)
        self._below: defaultdict[Prefix, set[int]] = defaultdict(set)
        for place, (thing, routes) in enumerate(placed):
            self._things.append(thing)
            for prefix in {_written_out(route.template) for route in routes}:
                self._at[prefix].add(place)
                for length in range(len(prefix)):
                    self._below[prefix[:length]].add(place)

    def of(self, route: Route) -> list[T]:
        """Return the things of which a route may meet this one, in their order."""
        prefix, template = _written_out(route.template), route.template
        found = set().union(*(self._at.get(prefix[:length], ()) for length in range(len(prefix) + 1)))
        if template.open or len(prefix) < len(template.segments):
            found |= self._below.get(prefix, set())
        return [self._things[place] for place in sorted(found)]


def _written_out(template: PathTemplate) -> Prefix:
    """Return the segments up to the first that takes any."""
    return tuple(takewhile(lambda segment: segment is not None, template.segments))  # type: ignore[arg-type]


def covers(one: Route, other: Route) -> bool:
    """Return whether a route takes every request that another takes."""
    methods = not one.methods or (bool(other.methods) and set(other.methods) <= set(one.methods))
    return methods and _host_covers(one.host, other.host) and path_covers(one.template, other.template)


def meets(one: Route, other: Route) -> bool:
    """Return whether some request could be taken by both."""
    methods = not one.methods or not other.methods or not set(one.methods).isdisjoint(other.methods)
    hosts = _host_covers(one.host, other.host) or _host_covers(other.host, one.host)
    return methods and hosts and path_meets(one.template, other.template)


def path_covers(one: PathTemplate, other: PathTemplate) -> bool:
    """Return whether a template takes every path that another takes."""
    if len(one.segments) > len(other.segments):
        return False
    if not one.open and (other.open or len(one.segments) < len(other.segments)):
        return False
    pairs = zip(one.segments, other.segments, strict=False)
    return all(mine is None or mine == theirs for mine, theirs in pairs)


def path_meets(one: PathTemplate, other: PathTemplate) -> bool:
    """Return whether some path is taken by both templates."""
    if len(one.segments) < len(other.segments):
        one, other = other, one
    if len(one.segments) > len(other.segments) and not other.open:
        return False
    pairs = zip(one.segments, other.segments, strict=False)
    return all(mine is None or theirs is None or mine == theirs for mine, theirs in pairs)


def _host_covers(one: str, other: str) -> bool:
    """Return whether a host pattern takes every host of another; `*.a` covers `*.b.a`, and never `a`."""
    if one in {ANY_HOST, other}:
        return True
    return one.startswith("*.") and other.removeprefix("*").endswith(one[1:]) and len(other) > len(one[1:])
