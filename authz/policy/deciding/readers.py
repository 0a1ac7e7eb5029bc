"""What the decisions of a plan follow from: for each name it reads, what looks up a value that says all of it.

A value is exact or there is none: of a map it is a few texts, of data with entries that end the two ends that a request
falls between. A name that may be anything (the time, a body, a whole map, what Envoy sends along) has no reader, and
its plan has no memo.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from authz.policy.attributes import ATTRIBUTES
from authz.policy.deciding.memo import Memo, Unfit
from authz.policy.deciding.plan import joined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from authz.policy.deciding.memo import Reader
    from authz.policy.deciding.plan import Plan
    from authz.policy.expiring import Expiring
    from authz.policy.facts import Facts
    from authz.policy.terms import Keys

READERS = 1024
"""Readers of each kind that are kept: plans by the thousand read the same few things."""

_PLAIN = frozenset(
    {
        "client.ip", "destination.ip", "destination.port", "destination.principal", "destination.service",
        "identity.authenticated", "identity.groups", "identity.issuer", "identity.key_id", "identity.provider",
        "identity.roles", "identity.scopes", "identity.subject", "request.body_state", "request.host",
        "request.is_upgrade", "request.method", "request.path", "request.port", "request.protocol", "request.scheme",
        "request.segments", "request.url", "source.ip", "source.port", "source.principal", "source.service",
    }
)  # fmt: skip
"""Names whose value is a text, a whole number, a truth, or a sequence of texts: always the same one of these."""

_MAPS: Mapping[str, Callable[[Facts], Mapping[str, object]]] = {
    "request.headers": lambda facts: facts.request.headers,
    "request.headers_all": lambda facts: facts.request.headers,
    "identity.claims": lambda facts: facts.identity.claims,
    "route.extensions": lambda facts: facts.request.extensions,
    "source.labels": lambda facts: facts.request.source.labels,
    "destination.labels": lambda facts: facts.request.destination.labels,
}
"""Maps of which a few keys may be read, and what their values follow from: texts, but for claims."""

_QUERY = frozenset({"request.query", "request.query_one"})
_PARAMS = "request.params"
_CLAIMS = "identity.claims"
_GEO = "client.geo"

_ABSENT = object()
"""What stands for a key that is not there; a claim that is `null` is there, and `has()` says so."""


def memo(plan: Plan) -> Memo | None:
    """Return the memo of a plan, `None` for one that keeps nothing."""
    if plan.validations or plan.shadow_rules or any(document.late for document in plan.documents):
        return None
    try:
        readers = list(_readers(plan, _recorded(plan, joined(plan.documents))))
        return Memo([_who, *readers] if plan.providers else readers, plan.world.remembered)
    except Unfit:
        return None


def _recorded(plan: Plan, names: Mapping[str, Keys]) -> Mapping[str, Keys]:
    """Return names with what decisions are on record to have read: a record must not tell another caller's values."""
    found = dict(names)
    for name, key in plan.reads:
        keys = found.get(name, frozenset())
        found[name] = None if keys is None or key is None else keys | {key}
    return found


def _readers(plan: Plan, names: Mapping[str, Keys]) -> Iterator[Reader]:
    for name, keys in sorted(names.items()):
        if name in _PLAIN:
            yield _plain(name)
        elif name == _CLAIMS and keys is not None:
            yield _claims(tuple(sorted(keys)))
        elif name in _MAPS and keys is not None:
            yield _texts(_MAPS[name], tuple(sorted(keys)))
        elif name == _GEO:
            yield _location
        elif name in _QUERY:
            yield _raw_query
        elif name == _PARAMS:
            yield from (_captured(scope.captures, keys) for scope in plan.scopes if scope.captures is not None)
        elif name in plan.expiring:
            yield _span(plan.expiring[name])
        elif name not in plan.data:
            raise Unfit


def _who(facts: Facts, _segments: Sequence[str]) -> object:
    """Return what the steps themselves look at of an identity."""
    identity = facts.identity
    return identity.authenticated, identity.provider, identity.error


@lru_cache(READERS)
def _plain(name: str) -> Reader:
    read = ATTRIBUTES[name]
    return lambda facts, _segments: read(facts)


@lru_cache(READERS)
def _texts(read: Callable[[Facts], Mapping[str, object]], keys: tuple[str, ...]) -> Reader:
    absent = (_ABSENT,) * len(keys)
    return lambda facts, _segments: tuple(map(read(facts).get, keys, absent))


@lru_cache(READERS)
def _claims(keys: tuple[str, ...]) -> Reader:
    """Return the reader of claims, which may be anything; of texts alone it is certain what they are to a rule."""
    read = _texts(_MAPS[_CLAIMS], keys)

    def texts(facts: Facts, segments: Sequence[str]) -> object:
        values: tuple[object, ...] = read(facts, segments)  # type: ignore[assignment]
        if any(type(value) is not str and value is not _ABSENT for value in values):
            raise Unfit
        return values

    return texts


def _location(facts: Facts, _segments: Sequence[str]) -> object:
    """Return where the caller is, and not who: a file that was exchanged may say otherwise of the same address."""
    location = facts.locate(facts.client_ip)
    return None if location is None else (location.country, location.asn, location.organization)


def _raw_query(facts: Facts, _segments: Sequence[str]) -> object:
    return facts.request.query


def _span(expiring: Expiring) -> Reader:
    """Return the reader of the two ends of entries that a request falls between: there, a decision stays the same."""
    return lambda facts, _segments: expiring.span(facts.request.time)


@lru_cache(READERS)
def _captured(captures: tuple[tuple[str, int], ...], keys: Keys) -> Reader:
    positions = tuple(position for name, position in captures if keys is None or name in keys)
    return lambda _facts, segments: tuple([segments[position] for position in positions])
