"""What a decision depended on: the attributes that the documents which governed the request read, with their values.

The values are looked up when a record is written, from the facts, after the answer has been given; a decision that is
kept looks them up at once and then holds on to no request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from google.protobuf.message import Message

from authz.cel.values import MAX_TEXT, NoValueError, plain
from authz.model import Knowing, Read
from authz.policy.attributes import ATTRIBUTES, DOUBTFUL
from authz.policy.deciding.places import PARAMS
from authz.policy.facts import UnboundError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from msgspec import Raw

    from authz.policy.deciding.plan import Plan
    from authz.policy.facts import Facts

MOST_READS = 64
"""Attributes that are looked up for one record."""

_OURS = "authz.v1"


class DecisionReads:
    """The reads of one decision; see `model.Reads`."""

    __slots__ = ("_entries", "_facts", "_plan", "_segments", "written")

    def __init__(self, plan: Plan, facts: Facts, segments: Sequence[str]) -> None:
        self._plan: Plan | None = plan
        self._facts: Facts | None = plan.informed(facts)
        self._segments = segments
        self._entries: tuple[Read, ...] = ()
        self.written: tuple[object, Raw] | None = None

    def entries(self) -> Sequence[Read]:
        """Return every attribute that the documents which governed the request read."""
        plan, facts = self._plan, self._facts  # once: a record and the console may ask on two threads
        if plan is not None and facts is not None:
            self._entries = tuple(_entries(plan, facts, self._segments))
            self._plan = self._facts = None
        return self._entries

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DecisionReads) and self.entries() == other.entries()

    __hash__ = None  # type: ignore[assignment]  # what it is equal by is found out late


def _entries(plan: Plan, facts: Facts, segments: Sequence[str]) -> Iterator[Read]:
    values: dict[str, object] = {}
    for name, key in plan.reads[:MOST_READS]:
        if name not in values:
            values[name] = _captured(plan, segments) if name == PARAMS else _value(name, facts)
        yield _read(name, key, values[name], facts)


def _value(name: str, facts: Facts) -> object:
    """Return the value of a name, a message of ours as a map of its fields, or the error that it has none."""
    try:
        value = ATTRIBUTES[name](facts)
    except UnboundError as error:
        return error
    return _fields(value) if isinstance(value, Message) else value


def _fields(message: Message) -> object:
    """Return the fields that have a value; what Envoy sends is one value, which nobody looks into."""
    if message.DESCRIPTOR.file.package != _OURS:
        return message.SerializeToString(deterministic=True)
    fields = message.DESCRIPTOR.fields
    return {
        field.name: getattr(message, field.name)
        for field in fields
        if not field.has_presence or message.HasField(field.name)
    }


def _read(name: str, key: str | None, value: object, facts: Facts) -> Read:
    if isinstance(value, UnboundError):
        return _unbound(name, key, value)
    if key is None:
        return _told(name, None, dict(value) if isinstance(value, Mapping) else value)
    if (doubtful := DOUBTFUL.get(name)) is not None and key in doubtful(facts):
        return _unbound(name, key, "it has no one value")
    # A list where a map was expected has no such key, but may have such an index: all of it is kept.
    if not isinstance(value, (dict, Mapping)):
        return _told(name, None, value)
    if key not in value:
        return Read(name=name, key=key, knowing=Knowing.ABSENT)
    return _told(name, key, value[key])


def _told(name: str, key: str | None, value: object) -> Read:
    if type(value) is str and len(value) <= MAX_TEXT:  # plain already, and most are
        return Read(name=name, key=key, knowing=Knowing.VALUE, value=value)
    try:
        made = plain(list(value) if isinstance(value, tuple) else value)
    except NoValueError as error:
        return _unbound(name, key, error)
    return Read(name=name, key=key, knowing=Knowing.VALUE, value=made)


def _unbound(name: str, key: str | None, why: object) -> Read:
    return Read(name=name, key=key, knowing=Knowing.UNBOUND, value=str(why))


def _captured(plan: Plan, segments: Sequence[str]) -> dict[str, str]:
    return {
        name: segments[place]
        for one in (plan, *plan.shadows)
        for scope in one.scopes
        for name, place in scope.captures or ()
    }
