"""From what was found to the decision that says so: who settled it, what the answer carries, what is to be charged.

What follows from the rules that held alone is kept in the plan and used again: an allow without texts to fill in and
limits to charge is one and the same value for every request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from authz.model import (
    MAX_BODY,
    MAX_LOCATION,
    NO_MUTATIONS,
    STATUS,
    Charge,
    Count,
    Decision,
    DocumentTrace,
    Effect,
    Mutations,
    Reason,
)
from authz.policy.deciding.case import Failed
from authz.policy.deciding.changes import UNCHANGED, merge
from authz.policy.deciding.filling import mutations_of
from authz.policy.deciding.plan import Permission
from authz.policy.representations import TEXT, chosen, filled, serialized
from authz.policy.template import Template

if TYPE_CHECKING:
    from collections.abc import Iterable

    from authz.model import Objection, Unmet
    from authz.policy.deciding.case import Case
    from authz.policy.deciding.places import Place, RuleStep
    from authz.policy.deciding.plan import Plan
    from authz.policy.destinations import Destination
    from authz.policy.representations import Representation

REMEMBERED = 1024
"""Combinations of rules that held whose meaning a plan keeps."""

_COUNTS_ALLOWED = frozenset({Count.ALLOWED, Count.ALL})
_COUNTS_DENIED = frozenset({Count.DENIED, Count.ALL})


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request is not allowed. `place` and `rule` are who said so; `step` is the rule that held, if one did."""

    effect: Effect = Effect.DENY
    reason: Reason
    status: int
    place: Place | None = None
    rule: str | None = None
    error: str | None = None
    step: RuleStep | None = None
    unmet: tuple[Unmet, ...] = ()


class Wording(msgspec.Struct, frozen=True, kw_only=True):
    """What the rule that settled a request tells its caller."""

    message: str = ""
    location: str | None = None
    body: str | None = None
    media_type: str = TEXT
    mutations: Mutations = NO_MUTATIONS


_SILENT = Wording()
"""What a caller is told where no rule settled it."""


def refused(reason: Reason, place: Place | None = None, rule: str | None = None, error: str | None = None) -> Verdict:
    """Return a denial that no rule asked for."""
    return Verdict(reason=reason, status=STATUS[reason], place=place, rule=rule, error=error)


def objected(objection: Objection, place: Place, validation: str) -> Verdict:
    """Return the denial that an objection to what is being sent makes."""
    return Verdict(
        reason=objection.reason, status=objection.status, place=place, rule=validation, error=objection.detail,
        unmet=objection.unmet,
    )  # fmt: skip


def failed(failure: Failed) -> Verdict:
    """Return the denial that an error is."""
    return refused(Reason.RULE_ERROR, failure.place, failure.rule, str(failure))


def ruled(step: RuleStep, reason: Reason) -> Verdict:
    """Return what a deny or redirect rule that holds says."""
    rule = step.rule
    return Verdict(effect=rule.effect, reason=reason, status=rule.status, place=step.place, rule=rule.name, step=step)


def allow(case: Case, held: tuple[RuleStep, ...]) -> Decision:
    """Return the decision to allow, for the rules that held; raise `Failed` where it cannot be carried out."""
    plan = case.plan
    permission = plan.held.get(held) or _remember(plan, held)
    if permission.merged is UNCHANGED and not plan.limits and not case.errors:
        return permission.decision
    mutations = NO_MUTATIONS if permission.merged is UNCHANGED else mutations_of(permission.merged, case)
    charges = charged(case, Effect.ALLOW) if plan.limits else ()
    decision = permission.decision
    return Decision(
        effect=Effect.ALLOW,
        reason=Reason.ALLOWED,
        status=decision.status,
        policy=decision.policy,
        rule=decision.rule,
        mutations=mutations,
        charges=charges,
        audiences=decision.audiences,
        documents=_with_errors(decision.documents, case) if case.errors else decision.documents,
        errors=tuple(failure.error for failure in case.errors),
    )


def answer(case: Case, verdict: Verdict) -> Decision:
    """Return the decision a verdict makes; raise `Failed` only for a redirect that leads nowhere."""
    place = verdict.place
    wording = _SILENT if verdict.step is None else _worded(case, verdict.step)
    charges = charged(case, verdict.effect)
    spoken = () if place is None else (_spoken(place, verdict),)
    return Decision(
        effect=verdict.effect,
        reason=verdict.reason,
        status=verdict.status,
        policy=None if place is None else place.document.name,
        rule=verdict.rule,
        message=wording.message,
        location=wording.location,
        body=wording.body,
        media_type=wording.media_type,
        mutations=wording.mutations,
        charges=charges,
        documents=_with_errors(_traces(case.plan, spoken), case),
        errors=tuple(failure.error for failure in case.errors),
        unmet=verdict.unmet,
    )


