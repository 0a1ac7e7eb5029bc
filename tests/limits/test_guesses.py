"""Limits on denials hold also for requests that come at once."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.content import SchemaValidators
from authz.limits.guesses import MOST, CrowdedError, Guesses, Waiting
from authz.limits.memory import MemoryLimiter
from authz.model import Algorithm, Charge, Limit, LimitOutcome, LimitUsage, Usage
from authz.policy import Compiler
from authz.store import Snapshot
from tests.engine.conftest import NOON, Bench, Caller
from tests.limits.conftest import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import redis

    from authz.limits.guesses import Counter as Held
    from authz.model import Outcome

POLICY = b"""
apiVersion: authz/v1
kind: Policy
metadata: {name: login}
spec:
  match: [{paths: ["/**"]}]
  rules: [{name: right, allow: 'request.headers["x-pin"] == "0042"'}]
  limits:
    - {name: guesses, key: client.ip, rate: 3/minute, count: denied, algorithm: fixed-window}
    - {name: calls, key: client.ip, rate: 10000/minute}
"""


class Far:
    """A store at a distance: what is asked before it answers is asked in time."""

    def __init__(self) -> None:
        self._near = MemoryLimiter(clock=lambda: NOON)
        self._answers: deque[tuple[Callable[[Usage], None], Usage]] = deque()

    def peek(self, charges: Sequence[Charge], deadline: float, done: Callable[[Usage], None]) -> None:
        """Look, and tell later."""
        self._near.peek(charges, deadline, lambda usage: self._answers.append((done, usage)))

    def charge(self, charges: Sequence[Charge], deadline: float, done: Callable[[Usage], None]) -> None:
        """Charge, and tell later."""
        self._near.charge(charges, deadline, lambda usage: self._answers.append((done, usage)))

    def arrive(self) -> None:
        """Tell all answers, in the order of the questions."""
        while self._answers:
            done, usage = self._answers.popleft()
            done(usage)


@pytest.fixture
def bench() -> Bench:
    """Return an engine that asks a store at a distance."""
    policies = Compiler(validators=SchemaValidators()).compile({"p.yaml": POLICY})
    return Bench(Snapshot(policies=policies, generation=1, loaded_at=NOON), limiter=Far())


def arrive(bench: Bench) -> Counter[str]:
    """Have the store answer, and return the reasons that were given."""
    bench.engine._parts.limiter.arrive()  # type: ignore[attr-defined]
    return Counter(outcome.decision.reason.value for outcome in bench.outcomes)


def test_as_many_guess_at_once_as_one_after_the_other(bench: Bench) -> None:
    """R1, POLICY.md, section 3, step 4: all of a hundred looked before the first was counted, and one was right."""
    for pin in range(100):
        bench.ask(path="/x", x_pin=f"{pin:04}")
    assert arrive(bench) == {"no_rule": 3, "rate_limited": 97}


def test_those_who_are_right_wait_for_each_other_and_are_let_in(bench: Bench) -> None:
    """However many come at once, and however little room there is: nothing of it is theirs to use up."""
    for _ in range(100):
        bench.ask(path="/x", x_pin="0042")
    assert arrive(bench) == {"allowed": 100}
    assert bench.engine._guesses._under_way == bench.engine._guesses._waiting == {}


def test_what_the_policies_deny_uses_up_nothing_of_those_who_are_let_in(bench: Bench) -> None:
    """R10: the rules are asked first; of the two limits only the one that counts denials is charged for one."""
    bench.ask(path="/x", x_pin="0000")
    bench.ask(path="/x", x_pin="0042")
    assert arrive(bench) == {"no_rule": 1, "allowed": 1}
    denied, allowed = ({each.charge.limit.name: each.remaining for each in one.usage.limits} for one in bench.outcomes)
    assert denied == {"login/guesses": 2}
    assert allowed == {"login/calls": 9999}


def test_nobody_waits_past_their_deadline(bench: Bench) -> None:
    """What can't be told in time is denied in time."""
    for _ in range(3):
        bench.ask(path="/x", x_pin="0042")
    late = bench.ask(path="/x", x_pin="0042", caller=Caller(deadline=bench.clock() + 0.02))
    assert arrive(bench) == {"allowed": 3, "deadline": 1}
    assert late.response.denied_response.status.code == 503


