"""Whether one route takes every request that another takes, or some of them.

Both are asked of patterns alone, no request is looked at: hosts (`*.` takes one or more labels), templates of decoded
segments, methods. Two routes together may cover a third that neither covers alone; that is not found here, so what is
said to be covered is, and what is not may be all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.policy.index import ANY_HOST

if TYPE_CHECKING:
    from authz.policy.index import PathTemplate, Route


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
