"""A check of which a part is broken: whatever is raised, and wherever, there is one denied answer and one record."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from authz import wire
from authz.audit import line_of
from authz.cli.request import Asked, message
from authz.content import SchemaValidators
from authz.engine import Engine
from authz.limits.memory import MemoryLimiter
from authz.model import ANONYMOUS, Charge, Outcome, Reason, Usage
from authz.policy import Compiler
from authz.policy.routing.index import Index
from authz.store import Snapshot
from authz.transport.service import CHECK, Method
from authz.transport.service import check as transport_check
from tests.engine.conftest import CANARY, NOON, POLICIES, Bench, Caller, Door, Holding

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from authz.policy import PolicySet
    from authz.policy.terms import Watch


class Broken:
    """Raises a secret wherever it is touched."""

    def __init__(self, after: int = 0) -> None:
        self._left = after

    def __call__(self, *_: object) -> Any:
        if self._left:
            self._left -= 1
            return NOON
        raise ValueError(CANARY)

    identify = charge = peek = select = __call__


def _raises(*_: object) -> Any:
    raise RecursionError(CANARY)


def _no_expression_works(_document: object) -> Watch:
    return lambda _written, _span, expression: msgspec.structs.replace(expression, holds=_raises, value=_raises)


def broken_policies(*, selecting: bool) -> PolicySet:
    """Return policies that raise when they are asked what governs a request, or else in every expression."""
    made = Compiler(validators=SchemaValidators(), providers=("staff",), watch=_no_expression_works)
    policies = made.compile({"p.yaml": POLICIES.encode()})
    if selecting:
        policies._index = Index(_raises)
    return policies


def check_denied(bench: Bench, caller: Caller) -> None:
    """Assert one denial for a fault of ours, one record, and the secret in none of them."""
    response = caller.response
    assert caller.reason == Reason.INTERNAL_ERROR
    assert response.denied_response.status.code == 500
    assert bench.outcome.decision.reason is Reason.INTERNAL_ERROR
    assert CANARY.encode() not in caller.answers[0] + line_of(bench.outcome)
    assert [CANARY in str(fault) for fault in bench.faults] == [True]


@pytest.mark.parametrize(
    ("seam", "path"),
    [("identifier", "/staff"), ("limiter", "/orders"), ("limiter", "/guess"), ("body", "/orders"),
     ("client_ip", "/orders")],
)  # fmt: skip
def test_what_a_part_raises_is_a_denial(seam: str, path: str, make: Callable[..., Bench]) -> None:
    """Rows G2 and G10: one denied answer, one record, one fault told; the exception's text goes nowhere else."""
    bench = make(**{seam: Broken()})
    check_denied(bench, bench.ask("POST", path))


@pytest.mark.parametrize(("where", "path"), [("select", "/orders"), ("early_charges", "/guess"), ("decide", "/orders")])
def test_what_policies_raise_is_a_denial(where: str, path: str, make: Callable[..., Bench]) -> None:
    """Row G10: also where the engine of expressions runs out of stack."""
    policies = broken_policies(selecting=where == "select")
    bench = make(snapshot=Snapshot(policies=policies, generation=1, loaded_at=NOON))
    check_denied(bench, bench.ask("GET", path))
    assert f" in {where}\n" in "".join(traceback.format_exception(bench.faults[0]))


def test_what_is_raised_on_another_thread_is_a_denial(make: Callable[..., Bench]) -> None:
    """Row G10: where nobody above would catch it, and the caller would wait for ever."""
    door = Door()
    door.identity = None
    bench = make(identifier=door, body=Broken())
    caller = bench.ask("GET", "/staff")
    assert door.done is not None
    door.done(ANONYMOUS)
    check_denied(bench, caller)


def test_what_is_raised_behind_the_limiter_is_a_denial(make: Callable[..., Bench]) -> None:
    """Row G10: after a charge, and after a peek that finds a limit exhausted, there is nobody above either."""
    limiter = Holding()
    bench = make(limiter=limiter, trace=Broken())
    for path in ("/orders", "/guess", "/guess"):
        caller = bench.ask("POST", path)
        for _ in range(2):
            limiter.release()
        assert caller.answers == [wire.LAST_RESORT]


@pytest.mark.parametrize("seam", ["snapshot", "clock", "monotonic", "ids", "trace", "write"])
def test_even_without_a_clock_or_an_id_there_is_an_answer(seam: str, make: Callable[..., Bench]) -> None:
    """Row G10: what the engine itself needs to answer is broken; the transport's last resort denies."""
    bench, caller = make(), Caller()
    engine = Engine(msgspec.structs.replace(bench.engine._parts, **{seam: Broken()}))
    method = Method(
        path=CHECK, check=engine.check, refuse=engine.refuse, last_resort=wire.LAST_RESORT, max_message_bytes=1 << 20
    )
    transport_check(method, message(Asked(method="GET", url="/orders", time=NOON)), caller)
    assert caller.answers == [wire.LAST_RESORT]


def test_what_fails_once_is_a_denial_and_not_the_last_resort(make: Callable[..., Bench]) -> None:
    """The clock stops working between the start of a check and its answer, and starts again."""
    bench = make()
    ticks = iter((1.0, None, 2.0))

    def monotonic() -> float:
        tick = next(ticks)
        if tick is None:
            raise OSError(CANARY)
        return tick

    bench.engine = Engine(msgspec.structs.replace(bench.engine._parts, monotonic=monotonic))
    check_denied(bench, bench.ask("GET"))


def test_a_part_that_speaks_and_then_raises_gets_no_second_answer(make: Callable[..., Bench]) -> None:
    """One answer, one record: what was raised after the answer is only a fault."""

    class Talking(MemoryLimiter):
        def charge(self, charges: Sequence[Charge], deadline: float, done: Callable[[Usage], None]) -> None:
            super().charge(charges, deadline, done)
            raise ValueError(CANARY)

    bench = make(limiter=Talking())
    assert bench.ask("POST").reason == Reason.ALLOWED
    assert bench.outcome.decision.reason is Reason.ALLOWED
    assert len(bench.faults) == 1


def test_an_observer_that_raises_keeps_nothing_from_the_others(make: Callable[..., Bench]) -> None:
    """The answer stands, the other observers are told, and the fault is."""
    seen: list[Outcome] = []
    bench = make(observers=(Broken(), seen.append, Broken(), seen.append))
    assert bench.ask("GET").reason == Reason.ALLOWED
    assert len(seen) == 2
    assert [str(fault) for fault in bench.faults] == [CANARY, CANARY]


def test_a_broken_fault_log_costs_no_answer(make: Callable[..., Bench]) -> None:
    """The denial has left before the fault is told."""
    bench = make(fault=Broken(), body=Broken())
    caller = Caller()
    with pytest.raises(ValueError, match=CANARY):
        bench.ask("GET", caller=caller)
    assert caller.reason == Reason.INTERNAL_ERROR
