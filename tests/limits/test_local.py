"""This process's share while Redis is silent: where it begins, how large it is, when it is forgotten."""

from __future__ import annotations

from authz.limits.asks import Answer
from authz.limits.local import LocalShare
from authz.limits.plan import Plan, Planner, conclude
from authz.model import Algorithm, Charge
from tests.limits.conftest import charge, limit

NOW = 1_799_971_200.0


def plan(each: Charge) -> Plan:
    """Plan a charge that needs a store."""
    planned = Planner().plan([each])
    assert isinstance(planned, Plan)
    return planned


def admits(share: LocalShare, asked: Plan, tries: int) -> int:
    """Return how many of so many charges the share admits."""
    answers = [share.ask(asked, 1) for _ in range(tries)]
    return sum(answer.admitted for answer in answers if answer is not None)


def saw(share: LocalShare, asked: Plan, remaining: int) -> None:
    """Let the share hear what Redis said remained."""
    share.saw(asked, conclude(asked, Answer(admitted=1, numbers=[remaining + 1, remaining, 1, 0])))


def test_it_goes_on_from_what_remained() -> None:
    """For every algorithm: 4 of 10 were left, 4 are admitted."""
    for algorithm in Algorithm:
        share = LocalShare(clock=lambda: NOW)
        asked = plan(charge(limit(requests=10, algorithm=algorithm)))
        saw(share, asked, 4)
        assert admits(share, asked, 10) == 4


def test_all_processes_together_stay_within_what_remained() -> None:
    """Three processes that saw 10 remaining admit 9, not 30; of an unknown counter each takes its third."""
    shares = [LocalShare(3, clock=lambda: NOW) for _ in range(3)]
    asked = plan(charge(limit(requests=60)))
    for share in shares:
        saw(share, asked, 10)
    assert sum(admits(share, asked, 20) for share in shares) == 9
    unknown = plan(charge(limit(requests=60), "eve"))
    assert sum(admits(share, unknown, 60) for share in shares) == 60


def test_a_limit_smaller_than_the_processes_grants_each_one() -> None:
    """The stated exception: never less than one."""
    share = LocalShare(8, clock=lambda: NOW)
    assert admits(share, plan(charge(limit(requests=3))), 5) == 1


def test_a_cost_beyond_the_share_cannot_be_counted() -> None:
    """What this process could never hold is no question for it."""
    assert LocalShare(8, clock=lambda: NOW).ask(plan(charge(limit(requests=16), cost=3)), 1) is None


def test_a_new_window_is_whole_again() -> None:
    """What was seen before does not count beyond the window it was seen in."""
    now = [NOW]
    share = LocalShare(clock=lambda: now[0])
    asked = plan(charge(limit(requests=5)))
    saw(share, asked, 0)
    assert admits(share, asked, 1) == 0
    now[0] += 60
    assert admits(share, asked, 9) == 5


def test_what_redis_says_again_replaces_what_was_counted_here() -> None:
    """After an outage the local count is forgotten; the next outage begins from the new remaining."""
    share = LocalShare(clock=lambda: NOW)
    asked = plan(charge(limit(requests=10)))
    saw(share, asked, 2)
    assert admits(share, asked, 5) == 2
    saw(share, asked, 7)
    assert admits(share, asked, 10) == 7


def test_what_was_seen_is_bounded() -> None:
    """R9: the oldest make room."""
    share = LocalShare(clock=lambda: NOW, max_seen=10)
    each = limit()
    for number in range(30):
        saw(share, plan(charge(each, f"caller-{number}")), 1)
    assert len(share._seen) == 10


def test_two_callers_of_one_limit_go_on_from_what_each_had_left() -> None:
    """A question may charge one limit for two callers."""
    share, one = LocalShare(clock=lambda: NOW), limit(requests=10)
    both = Planner().plan([charge(one, "a"), charge(one, "b")])
    assert isinstance(both, Plan)
    share.saw(both, conclude(both, Answer(admitted=1, numbers=[8, 7, 1, 0, 3, 2, 1, 0])))
    assert admits(share, plan(charge(one, "a")), 10) == 7
    assert admits(share, plan(charge(one, "b")), 10) == 2
