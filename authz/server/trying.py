"""One request tried out: the whole way from Envoy's bytes to Envoy's bytes, and why it came to that.

On the service's own engine, over policies that are handed in. Limits are looked at where they are counted, or begin
whole: nothing that is tried is charged to anybody or recorded.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import msgspec

from authz.config.settings import ClientSettings
from authz.content import Body
from authz.engine import Engine
from authz.errors import Unavailable
from authz.identity.claims import Claims, claim, texts, words
from authz.identity.forwarded import ForwardedTokens
from authz.identity.providers import Providers
from authz.limits.memory import MemoryLimiter
from authz.model import (
    ANONYMOUS,
    Charge,
    Decision,
    DocumentTrace,
    Effect,
    Identity,
    Limit,
    LimitOutcome,
    LimitUsage,
    Outcome,
    Reason,
    Usage,
)
from authz.policy import Facts
from authz.policy.explained import Counts
from authz.server.client import client_ip
from authz.server.deciding import parts
from authz.server.recalling import recalled
from authz.store import Snapshot
from authz.testing.asking import Call
from authz.testing.callers import put
from authz.wire import LimitHeaders

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from authz.engine import Limiter
    from authz.identity.claims import ClaimRules
    from authz.identity.providers import Provider
    from authz.model import Request
    from authz.policy import Explanation, Identifier, PolicySet, Secrets
    from authz.server.lines import Line

PATIENCE = 10.0
"""Seconds that are waited for identity providers."""


_NOBODY_ASKS = "the policies of this request name no identity provider: --as says nothing to them"


class Claimed:
    """Finds whom somebody says: the identity, as the named provider would have made it, or the request's first.

    `providers` are those of the policies that are tried. `unasked` says why nobody was found this way: empty once
    somebody was.
    """

    def __init__(self, subject: str, claims: Mapping[str, Any], provider: str | None = None) -> None:
        self._subject = subject
        self._claims = claims
        self._provider = provider
        self.providers: Mapping[str, Provider] = {}
        self.unasked = _NOBODY_ASKS

    def identify(
        self, providers: Sequence[str], _request: Request, _deadline: float, done: Callable[[Identity], None], /
    ) -> None:
        """Name the caller; nobody where the named provider is none of the request's."""
        provider = self._provider or providers[0]
        if provider not in providers:
            self.unasked = f'no policy of this request names the provider "{provider}": {", ".join(providers)}'
            done(ANONYMOUS)
            return
        if self.unasked == _NOBODY_ASKS:  # what is in shadow asks after those in force, who may have found nobody
            self.unasked = ""
        done(self._identity(provider))

    def _identity(self, provider: str) -> Identity:
        rules = _rules(self.providers.get(provider))
        names = rules.claims if rules else Claims()
        claims = dict(self._claims)
        put(claims, names.subject, self._subject)
        return Identity(
            authenticated=True,
            provider=provider,
            subject=self._subject,
            issuer=str(claims.get("iss", rules.issuer if rules else "")),
            roles=texts(claim(claims, names.roles)),
            groups=texts(claim(claims, names.groups)),
            scopes=words(claim(claims, names.scopes)),
            claims=claims,
        )


def _rules(provider: Provider | None) -> ClaimRules | None:
    """Return what a provider makes of claims, `None` for one that reads none."""
    if provider is None:
        return None
    return provider.witness.rules if isinstance(provider.witness, ForwardedTokens) else provider.rules


class Looking:
    """A limiter that only looks at another one."""

    def __init__(self, limiter: Limiter) -> None:
        self.charge = self.peek = limiter.peek


class Trying:
    """Tries requests on some policies; `find` is the caller behind trusted proxies.

    `limiter` has the counts that are looked at; without one every request finds its limits whole.
    """

    def __init__(
        self, policies: PolicySet, find: Callable[[Request], str] | None = None, limiter: Limiter | None = None
    ) -> None:
        self._policies = policies
        self._find = find or client_ip(ClientSettings())
        self._limiter = limiter

    def request(self, message: bytes, identifier: Identifier | None, moment: float) -> tuple[bytes, Outcome]:
        """Decide one serialized `CheckRequest` at a moment; raise `Unavailable` where nobody says who is calling."""
        if isinstance(identifier, Claimed) and isinstance(self._policies.identifier, Providers):
            identifier.providers = self._policies.identifier.by_name
        outcomes: list[Outcome] = []
        told, call = threading.Event(), Call()

        def observe(outcome: Outcome) -> None:
            outcomes.append(outcome)
            told.set()

        snapshot = Snapshot(policies=self._policies, generation=1, loaded_at=moment)
        made = parts(
            snapshot=lambda: snapshot,
            limiter=Looking(self._limiter) if self._limiter else MemoryLimiter(clock=lambda: moment),
            client_ip=self._find,
            fault=_raise,
            observers=(observe,),
            identifier=identifier,
            clock=lambda: moment,
            limit_headers=(LimitHeaders.DRAFT_11,),
        )
        Engine(made).check(message, call)
        if not told.wait(PATIENCE):
            raise Unavailable("no identity provider has answered in time")
        return call.response, outcomes[0]

    def explain(self, outcome: Outcome, secrets: Secrets) -> Explanation | None:
        """Explain what came of a request that was tried; `None` where there was none that could be read."""
        request = outcome.request
        if request is None:
            return None
        facts = Facts(
            request=request,
            identity=outcome.identity,
            body=Body(request),
            client_ip=outcome.client_ip,
            tried=outcome.tried,
        )
        explanation = self._policies.explain(facts, outcome.decision, outcome.usage, secrets)
        return msgspec.structs.replace(explanation, counts=Counts.PEEKED if self._limiter else Counts.WHOLE)

    def explain_record(self, line: Line, secrets: Secrets) -> Explanation | None:
        """Explain a recorded decision from what its record remembers; `None` where policies did not make it."""
        request = line.request
        if request is None or not line.decided:
            return None
        selection = self._policies.governing(request.host, request.path, request.method)
        facts, memory = recalled(line, selection.providers)
        return self._policies.explain(facts, _decision(line), _usage(line), secrets, memory)


def _raise(error: BaseException) -> None:
    raise error


class _Answered(msgspec.Struct, frozen=True):
    """What one limit answered, as a record has it."""

    name: str
    remaining: int
    reset: float
    outcome: LimitOutcome


def _decision(line: Line) -> Decision:
    return Decision(
        effect=Effect(line.decision),
        reason=Reason(line.reason),
        status=line.status,
        policy=line.policy,
        rule=line.rule,
        documents=tuple(msgspec.json.decode(each, type=DocumentTrace) for each in line.documents),
    )


def _usage(line: Line) -> Usage:
    answered = [msgspec.json.decode(each, type=_Answered) for each in line.limits]
    limits = [
        LimitUsage(
            charge=Charge(limit=Limit(name=each.name, requests=0, period=0.0), key=()),
            outcome=each.outcome,
            remaining=each.remaining,
            reset=each.reset,
        )
        for each in answered
    ]
    return Usage(admitted=line.effect == line.decision, limits=tuple(limits))
