"""The documents that govern a request, put in order once for all requests that they govern together.

A plan is what the index answers with: everything about one set of documents that can be known before a request
comes. Which names to bind, in which order validations, rules and limits are asked, and in which scope each of them is
evaluated. Documents share a scope as long as they agree on every name in it; they part where two define the same
variable, capture different parameters, or accept identities of different providers.

A shadow document gets a plan of its own: what it reads and says can then not touch anybody else.

Beside what is known before, a plan keeps what requests have shown: which question settles its rules at once, what it
means that certain rules held, which decisions come again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from authz.model import Count, DocumentTrace, Effect, Mode
from authz.policy.attributes import ATTRIBUTES, DOUBTFUL, narrowed
from authz.policy.compiled import NO_CHANGES
from authz.policy.deciding.memo import Remembered
from authz.policy.deciding.places import DATA, PARAMS, LimitStep, Place, PolicyStep, RuleStep, Scope, ValidationStep
from authz.policy.deciding.reads import read_by
from authz.policy.expiring import Expiring

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from authz.cel import Environment, Expression
    from authz.model import Ambiguity, Decision
    from authz.policy.compiled import Document, Rule
    from authz.policy.deciding.changes import Merged
    from authz.policy.deciding.memo import Memo
    from authz.policy.facts import Facts
    from authz.policy.routing.entries import Match
    from authz.policy.terms import Keys


class World(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What plans have in common: an environment to bind names in, data by name (`data.freeze`), decisions kept."""

    environment: Environment
    data: Mapping[str, object]
    remembered: Remembered = msgspec.field(default_factory=Remembered)

    def is_of(self, environment: Environment, data: Mapping[str, object]) -> bool:
        """Return whether these are the same names and the very same data: what was made once would be made again."""
        return (
            self.environment is environment
            and self.data.keys() == data.keys()
            and all(self.data[name] is value for name, value in data.items())
        )


