"""What a decision depended on: the attributes that the documents which governed the request read, with their values.

Which attributes these are follows from the checked expressions, once per plan. Their values are looked up when a
record is written, from the facts, after the answer has been given; a decision that is kept looks them up at once and
then holds on to no request. Names of data and variables are no part of it: those are the policies' own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from google.protobuf.message import Message

from authz.cel.values import MAX_TEXT, NoValueError, plain
from authz.model import Effect, Knowing, Read
from authz.policy.attributes import ATTRIBUTES, DOUBTFUL
from authz.policy.facts import UnboundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from msgspec import Raw

    from authz import cel
    from authz.policy.compiled import Changes, Document, Rule, Validation
    from authz.policy.facts import Facts
    from authz.policy.plan import Plan
    from authz.policy.template import Template
    from authz.policy.terms import Term

Attribute = tuple[str, str | None]
"""A name of the vocabulary and, of a map, its first key; all of it where there is none."""

WHO: Attribute = ("identity.authenticated", None)
"""What is read wherever callers are identified."""

MOST_READS = 64
"""Attributes that are looked up for one record."""

_PARAMS = "request.params"
_OURS = "authz.v1"
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


def read_by(documents: Iterable[Document]) -> tuple[Attribute, ...]:
    """Return the attributes that documents read, as name and first key; a name without a key where all of it may be."""
    found: dict[str, set[str] | None] = {}
    for document in documents:
        for name, key in _of_document(document):
            keys = found.setdefault(name, set())
            if key is None or keys is None:
                found[name] = None
            else:
                keys.add(key)
    return tuple((name, key) for name in sorted(found) for key in sorted(found[name] or ()) or (None,))


def read_of(term: Term, variables: Mapping[str, Term]) -> frozenset[Attribute]:
    """Return what a term reads, itself or by the variables of its document."""
    own = _pairs(term.expression.reads)
    by_variables = (variables[name] for name in term.expression.variables if name in variables)
    return frozenset(own).union(*(read_of(variable, variables) for variable in by_variables))


def terms_of(rule: Rule) -> Iterator[Term]:
    """Yield the expressions of a rule that decide, those of texts included that an answer cannot go without."""
    yield from (term for term in (rule.when, rule.test) if term is not None)
    texts = _texts(rule.changes) if rule.effect is Effect.ALLOW else ()
    for text in (*texts, *(() if rule.location is None else (rule.location.target,))):
        yield from (part for part in text.parts if not isinstance(part, str))


def _texts(changes: Changes) -> Iterator[Template]:
    yield from (header.value for header in (*changes.request_headers, *changes.response_headers))
    yield from (cookie.value for cookie in changes.cookies)
    yield from (text for _, text in (*changes.query_set, *changes.metadata))


def of_validation(validation: Validation) -> Iterator[Attribute]:
    """Yield what a validation looks at."""
    yield from _BODY if validation.reads_body else ()
    yield from (("request.headers", name) for name in validation.reads_headers)
    if validation.query is not None:
        yield "request.query", None
    if validation.params is not None:
        yield _PARAMS, None
    if validation.form is not None or validation.described is not None:
        yield "request.body", None
    if validation.described is not None:
        yield from _CALL


def _of_document(document: Document) -> Iterator[Attribute]:
    yield from _pairs(document.reads)
    if document.providers:
        yield WHO
    for validation in document.validations:
        yield from of_validation(validation)


def _pairs(reads: Iterable[cel.Attribute]) -> Iterator[Attribute]:
    for attribute in reads:
        if attribute.variable in ATTRIBUTES or attribute.variable == _PARAMS:
            yield attribute.variable, str(attribute.keys[0]) if attribute.keys else None


def _entries(plan: Plan, facts: Facts, segments: Sequence[str]) -> Iterator[Read]:
    values: dict[str, object] = {}
    for name, key in plan.reads[:MOST_READS]:
        if name not in values:
            values[name] = _captured(plan, segments) if name == _PARAMS else _value(name, facts)
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
        return Read(name=name, key=key, knowing=Knowing.UNBOUND, value=str(value))
    if key is None:
        return _told(name, None, dict(value) if isinstance(value, Mapping) else value)
    if (doubtful := DOUBTFUL.get(name)) is not None and key in doubtful(facts):
        return Read(name=name, key=key, knowing=Knowing.UNBOUND, value="it has no one value")
    if not isinstance(
        value, (dict, Mapping)
    ):  # a list, where a map was expected: it has no such key, and may have an index
        return _told(name, None, value)
    if key not in value:
        return Read(name=name, key=key, knowing=Knowing.ABSENT)
    return _told(name, key, value[key])


def _told(name: str, key: str | None, value: object) -> Read:
    if type(value) is str and len(value) <= MAX_TEXT:  # plain already, and most are
        return Read(name=name, key=key, knowing=Knowing.VALUE, value=value)
    try:
        return Read(
            name=name, key=key, knowing=Knowing.VALUE, value=plain(list(value) if isinstance(value, tuple) else value)
        )
    except NoValueError as error:
        return Read(name=name, key=key, knowing=Knowing.UNBOUND, value=str(error))


def _captured(plan: Plan, segments: Sequence[str]) -> dict[str, str]:
    return {
        name: segments[place]
        for one in (plan, *plan.shadows)
        for scope in one.scopes
        for name, place in scope.captures or ()
    }
