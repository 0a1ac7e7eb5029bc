"""How a decision came about, found out by asking every rule again and watching each part of what it says.

Slow, and for people: the decision was made elsewhere and is not touched. All rules of the documents that govern a
request are asked, also those that the decision did not get to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.cel import SECRET, EvaluationError
from authz.model import Effect
from authz.policy.deciding.case import Case, Failed
from authz.policy.deciding.recorded import RecordedCase, UndeterminedError
from authz.policy.deciding.shadow import seen
from authz.policy.deciding.steps import met
from authz.policy.explained import Explanation, Near, Said, ShownDocument, ShownLimit, ShownRule
from authz.policy.nearby import nearby
from authz.policy.routing.routes import written
from authz.policy.showing import Showing
from authz.policy.wanting import missing, standing
from authz.policy.ways import ways

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from authz.model import Decision, Usage
    from authz.policy.compiled import Document
    from authz.policy.deciding.places import LimitStep, Place, RuleStep, ValidationStep
    from authz.policy.deciding.plan import Plan
    from authz.policy.deciding.recorded import Memory
    from authz.policy.explained import Missing, ShownTerm
    from authz.policy.facts import Facts
    from authz.policy.listing import Listed
    from authz.policy.routing.entries import Entry
    from authz.policy.showing import Secrets
    from authz.policy.terms import Term


class Asked:
    """What is known of one decision that is to be explained."""

    def __init__(self, facts: Facts, decision: Decision, usage: Usage, secrets: Secrets, memory: Memory | None) -> None:
        self.facts = facts
        self.decision = decision
        self.usage = usage
        self.secrets = secrets
        self.memory = memory

    def shadowing(self, shadow: Plan) -> Asked:
        """Return the same as a document in shadow is told it."""
        return Asked(seen(shadow, self.facts), self.decision, self.usage, self.secrets, self.memory)

    def case(self, plan: Plan, segments: Sequence[str]) -> Case:
        """Return a case of one plan, which may not know everything any more."""
        if self.memory is None:
            return Case(plan, self.facts, segments)
        return RecordedCase(plan, self.facts, segments, self.memory)


def explain(
    plan: Plan, segments: Sequence[str], asked: Asked, governed: Iterable[Entry[Document]], listed: Iterable[Listed]
) -> Explanation:
    """Explain a decision that a plan made."""
    places = {(each.kind, each.name): each for each in listed}
    documents = [
        _Explained(one, place, asked if one is plan else asked.shadowing(one), segments).document(
            places[place.document.kind, place.document.name]
        )
        for one in (plan, *plan.shadows)
        for place in one.places
    ]
    request = asked.facts.request
    selected = {place.document for one in (plan, *plan.shadows) for place in one.places}
    near = nearby(governed, selected, request.host, segments, request.method)
    return Explanation(
        decision=_decision(asked.decision),
        request=_request(asked),
        identity=_identity(asked),
        documents=tuple(documents),
        near=tuple(_near(places[document.kind, document.name], why) for document, why in near),
        ways=tuple(ways(documents, asked.decision)),
    )


class _Explained:
    """The explanation of one document."""

    def __init__(self, plan: Plan, place: Place, asked: Asked, segments: Sequence[str]) -> None:
        self._plan = plan
        self._place = place
        self._asked = asked
        self._case = asked.case(plan, segments)
        known = plan.world.environment.variables
        self._showing = Showing(asked.secrets, (name for name, type_ in known.items() if type_ == SECRET))
        self._variables: dict[str, ShownTerm] = {}

    def document(self, listed: Listed) -> ShownDocument:
        """Return what the document said."""
        document, decision = self._place.document, self._asked.decision
        steps = [step for step in self._plan.rules if step.place is self._place]
        rules = tuple(map(self._rule, steps))
        traces = [trace for trace in decision.documents if (trace.kind, trace.name) == (document.kind, document.name)]
        return ShownDocument(
            kind=document.kind,
            name=document.name,
            mode=document.mode,
            file=listed.file,
            line=listed.line,
            route=written(self._plan.templates[self._place.position]),
            outcome=traces[0].outcome if traces else "none",
            error=(traces[0].error or "") if traces else "",
            needs_identity=document.identity_required,
            providers=document.providers,
            validations=dict(self._validations()),
            rules=rules,
            limits=tuple(self._limit(step) for step in self._plan.limits if step.place is self._place),
            variables=self._variables,
        )

    def _rule(self, step: RuleStep) -> ShownRule:
        rule, decision = step.rule, self._asked.decision
        said, error = self._said(step)
        when, condition = self._shown(rule.when), self._shown(rule.test)
        lacking: tuple[Missing, ...] = ()
        if rule.effect is Effect.ALLOW and said is not Said.HOLDS:
            lacking = (*missing(when, self._variables), *missing(condition, self._variables))
        elif rule.effect is not Effect.ALLOW and said is Said.HOLDS:
            lacking = standing(condition or when, self._variables)
        return ShownRule(
            name=rule.name,
            effect=rule.effect,
            mode=rule.mode,
            said=said,
            settled=(decision.policy, decision.rule) == (self._place.document.name, rule.name),
            error=error,
            when=when,
            condition=condition,
            missing=lacking,
        )

    def _said(self, step: RuleStep) -> tuple[Said, str]:
        """Return what a rule says, asked by itself."""
        evaluation = self._case.evaluation
        try:
            for term in (step.rule.when, step.rule.test):
                held = evaluation.truth(term, step.scope)
                if isinstance(held, EvaluationError):
                    return Said.ERROR, held.message
                if not held:
                    return Said.FAILS, ""
        except UndeterminedError as error:
            return Said.UNKNOWN, f"not recorded: {', '.join(sorted(_named(each) for each in error.attributes))}"
        return Said.HOLDS, ""

    def _shown(self, term: Term | None) -> ShownTerm | None:
        """Return an expression part by part; its variables are shown once for the document."""
        if term is None:
            return None
        scope = self._place.scope
        for name in term.late:
            variable = self._plan.scopes[scope].variables.get(name)
            if variable is not None and name not in self._variables:
                trace = self._case.evaluation.trace(variable, scope)
                self._variables[name] = self._showing.variable(name, trace)
        return self._showing.term(self._case.evaluation.trace(term, scope))

    def _validations(self) -> Iterator[tuple[str, str]]:
        for step in self._plan.validations:
            if step.place is self._place:
                yield step.validation.name, self._validated(step)

    def _validated(self, step: ValidationStep) -> str:
        validation = step.validation
        try:
            if validation.when is not None and not self._case.applies(validation.when, step.place, validation.name):
                return "does not apply"
            verdict = met(self._case, step)
        except (Failed, UndeterminedError) as error:
            return f"error: {error}"
        return "met" if verdict is None else f"{verdict.reason}: {verdict.error or 'not met'}"

    def _limit(self, step: LimitStep) -> ShownLimit:
        limit, usages = step.limit.limit, self._asked.usage.limits
        name, own = limit.name, (limit.name, limit.guardrail)
        usage = next((one for one in usages if (one.charge.limit.name, one.charge.limit.guardrail) == own), None)
        traces = [self._case.evaluation.trace(term, self._place.scope) for term in step.limit.key]
        try:
            charge = Case.charge(self._case, step)
        except (Failed, UndeterminedError) as error:
            return ShownLimit(name=name, applies=True, error=str(error))
        if charge is None:
            return ShownLimit(name=name, applies=False)
        return ShownLimit(
            name=name,
            applies=True,
            key=tuple(map(self._showing.value, traces)),
            cost=charge.cost,
            outcome="" if usage is None else usage.outcome,
            remaining=None if usage is None else usage.remaining,
            reset=None if usage is None else round(usage.reset, 3),
        )


def _decision(decision: Decision) -> dict[str, object]:
    return {
        "effect": decision.effect,
        "reason": decision.reason,
        "status": decision.status,
        "policy": decision.policy,
        "rule": decision.rule,
        "errors": [{"rule": error.rule, "error": error.error} for error in decision.errors],
    }


def _request(asked: Asked) -> dict[str, object]:
    request, secrets = asked.facts.request, asked.secrets
    return {
        "method": request.method,
        "host": request.host,
        "path": request.path,
        "query_names": sorted({pair.partition("=")[0] for pair in request.query.split("&") if "=" in pair}),
        "headers": secrets.redacted("request.headers", dict(request.headers)),
        "body": request.body_state,
        "source": request.source.ip,
        "client": asked.facts.client_ip,
    }


def _identity(asked: Asked) -> dict[str, object]:
    identity = asked.facts.identity
    return {
        "authenticated": identity.authenticated,
        "provider": identity.provider,
        "subject": identity.subject,
        "issuer": identity.issuer,
        "roles": list(identity.roles),
        "groups": list(identity.groups),
        "scopes": list(identity.scopes),
        "claims": asked.secrets.redacted("identity.claims", dict(identity.claims)),
        "key_id": identity.key_id,
        "error": identity.error,
        "detail": identity.detail,
    }


def _near(listed: Listed, why: str) -> Near:
    return Near(kind=listed.kind, name=listed.name, file=listed.file, line=listed.line, because=why)


def _named(attribute: tuple[str, str | None]) -> str:
    name, key = attribute
    return name if key is None else f'{name}["{key}"]'