class Permission(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What it means that certain allow rules held: the decision, but for what `merged` makes of each request."""

    decision: Decision
    merged: Merged


class Ballot(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One question that settles many rules. `asked` has the bits of the rules that are in it."""

    expression: Expression
    asked: int


class Plan:
    """How some documents are asked; made once, used by every request they govern.

    Documents come guardrails by name first, then policies by name; `silent` is what they say until one of them speaks.
    `providers` identify the caller; `permits` are the ambiguities all documents say how to read. `shadow_rules`
    are asked when everything is decided. `reads` are what decisions may depend on, `templates` those by which the
    documents were reached. `tried` are the providers that would identify the caller if nothing were in
    shadow, where they are others. `claimed` are the request headers that callers cannot write, `audiences` those who
    are told who is calling. `held` remembers what it means that certain allow rules held, `uses` counts until there is
    a `ballot`. `memo` keeps decisions, where they can be kept.
    """

    def __init__(self, matches: Sequence[Match[Document]], world: World, providers: Sequence[str]) -> None:
        documents = [match.document for match in matches]
        self.providers = tuple(providers)
        self.scopes, places = _arranged(matches, frozenset(providers))
        self.documents = tuple(documents)
        self.places = tuple(places)
        self.templates = tuple(match.template for match in matches)
        self.silent = tuple(_silent(document) for document in documents)
        self.permits = _permitted(documents)
        self.shadows: tuple[Plan, ...] = ()
        self.tried: tuple[str, ...] = ()
        self.world = world
        names = joined(documents)
        self.reads = read_by(documents)
        self._bind(names)
        self._order(places)
        self.held: dict[tuple[RuleStep, ...], Permission] = {}
        self.uses = 0
        self.ballot: Ballot | None = None
        self.memo: Memo | None = None

    def informed(self, facts: Facts) -> Facts:
        """Return facts with what the documents know of messages."""
        return replace(facts, messages=self.messages) if self.messages else facts

    def _bind(self, names: Mapping[str, Keys]) -> None:
        """Work out where each name that is bound early comes from."""
        self.attributes = tuple((name, narrowed(name, names[name])) for name in sorted(names) if name in ATTRIBUTES)
        self.doubtful = tuple((name, DOUBTFUL[name]) for name in sorted(names) if name in DOUBTFUL)
        data = {name: self.world.data[name] for name in names if name.startswith(DATA)}
        self.data = {name: value for name, value in data.items() if not isinstance(value, Expiring)}
        self.expiring = {name: value for name, value in data.items() if isinstance(value, Expiring)}

    def _order(self, places: Sequence[Place]) -> None:
        """Put what the documents say in the order in which it is asked."""
        written = [(place, rule) for place in places for rule in place.document.rules if rule.mode is not Mode.OFF]
        rules = [_step(place, rule, 1 << number) for number, (place, rule) in enumerate(written)]
        self.rules = tuple(rules)
        enforced = [step for step in rules if step.rule.mode is Mode.ENFORCE]
        self.shadow_rules = tuple(step for step in rules if step.rule.mode is Mode.SHADOW)
        self.denials = tuple(step for step in enforced if step.rule.effect is Effect.DENY)
        self.redirects = tuple(step for step in enforced if step.rule.effect is Effect.REDIRECT)
        self.validations = tuple(
            ValidationStep(place=place, validation=validation)
            for place in places for validation in place.document.validations
        )  # fmt: skip
        self.policies = tuple(
            PolicyStep(place=place, rules=tuple(step for step in enforced if step.place is place and step.allows))
            for place in places if place.document.is_policy
        )  # fmt: skip
        self.claimed = frozenset(_claimed(self.policies))
        self.messages = tuple(each for place in places for each in place.document.messages)
        self.cors = tuple(place.document.cors for place in places if place.document.cors is not None)
        self.audiences = tuple(sorted({one for place in places if (one := place.document.audience) is not None}))
        self.requiring = tuple(place for place in places if place.document.identity_required)
        self.limits = tuple(_limits(places))
        self.early_limits = tuple(
            step for step in self.limits if not step.shadow and step.limit.limit.count is not Count.ALLOWED
        )


def _arranged(matches: Sequence[Match[Document]], known: frozenset[str]) -> tuple[tuple[Scope, ...], list[Place]]:
    """Give every document a scope, as few as there can be if each takes the first it fits in."""
    scopes: list[Scope] = []
    places = []
    for position, match in enumerate(matches):
        own = _scope(match, known)
        joined = ((number, scope.joined(own)) for number, scope in enumerate(scopes))
        number, scope = next(((number, scope) for number, scope in joined if scope is not None), (len(scopes), own))
        scopes[number : number + 1] = [scope]
        places.append(Place(document=match.document, position=position, scope=number))
    return tuple(scopes), places


def _scope(match: Match[Document], known: frozenset[str]) -> Scope:
    """Return what a document reads on its own; one that accepts every provider that is asked accepts any."""
    document = match.document
    providers = frozenset(document.providers)
    return Scope(
        captures=match.template.captures if PARAMS in document.early else None,
        accepts=providers if providers and not providers >= known else None,
        variables=document.variables,
    )


def _permitted(documents: Sequence[Document]) -> frozenset[Ambiguity]:
    """Return the ambiguities that every document permits; no documents permit nothing."""
    return frozenset.intersection(*(document.permits for document in documents)) if documents else frozenset()


def joined(documents: Iterable[Document]) -> dict[str, Keys]:
    """Return the names that documents read early, and of maps the keys that any of them reads."""
    names: dict[str, Keys] = {}
    for document in documents:
        for name, keys in document.early.items():
            known = names.get(name, frozenset())
            names[name] = None if keys is None or known is None else known | keys
    return names


def _silent(document: Document) -> DocumentTrace:
    return DocumentTrace(name=document.name, kind=document.kind, mode=document.mode, outcome="none")


def _step(place: Place, rule: Rule, bit: int) -> RuleStep:
    return RuleStep(
        place=place,
        rule=rule,
        scope=place.scope,
        bit=bit if rule.mode is Mode.ENFORCE else 0,
        ask=None if rule.test is None or rule.test.late else rule.test.holds,
        allows=rule.effect is Effect.ALLOW,
        changes=rule.changes != NO_CHANGES,
        regardless=rule.changes != NO_CHANGES or rule.when is not None,
    )


def _claimed(policies: Iterable[PolicyStep]) -> Iterator[str]:
    """Yield the request headers that any allow rule sets: what is behind us will believe them, whoever wrote them."""
    for policy in policies:
        for step in policy.rules:
            yield from (change.name for change in step.rule.changes.request_headers if not change.append)


def _limits(places: Iterable[Place]) -> Iterator[LimitStep]:
    """Yield the limits that are not off; those of a document in shadow are in shadow."""
    for place in places:
        for limit in place.document.limits:
            mode = limit.limit.mode if place.document.mode is Mode.ENFORCE else Mode.SHADOW
            if limit.limit.mode is not Mode.OFF:
                limited = replace(limit, limit=replace(limit.limit, mode=mode))
                yield LimitStep(place=place, limit=limited, shadow=mode is Mode.SHADOW)
