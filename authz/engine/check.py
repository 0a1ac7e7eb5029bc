"""The one place where the order is written: read, identify, decide, charge, conclude, write, record.

A check is a small object that carries what is known so far from step to step. Steps that may have to wait
(an identity provider, the limiter) take a `done` callback, call it exactly once and from any thread; everything
else happens on the thread that brought the bytes. One policy snapshot is taken at the start and kept to the end.

Nothing here reads a clock, a file or a socket: clocks and ids are handed in. Nothing here can end without an
answer: what is raised on the way becomes a denial with a reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from authz.engine.concluding import conclude, limited, refused
from authz.errors import Refusal
from authz.limits.guesses import MARGIN, CrowdedError, Guesses, Waiting
from authz.model import ANONYMOUS, UNLIMITED, Outcome, Reason
from authz.policy import UNTOLD, Facts
from authz.wire import LAST_RESORT, read

if TYPE_CHECKING:
    from authz.engine.parts import Call, Parts
    from authz.limits.guesses import Counter
    from authz.model import Charge, Decision, Identity, Request, Usage
    from authz.policy import Identifier, Selection

HEALTH_SERVICES = frozenset({"", "envoy.service.auth.v3.Authorization"})
"""The names `grpc.health.v1.Health/Check` knows."""

GIVE_UP = 0.002
"""Seconds before the caller's deadline at which an answer must leave to be of use."""

NO_BUDGET = 3600.0
"""Seconds granted to a caller that set no deadline; the limiter's own time limit is far below."""