def test_no_more_wait_than_there_is_room_for(bench: Bench) -> None:
    """One more is overload: a flood for one counter must not fill the memory."""
    for _ in range(3 + MOST + 5):
        bench.ask(path="/x", x_pin="0042")
    assert arrive(bench) == {"allowed": 3 + MOST, "overloaded": 5}


def test_the_same_holds_before_a_real_store(valkey: str, client: redis.Redis) -> None:
    """R1: with answers on another thread, and with guesses that go on coming while they do."""
    client.flushall()
    policies = Compiler(validators=SchemaValidators()).compile({"p.yaml": POLICY})
    told = threading.Semaphore(0)
    with opened(valkey) as limiter:
        snapshot = Snapshot(policies=policies, generation=1, loaded_at=NOON)
        outcomes: list[Outcome] = []

        def observe(outcome: Outcome) -> None:
            outcomes.append(outcome)
            told.release()

        bench = Bench(snapshot, limiter=limiter, monotonic=time.monotonic, observers=(observe,))
        for pin in range(300):
            bench.ask(path="/x", x_pin="0042" if pin % 100 == 0 else f"9{pin:03}")
        assert all(told.acquire(timeout=20) for _ in range(300))
    reasons = Counter(outcome.decision.reason.value for outcome in outcomes)
    assert reasons["no_rule"] <= 3
    assert reasons["no_rule"] + reasons["rate_limited"] + reasons["allowed"] + reasons["overloaded"] == 300


def usage(name: str, remaining: int, outcome: LimitOutcome = LimitOutcome.OK) -> LimitUsage:
    """Return what a look at a counter found."""
    limit = Limit(name=name, requests=10, period=60.0, algorithm=Algorithm.FIXED_WINDOW)
    charge = Charge(limit=limit, key=("k",), cost=1)
    return LimitUsage(charge=charge, outcome=outcome, remaining=remaining, reset=0.0)


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "ab", ""]), st.integers(1, 3), st.booleans()), max_size=40))
def test_whoever_waits_is_woken(plans: list[tuple[str, int, bool]]) -> None:
    """Whichever counters they wait for, and also where the store is gone when they look again."""
    guesses, ended = Guesses(lambda: 0.0), set()
    entered: deque[tuple[int, tuple[Held, ...]]] = deque()

    def come(number: int, held: tuple[Held, ...], *, again: bool) -> None:
        names, remaining, gone = plans[number]
        outcome = LimitOutcome.DEGRADED_ALLOW if gone and again else LimitOutcome.OK
        limits = tuple(usage(name, remaining, outcome) for name in names)
        waiting = Waiting(lambda held: come(number, held, again=True), 1.0)
        counters = guesses.enter(Usage(admitted=True, limits=limits), waiting, held)
        if counters is not None:
            entered.append((number, counters))

    for number in range(len(plans)):
        come(number, (), again=False)
    while entered:
        number, counters = entered.popleft()
        ended.add(number)
        guesses.leave(counters)
    assert ended == set(range(len(plans)))
    assert guesses._under_way == guesses._waiting == {}


def test_what_is_full_raises_for_one_more() -> None:
    """The engine makes a denial of it."""
    guesses, one = Guesses(lambda: 0.0), Usage(admitted=True, limits=(usage("a", 1),))
    waiting = Waiting(lambda _: None, 1.0)
    assert guesses.enter(one, waiting)
    assert [guesses.enter(one, waiting) for _ in range(MOST)] == [None] * MOST
    with pytest.raises(CrowdedError):
        guesses.enter(one, waiting)
