"""What decisions can depend on: the attributes that documents read, as follows from their checked expressions.

Names of data and variables are no part of it: those are the policies' own. What an attribute was for one request is
looked up in `lookups`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.model import Effect
from authz.policy.attributes import ATTRIBUTES
from authz.policy.deciding.places import PARAMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from authz import cel
    from authz.policy.compiled import Changes, Document, Rule, Validation
    from authz.policy.template import Template
    from authz.policy.terms import Term

Attribute = tuple[str, str | None]
"""A name of the vocabulary and, of a map, its first key; all of it where there is none."""

WHO: Attribute = ("identity.authenticated", None)
"""What is read wherever callers are identified."""

_BODY = (
    ("request.body_state", None),
    ("request.json", None),
    ("request.headers", "content-length"),
    ("request.headers", "content-type"),
)
"""What the validation of a body depends on."""

_CALL = (("request.method", None), ("request.path", None), ("request.query", None))
"""What finding the operation of a request, and what it asks for, depends on beside headers and body."""


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
        yield PARAMS, None
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
        if attribute.variable in ATTRIBUTES or attribute.variable == PARAMS:
            yield attribute.variable, str(attribute.keys[0]) if attribute.keys else None