def charged(case: Case, effect: Effect) -> tuple[Charge, ...]:
    """Return what the limits that count such a decision are to be charged.

    Before an allow every limit must be able to say what it wants: an error raises `Failed`. A denial stands anyway, and
    what is in shadow never matters: there an error is kept.
    """
    counts = _COUNTS_ALLOWED if effect is Effect.ALLOW else _COUNTS_DENIED
    charges = []
    for step in case.plan.limits:
        counted = step.limit.limit.count in counts
        if not counted and (step.shadow or effect is not Effect.ALLOW):
            continue
        try:
            charge = case.charge(step)
        except Failed as failure:
            if effect is Effect.ALLOW and not step.shadow:
                raise
            if failure not in case.errors:  # what turned an allow into this denial is known
                case.errors.append(failure)
        else:
            if counted and charge is not None:
                charges.append(charge)
    return tuple(charges)


def _remember(plan: Plan, held: tuple[RuleStep, ...]) -> Permission:
    """Work out what it means that these rules held, and keep it."""
    if len(plan.held) >= REMEMBERED:
        plan.held.clear()
    first: dict[int, DocumentTrace] = {}
    for step in held:
        first.setdefault(step.place.position, _trace(step.place, Effect.ALLOW, step.rule.name))
    merged = merge(step for step in held if step.changes).without(plan.claimed)
    permission = plan.held[held] = Permission(
        decision=Decision(
            effect=Effect.ALLOW,
            reason=Reason.ALLOWED,
            status=STATUS[Reason.ALLOWED],
            policy=held[0].place.document.name,
            rule=held[0].rule.name,
            audiences=plan.audiences,
            documents=_traces(plan, first.items()),
        ),
        merged=UNCHANGED if merged == UNCHANGED else merged,
    )
    return permission


def _worded(case: Case, step: RuleStep) -> Wording:
    """Return what a deny or redirect rule tells the caller; raise `Failed` only where a redirect leads nowhere."""
    rule = step.rule
    location = None if rule.location is None else _location(case, step, rule.location)
    message = _optional(case, step, rule.message) or ""
    form = chosen(rule.body, case.facts.request.headers) if rule.body else None
    return Wording(
        message=message,
        location=location,
        body=None if form is None else _body(case, step, form),
        media_type=TEXT if form is None else form.media_type,
        mutations=_carried(case, step) if step.changes else NO_MUTATIONS,
    )


def _location(case: Case, step: RuleStep, destination: Destination) -> str:
    """Return where a redirect leads; raise `Failed` where nobody allowed it to lead there, or nobody would follow."""
    location = case.text(destination.target, step.place, step.rule.name)
    if len(location) > MAX_LOCATION:
        raise Failed(step.place, step.rule.name, f"the redirect leads to a URL of more than {MAX_LOCATION} characters")
    if destination.strays(location, case.facts.request.host):
        raise Failed(step.place, step.rule.name, "the redirect leads to a host that is not among allowed_hosts")
    return location


def _body(case: Case, step: RuleStep, form: Representation) -> str | None:
    """Return a body in one form; as with every text, an answer that is no allow is given without it if it must be."""
    content, place, name = form.content, step.place, step.rule.name
    try:
        if isinstance(content, Template):
            body = case.text(content, place, name)
        else:
            body = serialized(filled(content.root, lambda part: case.data(part, place, name)))
        if len(body) > MAX_BODY:
            raise Failed(place, name, f"the body has more than {MAX_BODY} characters")
    except Failed as failure:
        case.errors.append(failure)
        return None
    return body


def _optional(case: Case, step: RuleStep, template: Template | None) -> str | None:
    """Return a text that an answer carries; an answer that is no allow is given without it rather than not at all."""
    if template is None:
        return None
    try:
        return case.text(template, step.place, step.rule.name)
    except Failed as failure:
        case.errors.append(failure)
        return None


def _carried(case: Case, step: RuleStep) -> Mutations:
    """Return what an answer that is no allow changes; all of it, or nothing where a part has no value."""
    try:
        return mutations_of(merge((step,)), case)
    except Failed as failure:
        case.errors.append(failure)
        return NO_MUTATIONS


def _spoken(place: Place, verdict: Verdict) -> tuple[int, DocumentTrace]:
    return place.position, _trace(place, verdict.effect, verdict.rule, verdict.error)


def _trace(place: Place, outcome: str, rule: str | None, error: str | None = None) -> DocumentTrace:
    document = place.document
    return DocumentTrace(
        name=document.name, kind=document.kind, mode=document.mode, outcome=outcome, rule=rule, error=error
    )


def _traces(plan: Plan, spoken: Iterable[tuple[int, DocumentTrace]]) -> tuple[DocumentTrace, ...]:
    traces = list(plan.silent)
    for position, trace in spoken:
        traces[position] = trace
    return tuple(traces)


def _with_errors(traces: tuple[DocumentTrace, ...], case: Case) -> tuple[DocumentTrace, ...]:
    """Return traces with the first error of every document that had one and does not say so yet."""
    if not case.errors:
        return traces
    marked = list(traces)
    for failure in case.errors:
        position = failure.place.position
        if marked[position].error is None:
            marked[position] = replace(marked[position], error=str(failure))
    return tuple(marked)
