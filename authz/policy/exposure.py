"""What is exposed, and how it is protected: a line for every route that policies name. Nothing decides by it.

A route that names methods is a line for each of them. Beside a line stand the documents that govern all of its
requests; those that govern only some (`partly`) protect nothing of it for certain, so nothing they say is counted.
Flags are said only of what is certain: that a rule lets nobody in without a credential cannot be told from outside,
so a route is anonymous wherever no identity is required.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from authz.model import Effect, Mode
from authz.policy.documents import Guardrail, Identification, Policy
from authz.policy.routing.covering import Neighbours, covers, meets
from authz.policy.routing.entries import ANY_HOST, ANY_METHOD, Entry, Match, Route
from authz.policy.routing.index import Index
from authz.policy.routing.routes import routes, segments, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from authz.policy.documents import Document, Limit, Rule

_PERIODS = {1.0: "second", 60.0: "minute", 3600.0: "hour", 86400.0: "day"}


class Flag(StrEnum):
    """What somebody may want to look at."""

    ANONYMOUS = "anonymous"
    ALLOW_ALL = "allow-all"
    NO_LIMIT = "no-limit"
    NO_TESTS = "no-tests"
    SHADOW = "shadow"
    DENIED = "denied"


class ExposedRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of a document that governs a route; `condition` and `when` are as they are written."""

    name: str
    effect: Effect
    mode: Mode
    condition: str
    when: str = ""


class ExposedLimit(msgspec.Struct, frozen=True, kw_only=True):
    """A limit of a document that governs a route; no `key`: all callers share one count."""

    name: str
    rate: str
    key: tuple[str, ...]
    mode: Mode


class Exposed(msgspec.Struct, frozen=True, kw_only=True):
    """One route; empty `host` and `method` stand for any.

    Documents stand in the order in which they are asked; rules, validations and limits are named `document/part`.
    `required` says that nobody gets past without an identity of one of the `providers`; `partly` are documents that
    govern some of its requests.
    """

    host: str
    method: str
    path: str
    policies: tuple[str, ...]
    guardrails: tuple[str, ...]
    partly: tuple[str, ...]
    providers: tuple[str, ...]
    required: bool
    rules: tuple[ExposedRule, ...]
    validations: tuple[str, ...]
    limits: tuple[ExposedLimit, ...]
    owners: tuple[str, ...]
    flags: tuple[Flag, ...]


class Exposure:
    """Every route, by host, path and method."""

    def __init__(self, documents: Iterable[Document]) -> None:
        governing = [_Governing(one) for one in documents if isinstance(one, Policy | Guardrail)]
        there = [one for one in governing if one.spec.mode is not Mode.OFF]
        there.sort(key=lambda one: (one.is_policy, one.name))
        named: dict[tuple[object, ...], Route] = {}
        for route in (route for one in there if one.is_policy for route in one.routes):
            named.setdefault((route.host, route.template.segments, route.template.open, route.methods), route)
        self._routes = sorted(named.values(), key=lambda route: (route.host, written(route.template), route.methods))
        near = Neighbours((one, one.routes) for one in there)
        self.lines = tuple(_exposed(route, near.of(route)) for route in self._routes)
        ordered = sorted(zip(self._routes, self.lines, strict=True), key=lambda pair: _breadth(pair[0]))
        self._index = Index(
            _first,
            (Entry(order=(place, ""), document=line, routes=(route,)) for place, (route, line) in enumerate(ordered)),
        )

    def of(self, host: str, path: str, method: str) -> Exposed | None:
        """Return the most specific line that a canonical host and path are of, `None` where there is none."""
        return self._index.find(host, segments(path), method)

    def covering(self, route: Route) -> tuple[Exposed, ...]:
        """Return the lines that take every request of a route."""
        return tuple(line for known, line in zip(self._routes, self.lines, strict=True) if covers(known, route))

    def meeting(self, route: Route) -> tuple[Exposed, ...]:
        """Return the lines that take some request of a route."""
        return tuple(line for known, line in zip(self._routes, self.lines, strict=True) if meets(known, route))


