"""The policies in force, what they select for a request, and the decision of what was selected.

One set of policies serves any number of requests from any thread; a selection belongs to one request. The way of
a decision is in `deciding`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from authz.model import Mode
from authz.policy import cors
from authz.policy.altered import altered, indexed
from authz.policy.compiling import limit
from authz.policy.deciding.case import Case
from authz.policy.deciding.lookups import DecisionReads
from authz.policy.deciding.recorded import redecide
from authz.policy.deciding.shadow import observed, seen
from authz.policy.deciding.steps import decide, preflight, require_one_reading, require_policy
from authz.policy.documents import Guardrail, IdentityProvider, Policy
from authz.policy.expiring import Expiring
from authz.policy.explaining import Asked, explain
from authz.policy.listing import Listed, ListedEntry, listed
from authz.policy.needs import Needs, needs
from authz.policy.routing.routes import segments

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from authz.cel import Attribute
    from authz.model import Charge, Decision, HeaderMutation, Limit, Request, Usage
    from authz.policy import compiled
    from authz.policy.deciding.plan import Plan, World
    from authz.policy.deciding.recorded import Memory, Redecided
    from authz.policy.documents import DataSpec, Document
    from authz.policy.explained import Explanation
    from authz.policy.facts import Facts
    from authz.policy.providers import Identifier
    from authz.policy.routing.entries import Entry
    from authz.policy.routing.index import Index
    from authz.policy.showing import Secrets
    from authz.policy.source import Text


class Selection:
    """What governs one request. `providers` are to identify the caller, in this order; for a preflight nobody is."""

    __slots__ = ("_case", "_plan", "_preflight", "_segments", "identity_required", "providers")

    def __init__(self, plan: Plan, segments: Sequence[str], *, preflight: bool = False) -> None:
        self._plan = plan
        self._segments = segments
        self._case: Case | None = None
        self._preflight = preflight
        self.providers = () if preflight else plan.providers
        self.identity_required = bool(plan.requiring) and not preflight

    @property
    def tried(self) -> tuple[str, ...]:
        """Return who would identify the caller to what is in shadow, where others do in force; nobody waits for it."""
        return () if self._preflight else self._plan.tried

    @property
    def plan(self) -> Plan:
        """Return how what governs the request is asked; the same for all requests that are asked alike."""
        return self._plan

    def redecide(self, facts: Facts, memory: Memory) -> Redecided:
        """Decide from what a record remembers; raise `UndeterminedError` where that does not settle it."""
        return redecide(self._plan, facts, self._segments, memory)

    def early_charges(self, facts: Facts) -> tuple[Charge, ...]:
        """Return what to peek at before rules run: the limits that count denials (POLICY.md, section 3, step 4).

        A limit that cannot say what it wants is left out here; that has its consequence in `decide`.
        """
        plan = self._plan
        if not plan.early_limits or self._preflight:
            return ()
        case = self._case = Case(plan, facts, self._segments)
        if require_one_reading(case) or require_policy(case):
            return ()
        return tuple(charge for step in plan.early_limits if (charge := case.foreseen(step)) is not None)

    def cors(self, facts: Facts) -> tuple[HeaderMutation, ...]:
        """Return what the answer says of pages of other origins, whatever is decided."""
        return cors.headers(self._plan.cors, facts.request)

    def decide(self, facts: Facts) -> Decision:
        """Decide the request; the same facts always get the same decision."""
        if self._preflight:
            return preflight(Case(self._plan, facts, self._segments))
        decision = self._remembered(facts)
        return replace(decision, cors=self.cors(facts)) if self._plan.cors else decision

    def _remembered(self, facts: Facts) -> Decision:
        memo = self._plan.memo
        values = memo.values(facts, self._segments) if memo is not None else None
        if memo is None or values is None:
            return self._decide(facts)
        decision = memo.find(self._plan, values)
        if decision is None:
            decision = self._decide(facts)
            if decision.reads is not None:
                decision.reads.entries()  # from here on it holds on to no request
            memo.keep(self._plan, values, decision)
            if not memo.pays:
                self._plan.memo = None
        return decision

    def _decide(self, facts: Facts) -> Decision:
        plan = self._plan
        case, self._case = self._case, None
        if case is None or case.facts is not facts:
            case = Case(plan, facts, self._segments)
        decision = decide(case)
        if plan.shadows or plan.shadow_rules:
            shadows = [Case(shadow, seen(shadow, facts), self._segments) for shadow in plan.shadows]
            decision = observed(decision, case, shadows)
        return replace(decision, reads=DecisionReads(plan, facts, self._segments))


class PolicySet:
    """The policies in force. `digest` names their text: the same files, the same digest.

    `identifier` is asked for the providers that a selection names; `reads` is what any document reads, `ending` are the
    entries of data that end.
    """

    def __init__(
        self,
        index: Index[compiled.Document, Plan],
        *,
        documents: Sequence[Document],
        governed: Sequence[Entry[compiled.Document]],
        reads: frozenset[Attribute],
        digest: str,
        identifier: Identifier,
        world: World,
        ending: tuple[ListedEntry, ...] = (),
    ) -> None:
        self._index = index
        self._world = world
        self._documents = documents
        self._governed = governed
        self._reads = reads
        self.digest = digest
        self.identifier = identifier
        self.ending = ending

    def select(self, request: Request) -> Selection:
        """Return what governs a request."""
        cut = segments(request.path)
        asked = cors.asked_method(request)
        if asked is not None:
            plan = self._index.find(request.host, cut, asked)
            if plan.cors:
                return Selection(plan, cut, preflight=True)
        return Selection(self._index.find(request.host, cut, request.method), cut)

    def keys_of(self, name: str) -> frozenset[str]:
        """Return the keys of an attribute that documents read, `""` where one reads all of it."""
        return frozenset(str(one.keys[0]) if one.keys else "" for one in self._reads if one.variable == name)

    def prepare(self, time: float) -> None:
        """Make what data says at a time and after the next end, so that no request has to; from any thread."""
        for value in self._world.data.values():
            if isinstance(value, Expiring):
                value.prepare(time)

    def retire(self, successor: PolicySet, pause: Callable[[], None]) -> list[object]:
        """Forget, with pauses, what requests left here and is not the successor's.

        Requests that still ask are answered as before, at the price of the first of their kind. Returns what else goes
        with these policies, for whoever lets go of them: of one piece after the other (`pauses.let_go`).
        """
        self._index.forget(pause)
        answers: frozenset[Plan] = successor._index.answers if self._world is successor.world else frozenset()
        self._world.remembered.forget(lambda plan: plan not in answers, pause)
        return [*self._documents, *self._governed]

    def explain(
        self, facts: Facts, decision: Decision, usage: Usage, secrets: Secrets, memory: Memory | None = None
    ) -> Explanation:
        """Explain a decision that these policies made, or would make, of what is known of a request."""
        request = facts.request
        selection = self.governing(request.host, request.path, request.method)
        asked = Asked(facts, decision, usage, secrets, memory)
        return explain(selection.plan, segments(request.path), asked, self._governed, self.documents)

    def with_data(self, data: Mapping[Text, DataSpec]) -> PolicySet:
        """Return these policies over other data, for those who try them; raise `Unfit` for what does not fit."""
        world = altered(self._world, data)
        return PolicySet(
            indexed(self._governed, world),
            documents=self._documents,
            governed=self._governed,
            reads=self._reads,
            digest=self.digest,
            identifier=self.identifier,
            world=world,
        )

    def governing(self, host: str, path: str, method: str) -> Selection:
        """Return what governs requests for a canonical host and path."""
        cut = segments(path)
        return Selection(self._index.find(host, cut, method), cut)

    @property
    def documents(self) -> tuple[Listed, ...]:
        """Return what there is, by kind and name, for people to look at."""
        return listed(self._documents)

    @property
    def world(self) -> World:
        """Return what expressions are evaluated in, for those who try them."""
        return self._world

    @property
    def written(self) -> tuple[Document, ...]:
        """Return the documents as they are written, for those who look at what authors wrote."""
        return tuple(self._documents)

    @property
    def needs(self) -> Needs:
        """Return what Envoy has to send for them; documents that are off need nothing."""
        governed = [entry for entry in self._governed if entry.document.mode is not Mode.OFF]
        return needs(governed, (each for each in self._documents if isinstance(each, IdentityProvider)))

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Return every limit there is, for people who ask about counts."""
        governing = [each for each in self._documents if isinstance(each, Policy | Guardrail)]
        return tuple(limit(each, written) for each in governing for written in each.spec.limits)
