"""Which operations make one policy: those of a tag, unless a request could call operations of two.

Every policy that a request meets has to allow it. So where a path of one tag is also a path of another
(`/pets/mine` is `/pets/{id}` too), the two are one policy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from authz.cli.naming import named, unique
from authz.content.openapi.operations import segments

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from authz.content.openapi.operations import Operation
    from authz.content.openapi.routing import Segment


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """The operations of one policy, and the name of each as a rule."""

    name: str
    operations: tuple[tuple[str, Operation], ...]


def groups(operations: Sequence[Operation]) -> tuple[Group, ...]:
    """Return all operations, each in one group."""
    joined: list[tuple[str, list[Operation]]] = []
    for operation in operations:
        meeting = [each for each in joined if any(_meet(operation, other) for other in each[1])]
        tag = operation.tags[0] if operation.tags else _first(operation)
        same = [each for each in joined if each[0] == tag and each not in meeting]
        one = [*meeting, *same]
        joined = [each for each in joined if each not in one]
        name = one[0][0] if one else tag
        joined.append((name, [*(other for each in one for other in each[1]), operation]))
    return tuple(_named(joined))


def _named(joined: Sequence[tuple[str, list[Operation]]]) -> Iterator[Group]:
    taken: list[str] = []
    for tag, operations in sorted(joined, key=lambda each: each[0]):
        taken.append(unique(named(tag.lower(), "api"), taken))
        rules: list[str] = []
        ordered = sorted(operations, key=lambda each: (each.template, each.method))
        for each in ordered:
            words = each.id or f"{each.method.lower()}{each.template.replace('/', '-')}"
            rules.append(unique(named(words, each.method.lower()), rules))
        yield Group(name=taken[-1], operations=tuple(zip(rules, ordered, strict=True)))


def _first(operation: Operation) -> str:
    """Return what stands for a tag where there is none: the first segment of the path that is written out."""
    return next((each.before for each in segments(operation.template) if not each.name), "api")


def _meet(one: Operation, other: Operation) -> bool:
    """Return whether a request could call both; methods count, as they do in `match`."""
    if one.method != other.method:
        return False
    ways = [[segments(each.template) for each in (one, other)]]
    return any(len(a) == len(b) and all(map(_overlap, a, b)) for a, b in ways) and bool(
        set(one.bases) & set(other.bases)
    )


def _overlap(one: Segment, other: Segment) -> bool:
    return bool(one.name or other.name) or one.before == other.before
