"""Recorded decisions made again, each kind of request once."""

from __future__ import annotations

import msgspec

from authz.cli.replay.deciding import Deciding
from authz.server.lines import Line
from tests.cli.replay.conftest import AFTER, BEFORE, REQUESTS, line, policies


def lines(count: int) -> list[Line]:
    """Return records of requests for many paths."""
    return [msgspec.json.decode(line(number, REQUESTS[number % len(REQUESTS)]), type=Line) for number in range(count)]


def test_requests_that_differ_in_what_nobody_asks_are_decided_once() -> None:
    """Thirty requests for thirty paths by six kinds of callers: six decisions."""
    deciding = Deciding(policies(AFTER))
    effects = [deciding.again(each)[0] for each in lines(30)]
    assert deciding.made == len(REQUESTS)
    assert effects[:6] == effects[6:12]


def test_a_decision_that_is_found_is_the_one_that_would_be_made() -> None:
    """Whatever was decided before, the answer is that of a look at this record alone."""
    kept = Deciding(policies(AFTER))
    for each in [*lines(12), *reversed(lines(12))]:
        assert kept.again(each) == Deciding(policies(AFTER)).again(each)


def test_the_same_policies_change_nothing() -> None:
    """A log replayed against the policies that made it is as it was."""
    deciding = Deciding(policies(BEFORE))
    for each in lines(6):
        again, route = deciding.again(each)
        assert (again.effect, again.reason, again.rule) == (
            each.decision,
            each.reason,
            f"orders/{each.rule}" if each.rule else "orders",
        )
        assert route == "/orders/{id}"