class Engine:
    """Answers checks. `serving` is what the health service says; the server turns it off to drain."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._guesses = Guesses(parts.monotonic)
        self.serving = True

    def check(self, message: bytes, call: Call) -> None:
        """Decide one serialized `CheckRequest` and answer the call, now or when the limiter has spoken."""
        check = _Check(self._parts, call, self._guesses)
        try:
            check.read(message)
            check.identify()
        except Refusal as refusal:
            check.refuse(Reason(refusal.reason), refusal.detail)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the caller gets a denial
            check.fail(error)

    def refuse(self, reason: Reason, call: Call) -> None:
        """Answer a call that is not decided: overload, oversize, shutting down."""
        _Check(self._parts, call, self._guesses).refuse(reason, "")

    def health(self, service: str) -> bool | None:
        """Say whether checks can be decided; `None` for a service we do not offer."""
        if service not in HEALTH_SERVICES:
            return None
        return self.serving and self._parts.snapshot() is not None


class _Check:
    """One check on its way. Every step ends in the next one, in `refuse`, or in `fail`; `_answer` ends them all."""

    __slots__ = (
        "_answered", "_call", "_client_ip", "_deadline", "_decision", "_early", "_facts", "_guesses", "_held",
        "_identity", "_parts", "_request", "_selection", "_snapshot", "_started", "_tick", "_tried",
    )  # fmt: skip

    def __init__(self, parts: Parts, call: Call, guesses: Guesses) -> None:
        self._parts = parts
        self._call = call
        self._guesses = guesses
        self._held: tuple[Counter, ...] = ()
        self._early: tuple[Charge, ...] = ()
        self._snapshot = parts.snapshot()
        self._started = parts.clock()
        self._tick = parts.monotonic()
        deadline = call.deadline
        self._deadline = self._tick + NO_BUDGET if deadline is None else deadline - GIVE_UP
        self._request: Request | None = None
        self._client_ip = ""
        self._identity = ANONYMOUS
        self._tried: Identity | None = None
        self._answered = False

    def read(self, message: bytes) -> None:
        self._request = request = read(message, now=self._started, body_limit=self._parts.body_limit)
        self._client_ip = self._parts.client_ip(request)

    def identify(self) -> None:
        request = self._request
        assert request is not None  # noqa: S101 - `read` comes first; says so to the type checker
        if self._snapshot is None:
            self.refuse(Reason.NO_POLICY, "no policies are loaded")
            return
        policies = self._snapshot.policies
        self._selection: Selection = policies.select(request)
        if self._selection.providers:
            self._identifier().identify(self._selection.providers, request, self._deadline, self._identified)
        else:
            self._peek()

    def _identifier(self) -> Identifier:
        snapshot, identifier = self._snapshot, self._parts.identifier
        assert snapshot is not None  # noqa: S101 - without policies nobody is identified
        return snapshot.policies.identifier if identifier is None else identifier

    def _identified(self, identity: Identity) -> None:
        self._identity = identity
        try:  # as in every `done`: on a thread that is not the transport's nobody else would catch what is raised
            self._peek()
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the caller gets a denial
            self.fail(error)

    def _peek(self) -> None:
        """Ask the limits that count denied requests first, so that guessing costs (POLICY.md, section 3, step 4)."""
        request = self._request
        assert request is not None  # noqa: S101 - as above
        parts = self._parts
        if self._selection.tried:
            self._tried = self._try(request)
        self._facts = Facts(
            request=request,
            identity=self._identity,
            body=parts.body(request),
            client_ip=self._client_ip,
            locate=parts.locate,
            tried=self._tried,
        )
        charges = self._selection.early_charges(self._facts)
        if charges:
            self._early = charges
            parts.limiter.peek(charges, self._deadline, self._peeked)
        else:
            self._decide()

    def _try(self, request: Request) -> Identity:
        """Ask who is calling for what is in shadow; nobody waits for the answer, and no fault in it is the caller's."""
        found: list[Identity] = []
        try:
            self._identifier().identify(self._selection.tried, request, self._deadline, found.append)
        except Exception as error:  # noqa: BLE001 - what is in shadow changes no answer
            self._parts.fault(error)
        return found[0] if found else UNTOLD

    def _peeked(self, usage: Usage) -> None:
        try:
            if not usage.admitted:
                self._limit(usage)
            elif self._may_try(usage):
                self._decide()
        except Exception as error:  # noqa: BLE001 - as above
            self.fail(error)

    def _may_try(self, usage: Usage) -> bool:
        """Say whether the rules may be asked now: not while those that are asked may use up a limit on denials."""
        before, self._held = self._held, ()
        try:
            held = self._guesses.enter(usage, Waiting(self._look_again, self._deadline), before)
        except CrowdedError:
            self.refuse(Reason.OVERLOADED, "too many wait for the same limit on denials")
            return False
        if held is not None:
            self._held = held
        return held is not None

    def _look_again(self, held: tuple[Counter, ...]) -> None:
        self._held = held
        try:
            if self._parts.monotonic() > self._deadline - MARGIN:
                self.refuse(Reason.DEADLINE, "waited for others that the same limit on denials counts")
            else:
                self._parts.limiter.peek(self._early, self._deadline, self._peeked)
        except Exception as error:  # noqa: BLE001 - as above
            self.fail(error)

    def _limit(self, usage: Usage) -> None:
        cors = self._selection.cors(self._facts)
        self._answer(msgspec.structs.replace(limited(usage), cors=cors), usage)

    def _decide(self) -> None:
        decision = self._selection.decide(self._facts)
        if decision.charges:
            self._decision = decision
            self._parts.limiter.charge(decision.charges, self._deadline, self._charged)
        else:
            self._answer(decision, UNLIMITED)

    def _charged(self, usage: Usage) -> None:
        try:
            self._answer(self._decision, usage)
        except Exception as error:  # noqa: BLE001 - as above
            self.fail(error)

    def refuse(self, reason: Reason, detail: str) -> None:
        self._answer(refused(reason), UNLIMITED, detail)

    def fail(self, error: BaseException) -> None:
        """Deny for a fault of ours, with the last resort where even that can't be done, and tell it."""
        try:
            self.refuse(Reason.INTERNAL_ERROR, type(error).__name__)
        except Exception:  # noqa: BLE001 - what an answer is made of is what is broken
            self._call.answer(LAST_RESORT)
            self._leave()
        self._parts.fault(error)

    def _answer(self, decision: Decision, usage: Usage, detail: str = "") -> None:
        if self._answered:  # by a part that called `done` and then raised: one answer, one record
            return
        parts, call, snapshot = self._parts, self._call, self._snapshot
        now = parts.monotonic()
        unrecorded = parts.unrecorded is not None and parts.unrecorded()
        late = now > self._deadline
        outcome = Outcome(
            id=parts.ids(),
            decision=conclude(decision, usage, cancelled=call.cancelled, late=late, unrecorded=unrecorded),
            request=self._request,
            client_ip=self._client_ip,
            identity=self._identity,
            tried=self._tried,
            usage=usage,
            generation=snapshot.generation if snapshot else 0,
            policy_digest=snapshot.policies.digest if snapshot else "",
            policy_commit=snapshot.commit if snapshot else "",
            detail=self._detail(decision, detail),
            trace_id=parts.trace(call.metadata),
            parent_span=parts.parent(call.metadata) if parts.parent else "",
            started=self._started,
            duration=now - self._tick,
        )
        call.answer(parts.write(outcome))
        self._answered = True
        self._leave()
        self._tell(outcome)

    def _detail(self, decision: Decision, detail: str) -> str:
        """Return what operators are told beside the reason."""
        request = self._request
        if decision.reason is Reason.AMBIGUOUS_REQUEST and request is not None and request.ambiguities:
            return f"the path has {' and '.join(sorted(request.ambiguities))}: not every document permits it"
        return detail or self._identity.detail

    def _leave(self) -> None:
        """Let those go on that wait for this one."""
        held, self._held = self._held, ()
        if held:
            self._guesses.leave(held)

    def _tell(self, outcome: Outcome) -> None:
        """Tell the observers; the answer has been given, and a fault of one keeps nothing from the others."""
        for observe in self._parts.observers:
            try:
                observe(outcome)
            except Exception as error:  # noqa: BLE001 - a broken observer must not become a second answer
                self._parts.fault(error)
