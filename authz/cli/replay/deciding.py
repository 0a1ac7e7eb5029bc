"""Recorded decisions made again, each kind of request once.

Two records whose reads agree on everything the new policies look at get one decision. So it is looked for under what
was written of these reads, byte by byte, and made only where it is not found: a log of a million records has few
thousand that differ. Rate limits are not charged again: what a limit turned away had been allowed by the policies.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import msgspec

from authz.audit.written import HEADERS
from authz.policy import UndeterminedError
from authz.policy.deciding.recorded import asked_of
from authz.policy.routing.routes import written
from authz.server.recalling import recalled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authz.policy import PolicySet, Selection
    from authz.policy.deciding.plan import Plan
    from authz.server.lines import Line

MOST_KEPT = 200_000
"""Decisions that are kept; with one more, all are forgotten."""


class Again(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What came out the second time; `unknown` are the attributes it depends on and the record does not have.

    Where it is not `exact`, something that is not known may have given it another reason.
    """

    effect: str = ""
    reason: str = ""
    rule: str = ""
    exact: bool = True
    unknown: tuple[str, ...] = ()


class Deciding:
    """Makes recorded decisions again by one set of policies."""

    def __init__(self, policies: PolicySet) -> None:
        self._policies = policies
        self._questions: dict[Plan, _Question] = {}
        self._kept: dict[tuple[object, ...], Again] = {}
        self.made = 0

    def again(self, line: Line) -> tuple[Again, str]:
        """Return what comes out for a record of a decision, and the route it was governed by."""
        request = line.request
        assert request is not None  # noqa: S101 - a line that was decided has one
        selection = self._policies.governing(request.host, request.path, request.method)
        question = self._questions.get(selection.plan)
        if question is None:
            question = self._questions[selection.plan] = _Question(selection.plan)
        key = question.key(line)
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            found = self._kept[key] = self._made(line, selection)
        return found, question.route

    def _made(self, line: Line, selection: Selection) -> Again:
        self.made += 1
        facts, memory = recalled(line, selection.providers)
        try:
            found = selection.redecide(facts, memory)
        except UndeterminedError as error:
            return Again(unknown=tuple(sorted(map(_named, error.attributes))))
        decision, exact = found.decision, found.exact
        rule = rule_of(decision.policy, decision.rule)
        return Again(effect=decision.effect, reason=decision.reason, rule=rule, exact=exact)


class _Question:
    """What a decision by one plan is looked for under."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        asked = asked_of(plan)
        self._reads = tuple(dict.fromkeys(text for each in asked for text in (_named(each), each[0])))
        self._fields = tuple(dict.fromkeys(field for name, key in asked if (field := _field(name, key)) is not None))
        self.route = written(plan.templates[-1]) if plan.templates else "(no policy)"

    def key(self, line: Line) -> tuple[object, ...]:
        """Return everything that may change what comes out."""
        reads, path = line.reads, _path(line)
        return (
            self._plan,
            line.identity.provider,
            line.reason,
            path if "%" in path or ";" in path else None,
            *[None if (raw := reads.get(name)) is None else bytes(raw) for name in self._reads],
            *[field(line) for field in self._fields],
        )


def _field(name: str, key: str | None) -> Callable[[Line], object] | None:
    """Return what a record says of an attribute beside its reads."""
    if name == "request.headers" and key is not None:
        return _header(key) if key in HEADERS else None
    return _FIELDS.get(name)


@cache
def _header(key: str) -> Callable[[Line], object]:
    return lambda line: line.request and line.request.headers.get(key)


def rule_of(policy: str | None, rule: str | None) -> str:
    """Return who settled a decision, as `policy/rule`."""
    return "/".join(part for part in (policy, rule) if part)


def _named(attribute: tuple[str, str | None]) -> str:
    name, key = attribute
    return name if key is None else f"{name}[{msgspec.json.encode(key).decode()}]"


def _path(line: Line) -> str:
    return line.request.path if line.request else ""


def _query(line: Line) -> object:
    return line.request and tuple(line.request.query_keys)


def _headers(line: Line) -> object:
    return line.request and tuple(line.request.headers.items())


_FIELDS: Mapping[str, Callable[[Line], object]] = {
    "request.method": lambda line: line.request and line.request.method,
    "request.host": lambda line: line.request and line.request.host,
    "request.id": lambda line: line.request and line.request.id,
    "request.time": lambda line: line.time,
    "request.path": _path,
    "request.segments": _path,
    "request.params": _path,
    "request.query": _query,
    "request.query_one": _query,
    "request.headers": _headers,
    "route.extensions": lambda line: line.request and line.request.route,
    "client.ip": lambda line: line.client,
    "source.ip": lambda line: line.source,
    "source.principal": lambda line: line.principal,
    "identity.subject": lambda line: line.identity.subject,
    "identity.issuer": lambda line: line.identity.issuer,
    "identity.key_id": lambda line: line.identity.key_id,
}
"""What a record says of a name beside its reads, and of which the key is not worth looking at."""
