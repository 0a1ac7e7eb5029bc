"""Where trials take place: the service's own engine, a clock that the test moves, its callers, and what fails.

How a request gets to the engine and its answer back is an `Exchange`: in this process by a call, with the bytes Envoy
would send; through Envoy by a socket.
"""

from __future__ import annotations

from itertools import count
from operator import attrgetter
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from authz.content import Body
from authz.engine import Engine, Parts
from authz.model import BodyState
from authz.policy.documents.tests import BodyFault
from authz.testing.answers import carried, decided
from authz.testing.asking import Call, message
from authz.testing.callers import Cast
from authz.testing.counting import Counting
from authz.testing.results import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import NoReturn

    from authz.engine import Observer
    from authz.identity.providers import Provider
    from authz.model import Location, Outcome, Request
    from authz.policy import PolicySet
    from authz.policy.documents import DataSpec
    from authz.policy.documents.tests import Failing
    from authz.policy.source import Text
    from authz.testing.asking import Asked
    from authz.testing.callers import Signer
    from authz.testing.suites import Suite
    from authz.testing.trials import Act, Trial

DIRECT: Callable[[Request], str] = attrgetter("source.ip")
"""Who calls where no proxies are trusted: the direct peer."""

PATIENCE = 10.0
"""Seconds to wait for an outcome that is on its way."""


class Skipped(Exception):
    """An act that cannot be carried out here; the message says why."""


class Exchange(Protocol):
    """Brings a request to an engine."""

    def __call__(self, engine: Engine, asked: Asked, /) -> Mapping[str, Any]:
        """Return what the answer carries, as arguments of `Answer`; raises `Skipped` for what cannot be brought."""


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What is around a stage: who finds the caller, who is told of outcomes, how requests come, who signs tokens.

    `pause` is called before each request, for those who try policies beside the serving of requests; what it raises
    ends the run.
    """

    client_ip: Callable[[Request], str] = DIRECT
    observers: tuple[Observer, ...] = ()
    exchange: Exchange | None = None
    signer: Signer | None = None
    pause: Callable[[], None] = lambda: None


class Clock:
    """The time of a test: seconds since the epoch, moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


class Stage:
    """Where the trials of one document take place, one after the other: `begin` each, then `ask`."""

    def __init__(
        self, suite: Suite, policies: PolicySet, providers: Mapping[str, Provider], around: Surroundings | None = None
    ) -> None:
        around = Surroundings() if around is None else around
        self._clock = Clock()
        self._cast = Cast(providers, suite.document.spec.identities, self._clock, around.signer)
        self._around = around
        self._exchange = in_process if around.exchange is None else around.exchange
        self._policies = policies
        self._altered: dict[tuple[int, ...], PolicySet] = {(): policies}
        self._outcomes: SimpleQueue[Outcome] = SimpleQueue()
        self._located: Location | None = None

    def begin(self, trial: Trial) -> None:
        """Set the clock, forget every count, and have the data say what the trial says."""
        self._clock.now = trial.now
        self._cast.begin()
        self._snapshot = _Snapshot(policies=self._over(trial.data))
        self._limits = Counting(self._clock)
        self._engine = Engine(self._parts())

    def ask(self, act: Act, now: float) -> Answer:
        """Ask once, at a time; raises `Skipped` where that cannot be done."""
        self._around.pause()
        self._clock.now = now
        self._limits.down = act.faults.redis is not None
        self._cast.keys = act.faults.jwks
        self._located = act.asked.location
        carried_ = self._exchange(self._engine, self._sent(act, now))
        return Answer(**{**decided(self._outcomes.get(timeout=PATIENCE)), **carried_})

    def _over(self, data: Mapping[Text, DataSpec]) -> PolicySet:
        """Return the policies over what a trial says of data; made once for the same specs, which the suite holds."""
        key = tuple(map(id, data.values()))
        if key not in self._altered:
            self._altered[key] = self._policies.with_data(data)
        return self._altered[key]

    def _parts(self) -> Parts:
        return Parts(
            snapshot=lambda: self._snapshot,
            identifier=self._cast.identifier,
            limiter=self._limits,
            body=Body,
            client_ip=self._around.client_ip,
            locate=lambda _: self._located,
            clock=self._clock,
            monotonic=lambda: 0.0,
            ids=map("{:032x}".format, count(1)).__next__,
            trace=lambda _: "",
            fault=_raise,
            observers=(self._outcomes.put, *self._around.observers),
        )

    def _sent(self, act: Act, now: float) -> Asked:
        asked = msgspec.structs.replace(_failing(act.asked, act.faults), time=now)
        return asked if act.caller is None else self._cast.present(act.caller, asked)


def in_process(engine: Engine, asked: Asked) -> Mapping[str, Any]:
    """Have a request decided by a call, and read the answer as Envoy would."""
    call = Call()
    engine.check(message(asked), call)
    return carried(call.response)


class _Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    policies: PolicySet
    generation: int = 1
    commit: str = ""


def _failing(asked: Asked, faults: Failing) -> Asked:
    """Return a request as it arrives where bodies are cut off."""
    if faults.body is BodyFault.TRUNCATED and asked.body:
        return msgspec.structs.replace(asked, body_state=BodyState.TRUNCATED)
    return asked


def _raise(error: BaseException) -> NoReturn:
    raise error
