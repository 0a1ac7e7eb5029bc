"""What changed, counted."""

from __future__ import annotations

import msgspec

from authz.cli.replay import tally as tallying
from authz.cli.replay.deciding import Again, Deciding
from authz.cli.replay.tally import Kind, Tally, kind_of, recorded
from authz.server.lines import Line, RequestLine
from tests.cli.replay.conftest import AFTER, REQUESTS, line, policies


def counted(*numbers: int) -> Tally:
    """Return the tally of some of the requests."""
    deciding, tally = Deciding(policies(AFTER)), Tally()
    for number in numbers:
        tally.count(msgspec.json.decode(line(number, REQUESTS[number]), type=Line), deciding)
    return tally


def test_tallies_of_several_processes_add_up() -> None:
    """However the log was cut, the counts are the same."""
    whole, parts = counted(*range(6), *range(6)), [counted(*range(6)), counted(*range(3)), counted(*range(3, 6))]
    total = Tally().add(parts)
    assert (total.records, total.same, total.groups) == (whole.records, whole.same, whole.groups)
    assert [total.total(kind) for kind in Kind] == [whole.total(kind) for kind in Kind]


def test_what_no_policy_decided_is_skipped_by_reason() -> None:
    """Requests that were malformed, late or turned away by a limit before rules ran have nothing to be made again."""
    tally = Tally()
    for reason in ("malformed", "deadline", "rate_limited"):
        tally.count(Line(format="authz.record/v1", reason=reason, request=RequestLine()), Deciding(policies(AFTER)))
    assert tally.skipped == {"malformed": 1, "deadline": 1, "rate_limited": 1}
    assert tally.same == 0


def test_a_change_of_reason_is_no_change_of_effect() -> None:
    """A denial for another reason is told apart, and not at all where what is not known may have been the reason."""
    denied = Line(format="authz.record/v1", decision="deny", reason="deny_rule", policy="a", rule="b")
    assert kind_of(recorded(denied), Again(effect="deny", reason="deny_rule", rule="a/b")) is None
    assert kind_of(recorded(denied), Again(effect="deny", reason="no_rule", rule="a")) is Kind.REASON
    assert kind_of(recorded(denied), Again(effect="deny", reason="no_rule", rule="a", exact=False)) is None
    assert kind_of(recorded(denied), Again(effect="redirect", reason="redirect_rule")) is Kind.REASON
    assert kind_of(recorded(denied), Again(effect="allow", reason="allowed")) is Kind.ALLOWED


def test_a_limit_is_counted_as_what_the_policies_said() -> None:
    """`rate_limited` after an allow is an allow; denied now, it is newly denied."""
    limited = Line(format="authz.record/v1", decision="deny", reason="rate_limited", documents=[msgspec.Raw(b"{}")])
    assert kind_of(recorded(limited), Again(effect="allow", reason="allowed")) is None
    assert kind_of(recorded(limited), Again(effect="deny", reason="no_rule")) is Kind.DENIED


def test_groups_and_callers_are_bounded() -> None:
    """A log full of made-up hosts fills no memory: what is in more groups than are kept is counted and told."""
    tally = Tally()
    for number in range(tallying.MOST_GROUPS + 5):
        tally._member(tallying.Group(Kind.DENIED, "GET", f"h{number}", "/", "a", "b")).add("c", "d")
    assert (len(tally.groups), tally.lost) == (tallying.MOST_GROUPS, 5)
