"""Trials, run in process: the service's own engine on a clock that the test moves, with limits counted in memory.

Bytes go in as Envoy would send them and come out as Envoy would read them. Nothing waits and nothing is shared between
trials: each begins at its own time, with nothing counted.
"""

from __future__ import annotations

import re
import time
from itertools import count
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from authz.content import Body
from authz.engine import Engine, Parts
from authz.errors import PolicyFaults
from authz.model import BodyState
from authz.policy.documents.tests import BodyFault
from authz.testing.answers import answer_of
from authz.testing.asking import message
from authz.testing.callers import Cast
from authz.testing.comparing import compare
from authz.testing.counting import Counting
from authz.testing.results import Finding, Result, Verdict
from authz.testing.suites import check, providers_of
from authz.testing.trials import trials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import NoReturn

    from authz.engine import Observer
    from authz.identity.providers import Provider
    from authz.model import Location, Outcome, Request
    from authz.policy import PolicySet
    from authz.policy.documents import DataSpec
    from authz.policy.documents.tests import Failing
    from authz.policy.source import Text
    from authz.testing.asking import Asked
    from authz.testing.results import Answer
    from authz.testing.suites import Suite
    from authz.testing.trials import Act, Trial

DIRECT: Callable[[Request], str] = attrgetter("source.ip")
"""Who calls where no proxies are trusted: the direct peer."""


class Skipped(Exception):
    """An act that cannot be carried out here; the message says why."""


class Carrier(msgspec.Struct, frozen=True, kw_only=True):
    """How acts are carried out: `begin` is told when a trial starts, `ask` gets each request and the moment it is made.

    `ask` raises `Skipped` for what it cannot carry.
    """

    begin: Callable[[Trial], None]
    ask: Callable[[Act, float], Answer]


def run(
    suites: Sequence[Suite],
    policies: PolicySet,
    *,
    only: str = "",
    client_ip: Callable[[Request], str] = DIRECT,
    observers: tuple[Observer, ...] = (),
) -> tuple[Result, ...]:
    """Run the tests whose titles match `only`; raise `PolicyFaults` where they name what the policies do not have."""
    faults = check(suites, policies)
    if faults:
        raise PolicyFaults(faults)
    providers = providers_of(policies)
    return tuple(
        result
        for suite in suites
        for result in results(suite, Stage(suite, policies, providers, client_ip, observers).carrier, only)
    )


def results(suite: Suite, carrier: Carrier, only: str = "") -> Iterator[Result]:
    """Yield the results of a document, each as it is known."""
    pattern = re.compile(only, re.IGNORECASE)
    for trial in trials(suite):
        begun = time.perf_counter()
        blank = Result(
            file=suite.file, line=trial.line, column=trial.column, suite=suite.name, group=trial.group, name=trial.name,
            verdict=Verdict.PASSED,
        )  # fmt: skip
        if pattern.search(blank.title):
            yield msgspec.structs.replace(_tried(trial, carrier, blank), seconds=time.perf_counter() - begun)


def _tried(trial: Trial, carrier: Carrier, blank: Result) -> Result:
    try:
        findings = tuple(_findings(trial, carrier))
    except Skipped as skipped:
        return msgspec.structs.replace(blank, verdict=Verdict.SKIPPED, why=str(skipped))
    failed = any(finding.differences for finding in findings)
    return msgspec.structs.replace(
        blank, verdict=Verdict.FAILED if failed else Verdict.PASSED, findings=findings
    )  # fmt: skip


def _findings(trial: Trial, carrier: Carrier) -> Iterator[Finding]:
    now = trial.now
    carrier.begin(trial)
    for act in trial.acts:
        now += act.after
        for turn in range(act.repeat):
            now += act.every if turn else 0.0
            answer = carrier.ask(act, now)
        yield Finding(
            asked=act.title, answer=answer, differences=compare(act.expect, answer), step=act.step, line=act.line,
            column=act.column,
        )  # fmt: skip


class Clock:
    """The time of a test: seconds since the epoch, moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


class Stage:
    """Where the trials of one document take place: an engine, its clock, its callers and what fails."""

    def __init__(
        self,
        suite: Suite,
        policies: PolicySet,
        providers: Mapping[str, Provider],
        client_ip: Callable[[Request], str] = DIRECT,
        observers: tuple[Observer, ...] = (),
    ) -> None:
        self.clock = Clock()
        self.cast = Cast(providers, suite.document.spec.identities, self.clock)
        self._policies = policies
        self._altered: dict[tuple[int, ...], PolicySet] = {(): policies}
        self._client_ip = client_ip
        self._observers = observers
        self._outcomes: list[Outcome] = []
        self._located: Location | None = None
        self.carrier = Carrier(begin=self._begin, ask=self._ask)

    def _begin(self, trial: Trial) -> None:
        self.clock.now = trial.now
        self.cast.begin()
        self._snapshot = _Snapshot(policies=self._over(trial.data))
        self._limits = Counting(self.clock)
        self._engine = Engine(self._parts())

    def _over(self, data: Mapping[Text, DataSpec]) -> PolicySet:
        """Return the policies over what a trial says of data; made once for the same specs, which the suite holds."""
        key = tuple(map(id, data.values()))
        if key not in self._altered:
            self._altered[key] = self._policies.with_data(data)
        return self._altered[key]

    def _parts(self) -> Parts:
        return Parts(
            snapshot=lambda: self._snapshot,
            identifier=self.cast.identifier,
            limiter=self._limits,
            body=Body,
            client_ip=self._client_ip,
            locate=lambda _: self._located,
            clock=self.clock,
            monotonic=lambda: 0.0,
            ids=map("{:032x}".format, count(1)).__next__,
            trace=lambda _: "",
            fault=_raise,
            observers=(self._outcomes.append, *self._observers),
        )

    def _ask(self, act: Act, now: float) -> Answer:
        self.clock.now = now
        self._limits.down = act.faults.redis is not None
        self.cast.keys = act.faults.jwks
        self._located = act.asked.location
        call = _Call()
        self._engine.check(message(self._sent(act, now)), call)
        return answer_of(self._outcomes.pop(), call.response)

    def _sent(self, act: Act, now: float) -> Asked:
        asked = msgspec.structs.replace(_failing(act.asked, act.faults), time=now)
        return asked if act.caller is None else self.cast.present(act.caller, asked)


class _Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    policies: PolicySet
    generation: int = 1


class _Call:
    """The call that a transport would bring."""

    deadline = None
    cancelled = False
    metadata = ()
    response = b""

    def answer(self, response: bytes) -> None:
        self.response = response


def _failing(asked: Asked, faults: Failing) -> Asked:
    """Return a request as it arrives where bodies are cut off."""
    if faults.body is BodyFault.TRUNCATED and asked.body:
        return msgspec.structs.replace(asked, body_state=BodyState.TRUNCATED)
    return asked


def _raise(error: BaseException) -> NoReturn:
    raise error


def titles(suites: Iterable[Suite]) -> Iterator[str]:
    """Yield what tests are called, without running any."""
    for suite in suites:
        for trial in trials(suite):
            yield " / ".join(part for part in (suite.name, trial.group, trial.name) if part)
