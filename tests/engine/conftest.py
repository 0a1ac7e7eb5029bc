"""An engine with real policies, wire and limiter, and everything that it tells anybody."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from authz.cli.request import Asked, message
from authz.content import Body, SchemaValidators
from authz.engine import Engine, Parts
from authz.limits.memory import MemoryLimiter
from authz.model import ANONYMOUS, Charge, Identity, Outcome, Reason, Request, Usage
from authz.policy import Compiler
from authz.server.deciding import ids
from authz.store import Snapshot
from authz.telemetry import trace_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


NOON = 1_795_435_200.0
CANARY = "canary-secret-7c1f"

POLICIES = """\
apiVersion: authz/v1
kind: Policy
metadata: {name: orders}
spec:
  match: [{paths: ["/orders"]}]
  cors: {origins: ["https://app.example.com"]}
  rules:
    - {name: frozen, deny: 'request.method == "DELETE"', message: Orders stay.}
    - {name: sign-in, redirect: "https://login.example.com/", when: 'request.method == "HEAD"'}
    - name: writers
      allow: request.method in ["GET", "POST"]
      response_headers: {set: {x-orders: "1"}}
  limits:
    - {name: writes, when: request.method == "POST", key: client.ip, rate: 2/minute, on_error: deny}
---
apiVersion: authz/v1
kind: Policy
metadata: {name: carried}
spec:
  match: [{paths: ["/carried"]}]
  variables:
    long: '[1,2,3,4,5,6,7,8].map(n, request.query_one["q"]).join()'
  rules:
    - {name: far, redirect: "/${request.query_one['q']}", when: request.method == "PUT"}
    - {name: page, deny: request.method == "DELETE", status: 451, body: "${variables.long}"}
    - {name: header, allow: request.method == "GET", response_headers: {set: {x-q: "${variables.long}"}}}
    - {name: deep, allow: request.method == "POST", metadata: {body: "${request.json}"}}
---
apiVersion: authz/v1
kind: Policy
metadata: {name: guesses}
spec:
  match: [{paths: ["/guess"]}]
  cors: {origins: ["https://app.example.com"]}
  rules:
    - {name: right, allow: '"x-word" in request.headers'}
  limits:
    - {name: guesses, when: request.method != "TRACE", key: client.ip, rate: 1/minute, count: denied}
---
apiVersion: authz/v1
kind: Policy
metadata: {name: staff-only}
spec:
  match: [{paths: ["/staff"]}]
  identity: {providers: [staff]}
  rules:
    - {name: alice, allow: identity.subject == "alice"}
"""


class Clock:
    """Monotonic seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Caller:
    """A call whose answers are kept."""

    def __init__(self, deadline: float | None = None, metadata: Sequence[tuple[str, str | bytes]] = ()) -> None:
        self.deadline = deadline
        self.metadata = metadata
        self.cancelled = False
        self.answers: list[bytes] = []

    def answer(self, response: bytes, /) -> None:
        self.answers.append(response)

    @property
    def response(self) -> CheckResponse:
        """The one answer there was."""
        assert len(self.answers) == 1
        assert self.answers[0]
        return CheckResponse.FromString(self.answers[0])

    @property
    def reason(self) -> str:
        """The reason that Envoy is told; an answer without one allows nothing."""
        response = self.response
        told = response.dynamic_metadata.fields["reason"].string_value
        assert (response.status.code == 0) == (told == Reason.ALLOWED)
        return told


class Holding:
    """The memory limiter, whose word is kept back until `release`; who asks, how and until when is noted."""

    def __init__(self) -> None:
        self._limiter = MemoryLimiter(clock=lambda: NOON)
        self._held: list[tuple[Callable[[Usage], None], Usage]] = []
        self.deadlines: list[float] = []

    def charge(self, charges: Sequence[Charge], deadline: float, done: Callable[[Usage], None]) -> None:
        self.deadlines.append(deadline)
        self._limiter.charge(charges, deadline, lambda usage: self._held.append((done, usage)))

    def peek(self, charges: Sequence[Charge], deadline: float, done: Callable[[Usage], None]) -> None:
        self.deadlines.append(deadline)
        self._limiter.peek(charges, deadline, lambda usage: self._held.append((done, usage)))

    def release(self) -> None:
        """Say on another thread what was kept back, as the Redis limiter does."""
        held, self._held = self._held, []
        thread = threading.Thread(target=lambda: [done(usage) for done, usage in held])
        thread.start()
        thread.join()


class Door:
    """An identifier that lets the test say who it is, now or later, and what it was asked."""

    def __init__(self) -> None:
        self.identity: Identity | None = ANONYMOUS
        self.asked: list[tuple[tuple[str, ...], float]] = []
        self.done: Callable[[Identity], None] | None = None

    def identify(
        self, providers: Sequence[str], _request: Request, deadline: float, done: Callable[[Identity], None], /
    ) -> None:
        self.asked.append((tuple(providers), deadline))
        self.done = done
        if self.identity is not None:
            done(self.identity)


class Bench:
    """An engine, and everything that it told somebody."""

    def __init__(self, snapshot: Snapshot | None, **parts: Any) -> None:
        self.clock = Clock()
        self.outcomes: list[Outcome] = []
        self.faults: list[BaseException] = []
        given = {
            "snapshot": lambda: snapshot,
            "identifier": Door(),
            "limiter": MemoryLimiter(clock=lambda: NOON),
            "body": Body,
            "client_ip": lambda request: request.source.ip,
            "clock": lambda: NOON,
            "monotonic": self.clock,
            "ids": ids(),
            "trace": trace_id,
            "fault": self.faults.append,
            "observers": (self.outcomes.append,),
        }
        self.engine = Engine(Parts(**(given | parts)))

    def ask(
        self, method: str = "GET", path: str = "/orders", *, caller: Caller | None = None, **headers: str
    ) -> Caller:
        """Ask for one decision."""
        named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        return self.send(message(Asked(method=method, url=path, headers=named, ip="10.0.0.9", time=NOON)), caller)

    def send(self, content: bytes, caller: Caller | None = None) -> Caller:
        """Send bytes."""
        caller = caller or Caller()
        self.engine.check(content, caller)
        return caller

    @property
    def outcome(self) -> Outcome:
        """The one outcome there was."""
        assert len(self.outcomes) == 1
        return self.outcomes[0]


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    """Compile the policies."""
    made = Compiler(validators=SchemaValidators(), providers=("staff",))
    return Snapshot(policies=made.compile({"p.yaml": POLICIES.encode()}), generation=7, loaded_at=NOON)


@pytest.fixture
def make(snapshot: Snapshot) -> Callable[..., Bench]:
    """Return a maker of engines over the policies."""
    return lambda **parts: Bench(**{"snapshot": snapshot} | parts)
