"""A value that depends on the time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from authz.cel import StringSet
from authz.policy.expiring import KEPT, Expiring

TIMES = st.integers(0, 20)


@given(ends=st.lists(TIMES), times=st.lists(TIMES, min_size=1))
def test_what_counts_is_what_has_not_ended(ends: list[int], times: list[int]) -> None:
    """At any time, in whatever order times are asked: exactly the entries that end later."""
    value = Expiring(ends, lambda after: StringSet(str(end) for end in ends if end > after))
    for time in times:
        members = value.at(time)
        assert isinstance(members, StringSet)
        assert members.members == {str(end) for end in ends if end > time}


@given(ends=st.lists(TIMES), early=TIMES, late=TIMES)
def test_a_span_is_the_time_between_two_ends(ends: list[int], early: int, late: int) -> None:
    """Two times are in one span exactly if nothing ends between them."""
    value = Expiring(ends, lambda _: StringSet([]))
    early, late = sorted((early, late))
    assert (value.span(early) == value.span(late)) == (not any(early < end <= late for end in ends))


def test_a_value_is_made_once_for_requests_of_before_and_after() -> None:
    """Requests that arrive around an end find both values made, and few values are kept."""
    made: list[float] = []
    value = Expiring([1, 2, 3, 4], lambda after: made.append(after) or StringSet([]))  # type: ignore[func-returns-value]
    for time in (1, 0, 1, 0):
        value.at(time)
    assert len(made) == 2
    for time in range(5):
        value.at(time)
    assert len(value._made) == KEPT


def test_what_comes_next_can_be_made_ahead() -> None:
    """No request has to make a value that was prepared: neither now nor after the next end."""
    made: list[float] = []
    value = Expiring([1, 2, 3], lambda after: made.append(after) or StringSet([]))  # type: ignore[func-returns-value]
    value.prepare(1.5)
    assert made == [1, 2]
    for time in (1, 1.9, 2, 2.9):
        value.at(time)
    assert made == [1, 2]
    value.prepare(9)
    assert made == [1, 2, 3]
