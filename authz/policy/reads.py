"""What a decision depended on: the attributes that the documents which governed the request read, with their values.

Which attributes these are follows from the checked expressions, once per plan. Their values are looked up when a
record is written, from the facts, after the answer has been given; a decision that is kept looks them up at once and
then holds on to no request. Names of data and variables are no part of it: those are the policies' own.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING

from authz.cel.values import NoValueError, plain
from authz.model import Knowing, Read
from authz.policy.attributes import ATTRIBUTES, DOUBTFUL
from authz.policy.facts import UnboundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from authz.policy.compiled import Document
    from authz.policy.facts import Facts
    from authz.policy.plan import Plan

MOST_READS = 64
"""Attributes that are looked up for one decision."""

_PARAMS = "request.params"
_BODY = (
    ("request.body_state", None),
    ("request.json", None),
    ("request.headers", "content-length"),
    ("request.headers", "content-type"),
)
"""What the validation of a body depends on."""

_CALL = (("request.method", None), ("request.path", None), ("request.query", None))
"""What finding the operation of a request, and what it asks for, depends on beside headers and body."""


class DecisionReads:
    """The reads of one decision; see `model.Reads`."""

    __slots__ = ("_entries", "_facts", "_plan", "_segments", "written")

    def __init__(self, plan: Plan, facts: Facts, segments: Sequence[str]) -> None:
        self._plan: Plan | None = plan
        self._facts: Facts | None = facts
        self._segments = segments
        self._entries: tuple[Read, ...] = ()
        self.written: tuple[object, bytes] | None = None

    def entries(self) -> Sequence[Read]:
        """Return every attribute that the documents which governed the request read."""
        if self._plan is not None and self._facts is not None:
            self._entries = tuple(_entries(self._plan, self._facts, self._segments))
            self._plan = self._facts = None
        return self._entries

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DecisionReads) and self.entries() == other.entries()

    __hash__ = None  # type: ignore[assignment]  # what it is equal by is found out late


def read_by(documents: Iterable[Document]) -> tuple[tuple[str, str | None], ...]:
    """Return the attributes that documents read, as name and first key; a name without a key where all of it may be."""
    found: dict[str, set[str] | None] = {}
    for document in documents:
        for name, key in (*_of_expressions(document), *_of_steps(document)):
            keys = found.setdefault(name, set())
            if key is None or keys is None:
                found[name] = None
            else:
                keys.add(key)
    pairs = ((name, key) for name in sorted(found) for key in sorted(found[name] or ()) or (None,))
    return tuple(islice(pairs, MOST_READS))


def _of_expressions(document: Document) -> Iterator[tuple[str, str | None]]:
    for attribute in document.reads:
        if attribute.variable in ATTRIBUTES or attribute.variable == _PARAMS:
            yield attribute.variable, str(attribute.keys[0]) if attribute.keys else None


def _of_steps(document: Document) -> Iterator[tuple[str, str | None]]:
    """Yield what is read without an expression that says so."""
    if document.providers:
        yield "identity.authenticated", None
    for validation in document.validations:
        yield from _BODY if validation.reads_body else ()
        yield from (("request.headers", name) for name in validation.reads_headers)
        if validation.query is not None:
            yield "request.query", None
        if validation.params is not None:
            yield _PARAMS, None
        if validation.described is not None:
            yield from _CALL


def _entries(plan: Plan, facts: Facts, segments: Sequence[str]) -> Iterator[Read]:
    values: dict[str, object] = {}
    for name, key in plan.reads:
        if name not in values:
            values[name] = _captured(plan, segments) if name == _PARAMS else _value(name, facts)
        yield _read(name, key, values[name], facts)


def _value(name: str, facts: Facts) -> object:
    """Return the value of a name, or the error that it has none."""
    try:
        return ATTRIBUTES[name](facts)
    except UnboundError as error:
        return error


def _read(name: str, key: str | None, value: object, facts: Facts) -> Read:
    if isinstance(value, UnboundError):
        return Read(name=name, key=key, knowing=Knowing.UNBOUND, value=str(value))
    if key is None:
        return _told(name, None, dict(value) if isinstance(value, Mapping) else value)
    if (doubtful := DOUBTFUL.get(name)) is not None and key in doubtful(facts):
        return Read(name=name, key=key, knowing=Knowing.UNBOUND, value="it has no one value")
    if not isinstance(value, Mapping) or key not in value:
        return Read(name=name, key=key, knowing=Knowing.ABSENT)
    return _told(name, key, value[key])


def _told(name: str, key: str | None, value: object) -> Read:
    try:
        return Read(
            name=name, key=key, knowing=Knowing.VALUE, value=plain(list(value) if isinstance(value, tuple) else value)
        )
    except NoValueError as error:
        return Read(name=name, key=key, knowing=Knowing.UNBOUND, value=str(error))


def _captured(plan: Plan, segments: Sequence[str]) -> dict[str, str]:
    return {name: segments[place] for scope in plan.scopes for name, place in scope.captures or ()}
