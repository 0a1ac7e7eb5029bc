"""Decisions that need not be made twice.

A decision is a function of the values that its plan reads, and of nothing else: rules, data and variables are the
plan's own, and there is no clock and no chance in them. Callers ask the same again and again. So a plan whose reads
are few short texts keeps its decisions by these values, until new policies bring new plans. Of data with entries that
end, the value is between which ends the request comes.

What is kept is exact or not kept at all. Values are compared as texts and whole numbers of one type per place, because
`1`, `1.0` and `true` are three values to a rule and one to a dict. A plan that reads the time, a body, a whole map or
Envoy's metadata keeps nothing, nor does a request that is read in two ways or has headers that are no text. A plan that
is hardly ever asked the same stops looking.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from authz.policy.attributes import ATTRIBUTES
from authz.policy.pauses import drained, drop_oldest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from authz.model import Decision
    from authz.policy.expiring import Expiring
    from authz.policy.facts import Facts
    from authz.policy.plan import Plan
    from authz.policy.terms import Keys

    Values = tuple[object, ...]
    Reader = Callable[[Facts, Sequence[str]], object]

MOST = 8192
"""Decisions kept for one set of policies; with one more, the oldest are forgotten."""

LONGEST = 256
"""Characters of a text that may be kept: what callers send must not fill the memory."""

LARGEST = 2048
"""Characters of all texts of one decision together, for the same reason; a path can have a thousand segments."""

WIDEST = 4
"""Times as much that a text with any character beyond ASCII may take as one without."""

TRIAL = 4096
"""Requests after which a plan that found fewer than one in four of its decisions kept stops looking."""

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


class Unfit(Exception):
    """A value that can't be compared as what it is to a rule."""


class Remembered:
    """The decisions of one set of policies, by plan and values."""

    __slots__ = ("_decisions",)

    def __init__(self) -> None:
        self._decisions: dict[tuple[Plan, Values], Decision] = {}

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._decisions)

    def get(self, plan: Plan, values: Values) -> Decision | None:
        """Return what a plan decided for these values."""
        return self._decisions.get((plan, values))

    def forget(self, gone: Callable[[Plan], bool], pause: Callable[[], None]) -> None:
        """Forget the decisions of plans that are gone, and so the plans; somebody may go on keeping meanwhile."""
        for key in drained(list(self._decisions), pause):
            if gone(key[0]):
                self._decisions.pop(key, None)

    def keep(self, plan: Plan, values: Values, decision: Decision) -> None:
        """Keep a decision, unless it is for values too long to keep."""
        if len(self._decisions) >= MOST:
            drop_oldest(self._decisions)
        if _size(values) <= LARGEST:
            self._decisions[plan, values] = decision


class Memo:
    """What one plan's decisions follow from, and whether looking for them pays.

    It does not hold the plan that holds it: a plan that is gone would wait for the garbage collector, and requests
    would wait while that looks for it.
    """

    __slots__ = ("_found", "_kept", "_looked", "_readers")

    def __init__(self, readers: Sequence[Reader], kept: Remembered) -> None:
        self._readers = tuple(readers)
        self._kept = kept
        self._looked = 0
        self._found = 0

    @property
    def pays(self) -> bool:
        """Whether decisions have been found often enough to go on looking."""
        return self._looked < TRIAL or self._found * 4 >= self._looked

    def values(self, facts: Facts, segments: Sequence[str]) -> Values | None:
        """Return what the decision for these facts follows from; `None` where that can't be said in a few texts."""
        request = facts.request
        if request.ambiguities or request.invalid_headers:
            return None
        try:
            return tuple([read(facts, segments) for read in self._readers])
        except Unfit:
            return None

    def find(self, plan: Plan, values: Values) -> Decision | None:
        """Return the decision that the plan made for these values."""
        decision = self._kept.get(plan, values)
        self._looked += 1
        self._found += decision is not None
        return decision

    def keep(self, plan: Plan, values: Values, decision: Decision) -> None:
        """Keep the decision that the plan made for these values."""
        self._kept.keep(plan, values, decision)


def memo(plan: Plan, names: Mapping[str, Keys], kept: Remembered) -> Memo | None:
    """Return the memo of a plan that reads these names; `None` for a plan that keeps nothing."""
    if plan.validations or plan.shadow_rules or any(document.late for document in plan.documents):
        return None
    try:
        readers = list(_readers(plan, _recorded(plan, names)))
        return Memo([_who, *readers] if plan.providers else readers, kept)
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
    """Return the reader of between which ends of data's entries a request comes: what was decided holds there."""
    return lambda facts, _segments: expiring.span(facts.request.time)


@lru_cache(READERS)
def _captured(captures: tuple[tuple[str, int], ...], keys: Keys) -> Reader:
    positions = tuple(position for name, position in captures if keys is None or name in keys)
    return lambda _facts, segments: tuple([segments[position] for position in positions])


def _size(value: object) -> int:
    """Return how much it takes to keep a value: its characters, more than may be kept for a text that is too long."""
    if isinstance(value, str):
        size = len(value) if value.isascii() else len(value) * WIDEST
        return size if size <= LONGEST else LARGEST + 1
    return sum(map(_size, value)) + len(value) if isinstance(value, tuple) else 1
