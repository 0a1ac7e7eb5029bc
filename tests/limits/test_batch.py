"""What travels together: merging, the commands of a batch, and what becomes of its replies."""

from __future__ import annotations

import hiredis

from authz.limits.asks import Answer, Plan
from authz.limits.batch import Batch, Waiting, merged
from authz.limits.plan import Planner
from authz.model import Charge
from tests.limits.conftest import charge, limit

PLANNER = Planner()
ONE, OTHER = limit("a/one"), limit("a/other")


def waiting(*charges: Charge, count: int = 1, deadline: float = 10.0) -> Waiting:
    """Return a caller."""
    plan = PLANNER.plan(charges)
    assert isinstance(plan, Plan)
    return Waiting(plan, count, deadline, lambda *_: None)


def test_equal_checks_are_one_call() -> None:
    """Same counters, same costs: one call, its callers in order, its count theirs."""
    callers = [waiting(charge(ONE), charge(OTHER, cost=2)) for _ in range(3)]
    (call,) = merged(callers)
    assert call.callers == callers
    sha, keys, count = call.command("sha")[1], call.command("sha")[2], call.command("sha")[5]
    assert (sha, keys, count) == ("sha", 2, 3)
    assert call.command("sha")[6:] == ("f", "3", "60000000", "3", 1, "f", "3", "60000000", "3", 2)


def test_what_differs_is_not_merged() -> None:
    """Another caller, cost, value of the limit, mix of limits, and a peek: each is a call of its own."""
    callers = [
        waiting(charge(ONE)),
        waiting(charge(ONE, "eve")),
        waiting(charge(ONE, cost=2)),
        waiting(charge(limit("a/one", requests=4))),
        waiting(charge(ONE), charge(OTHER)),
        waiting(charge(ONE), count=0),
    ]
    calls = merged(callers)
    assert [call.callers for call in calls] == [[caller] for caller in callers]
    assert calls[-1].command("sha")[4] == 0


def test_a_batch_is_whole_when_every_reply_is_there() -> None:
    """Replies come in any number of pieces; errors take their place among them."""
    batch = Batch(merged([waiting(charge(ONE)), waiting(charge(OTHER))]), sent_at=1.0)
    assert not batch.take([[1, 3, 2, 5, 0]])
    assert batch.take([hiredis.ReplyError("OOM x")])
    outcomes = [outcome for _, outcome in batch.outcomes()]
    assert outcomes == [Answer(admitted=1, numbers=[3, 2, 5, 0]), "OOM"]


def test_a_reply_of_the_wrong_form_is_an_error() -> None:
    """What cannot be an answer to the question is none: too short, empty, no numbers, no list."""
    for reply in ([1, 2, 3], [], [b"1", b"2", b"3", b"4", b"5"], b"OK", None, 7, [1, 3, 2, 5, 0, 3, 2, 5, 0]):
        batch = Batch(merged([waiting(charge(ONE))]), sent_at=1.0)
        assert batch.take([reply])
        assert [outcome for _, outcome in batch.outcomes()] == ["ERR"]


def test_calls_that_did_not_run_go_once_more_with_the_script() -> None:
    """R5: after NOSCRIPT they part from the others, and a second time they are failures."""
    one, other = merged([waiting(charge(ONE)), waiting(charge(OTHER))])
    batch = Batch([one, other], sent_at=1.0)
    batch.take([hiredis.ReplyError("NOSCRIPT x"), [1, 3, 2, 5, 0]])
    assert batch.unloaded() == [one]
    assert [call for call, _ in batch.outcomes()] == [other]
    again = Batch([one], sent_at=1.0, reloaded=True)
    assert again.commands("sha", "source") == [("SCRIPT", "LOAD", "source"), one.command("sha")]
    assert not again.take([b"sha"])
    assert again.take([hiredis.ReplyError("NOSCRIPT x")])
    assert again.unloaded() == []
    assert again.outcomes() == [(one, "NOSCRIPT")]


def test_those_who_are_late_are_named_once_told() -> None:
    """Who was told already is not late again; the next deadline is that of those who still wait."""
    callers = [waiting(charge(ONE), deadline=deadline) for deadline in (1.0, 2.0, 3.0)]
    batch = Batch(merged(callers), sent_at=0.0)
    assert batch.late(0.5) == []
    assert batch.late(1.0) == callers[:1]
    callers[0].tell(None)
    assert batch.next_deadline == 2.0
    assert batch.late(5.0) == callers[1:]


def test_a_caller_is_told_once() -> None:
    """The first answer counts; a later one is dropped."""
    heard = []
    (caller,) = (waiting(charge(ONE)),)
    caller.heard = lambda *said: heard.append(said)
    caller.tell(None)
    caller.tell(Answer(admitted=1, numbers=[1, 1, 1, 1]))
    assert heard == [(caller, None, 0, 0.0)]