class _Governing:
    """A document, with the routes by which it is reached, of one method each."""

    def __init__(self, document: Policy | Guardrail) -> None:
        self.spec = document.spec
        self.name = document.name
        notes = {str(key): str(value) for key, value in document.metadata.annotations.items()}
        self.owner = notes.get("owner", "")
        self.enforced = document.spec.mode is Mode.ENFORCE
        self.is_policy = isinstance(document, Policy)
        self.routes = tuple(
            replace(route, methods=(method,) if method else ())
            for route in routes(document.spec.match)
            for method in route.methods or (ANY_METHOD,)
        )
        identity = document.spec.identity if isinstance(document, Policy) else Identification()
        self.providers = tuple(map(str, identity.providers))
        self.required = bool(self.providers) if identity.required is None else identity.required

    def mode(self, part: Rule | Limit) -> Mode:
        """Return how far a part may go; in a document in shadow, no further."""
        return part.mode if self.enforced or part.mode is Mode.OFF else Mode.SHADOW

    def allows(self) -> list[Rule]:
        """Return the rules that let requests in."""
        rules = (rule for rule in self.spec.rules if rule.effect is Effect.ALLOW)
        return [rule for rule in rules if self.mode(rule) is Mode.ENFORCE]

    def parts(self) -> tuple[Rule | Limit, ...]:
        """Return its rules and limits."""
        return (*self.spec.rules, *self.spec.limits)


def _breadth(route: Route) -> tuple[object, ...]:
    """Return what sorts routes so that the more specific come first."""
    template = route.template
    host = (2 if route.host == ANY_HOST else int(route.host.startswith("*.")), -len(route.host))
    wild = tuple(segment is None for segment in template.segments)
    return (*host, template.open, -len(template.segments), wild, not route.methods)


def _first(matches: tuple[Match[Exposed], ...]) -> Exposed | None:
    return matches[0].document if matches else None


def _exposed(route: Route, governing: Sequence[_Governing]) -> Exposed:
    whole = [one for one in governing if any(covers(known, route) for known in one.routes)]
    partly = [one for one in governing if one not in whole and any(meets(known, route) for known in one.routes)]
    policies = [one for one in whole if one.is_policy]
    enforced = [one for one in policies if one.enforced]
    return Exposed(
        host=str(route.host),
        method=str(next(iter(route.methods), ANY_METHOD)),
        path=written(route.template),
        policies=tuple(one.name for one in policies),
        guardrails=tuple(one.name for one in whole if not one.is_policy),
        partly=tuple(one.name for one in partly),
        providers=tuple(dict.fromkeys(name for one in enforced for name in one.providers)),
        required=any(one.required for one in enforced),
        rules=tuple(_rule(one, rule) for one in whole for rule in one.spec.rules if rule.mode is not Mode.OFF),
        validations=tuple(f"{one.name}/{validation.name}" for one in whole for validation in one.spec.validations),
        limits=tuple(_limit(one, limit) for one in whole for limit in one.spec.limits if limit.mode is not Mode.OFF),
        owners=tuple(dict.fromkeys(one.owner for one in policies if one.owner)),
        flags=tuple(_flags(whole, enforced)),
    )


def _flags(whole: Sequence[_Governing], enforced: Sequence[_Governing]) -> Iterator[Flag]:
    if not enforced or not all(one.allows() for one in enforced):
        yield Flag.DENIED
    else:
        if not any(one.required for one in enforced):
            yield Flag.ANONYMOUS
        if all(any(map(_always, one.allows())) for one in enforced):
            yield Flag.ALLOW_ALL
        if not any(one.mode(limit) is Mode.ENFORCE for one in whole for limit in one.spec.limits):
            yield Flag.NO_LIMIT
    if any(one.mode(part) is Mode.SHADOW for one in whole for part in one.parts()):
        yield Flag.SHADOW


def _always(rule: Rule) -> bool:
    return str(rule.allow).strip() == "true" and rule.when is None


def _rule(document: _Governing, rule: Rule) -> ExposedRule:
    condition = next(text for text in (rule.allow, rule.deny, rule.redirect) if text is not None)
    return ExposedRule(
        name=f"{document.name}/{rule.name}",
        effect=rule.effect,
        mode=document.mode(rule),
        condition=str(condition),
        when="" if rule.when is None else str(rule.when),
    )


def _limit(document: _Governing, limit: Limit) -> ExposedLimit:
    return ExposedLimit(
        name=f"{document.name}/{limit.name}",
        rate=rate_text(limit),
        key=tuple(map(str, limit.key)),
        mode=document.mode(limit),
    )


def rate_text(limit: Limit) -> str:
    """Return a rate as policies write it: `3/minute`, `100/90s`, `1000/month`."""
    rate = limit.rate
    per = limit.align.value if limit.align is not None else _PERIODS.get(rate.per, f"{rate.per:g}s")
    return f"{rate.requests}/{per}"
