"""What travels together: merging, the commands of a batch, and what becomes of its replies."""

from __future__ import annotations

import hiredis

from authz.limits.asks import Answer
from authz.limits.batch import Batch, Waiting, merged
from authz.limits.plan import Plan, Planner
from authz.model import Charge
from tests.limits.conftest import charge, limit

PLANNER = Planner()
HEAD = [b"EVALSHA", b"sha"]
ONE, OTHER = limit("a/one"), limit("a/other")


def waiting(*charges: Charge, count: int = 1, deadline: float = 10.0) -> Waiting:
    """Return a caller."""
    plan = PLANNER.plan(charges)
    assert isinstance(plan, Plan)
    return Waiting(plan, count, deadline, lambda *_: None)


def sent(packed: bytes) -> list[list[bytes]]:
    """Return the commands that travel, as a server reads them."""
    reader = hiredis.Reader()
    reader.feed(packed)
    return list(iter(reader.gets, False))


def test_equal_checks_are_one_call() -> None:
    """Same counters, same costs: one call, its callers in order, its count theirs."""
    callers = [waiting(charge(ONE), charge(OTHER, cost=2)) for _ in range(3)]
    (call,) = merged(callers)
    assert call.callers == callers
    (command,) = sent(call.packed("sha"))
    assert command[:3] == [*HEAD, b"2"]
    assert command[5:] == [b"3", *(b"f 3 60000000 3 1 f 3 60000000 3 2".split())]


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
    assert sent(calls[-1].packed("sha"))[0][4] == b"0"


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
    assert sent(again.packed("sha", "source")) == [[b"SCRIPT", b"LOAD", b"source"], *sent(one.packed("sha"))]
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
