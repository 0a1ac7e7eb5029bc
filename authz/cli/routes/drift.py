"""Policies held against the description of an API: operations nobody protects, routes that no API knows.

Paths and methods are compared, hosts are not: a description rarely knows where it is served. An operation is governed
where one route takes all of its requests; where routes take only some, the others are denied, which is safe and
probably not meant.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from authz.content.openapi.operations import segments
from authz.policy.exposure import Flag
from authz.policy.routing.covering import path_covers, path_meets
from authz.policy.routing.entries import PathTemplate
from authz.policy.routing.routes import template

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from authz.content.openapi.operations import Operation
    from authz.policy import Exposed


class Found(StrEnum):
    """How policies and a description differ."""

    DENIED = "denied"
    IN_PART = "in part"
    OPEN = "open"
    UNDESCRIBED = "undescribed"


ABOUT = {
    Found.DENIED: "no policy allows the operation: every request is denied",
    Found.IN_PART: "policies govern only some of its requests: the others are denied",
    Found.OPEN: "nothing protects it: everybody may, as often as they like",
    Found.UNDESCRIBED: "the description of the API has no such operation",
}


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """One difference: of an operation of the description, or of a route of policies."""

    found: Found
    method: str
    path: str
    operation: str = ""


def drift(lines: Sequence[Exposed], operations: Sequence[Operation]) -> tuple[Drift, ...]:
    """Return every difference, operations first."""
    described = [(each, path, wanted) for each in operations for path, wanted in _paths(each)]
    routes = [(line, template(line.path)) for line in lines]
    found = [
        Drift(found=what, method=operation.method, path=path, operation=operation.id)
        for operation, path, wanted in described
        if (what := _of_operation(operation.method, wanted, routes)) is not None
    ]
    for line, known in routes:
        if not any(_same(line, each.method) and path_meets(known, wanted) for each, _, wanted in described):
            found.append(Drift(found=Found.UNDESCRIBED, method=line.method, path=line.path))
    return tuple(found)


def _of_operation(method: str, wanted: PathTemplate, routes: Sequence[tuple[Exposed, PathTemplate]]) -> Found | None:
    meeting = [(line, known) for line, known in routes if _same(line, method) and path_meets(known, wanted)]
    covering = [line for line, known in meeting if path_covers(known, wanted)]
    if not covering:
        return Found.IN_PART if meeting else Found.DENIED
    flags = set(max(covering, key=lambda line: len(line.policies) + len(line.guardrails)).flags)
    if Flag.DENIED in flags:
        return Found.DENIED
    return Found.OPEN if flags >= _OPEN else None


_OPEN = {Flag.ALLOW_ALL, Flag.ANONYMOUS, Flag.NO_LIMIT}


def _same(line: Exposed, method: str) -> bool:
    return line.method in {"", method}


def _paths(operation: Operation) -> Iterator[tuple[str, PathTemplate]]:
    """Yield the paths of an operation below each of its servers; a segment with a parameter in it takes any segment."""
    own = tuple(None if each.name else each.before for each in segments(operation.template))
    for base in dict.fromkeys(operation.bases):
        yield "".join(f"/{each}" for each in base) + operation.template, PathTemplate(segments=(*base, *own))
