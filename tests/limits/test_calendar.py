"""The pieces of a calendar, against the clocks on the wall."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from authz.limits.calendar import Calendar, calendar
from authz.model import Align

ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "America/Havana", "America/Santiago", "Asia/Beirut",
    "Australia/Lord_Howe", "Pacific/Apia", "America/St_Johns", "Africa/Casablanca",
]  # fmt: skip
MOMENTS = st.datetimes(datetime(2005, 1, 1), datetime(2040, 1, 1)).map(
    lambda moment: moment.replace(tzinfo=UTC).timestamp()
)
MINUTE = 60


def shown(align: Align, zone: str, moment: float) -> tuple[int, ...]:
    """Return the piece of the calendar that the zone's clocks show."""
    local = datetime.fromtimestamp(moment, ZoneInfo(zone))
    return local.timetuple()[: {Align.MONTH: 2, Align.DAY: 3, Align.HOUR: 4}[align]]


def utc(text: str) -> float:
    """Return seconds of the epoch."""
    return datetime.fromisoformat(text).timestamp()


@given(moment=MOMENTS, align=st.sampled_from([Align.DAY, Align.MONTH]), zone=st.sampled_from(ZONES))
@example(moment=utc("2011-12-30T09:59:59Z"), align=Align.DAY, zone="Pacific/Apia")
@example(moment=utc("2010-11-07T03:30:00Z"), align=Align.DAY, zone="America/St_Johns")
@example(moment=utc("2026-03-28T23:59:00Z"), align=Align.DAY, zone="Asia/Beirut")
def test_a_window_is_what_the_clocks_on_the_wall_show(moment: float, align: Align, zone: str) -> None:
    """A day and a month begin at the first second that shows them, whatever summer time and days left out do."""
    starts = Calendar(align, zone).around(moment).starts
    assert starts[1] <= moment < starts[2]
    for start, end in pairwise(starts):
        first = shown(align, zone, start)
        assert shown(align, zone, start - 1) < first
        assert first == max(shown(align, zone, second) for second in range(start, min(end, start + 7200), MINUTE))
        assert shown(align, zone, end - 1) <= first


@given(moment=MOMENTS, zone=st.sampled_from(ZONES))
@example(moment=utc("2026-10-25T01:30:00Z"), zone="Europe/Berlin")
def test_an_hour_begins_at_every_full_hour(moment: float, zone: str) -> None:
    """Sixty minutes each, the hour that is repeated included; half hours of summer time (Lord Howe) join or stand."""
    starts = Calendar(Align.HOUR, zone).around(moment).starts
    assert starts[1] <= moment < starts[2]
    lengths = {end - start for start, end in pairwise(starts)}
    assert lengths == {3600} or zone == "Australia/Lord_Howe"
    assert lengths <= {1800, 3600, 5400}


@given(moments=st.lists(MOMENTS, min_size=2, max_size=8), align=st.sampled_from(Align), zone=st.sampled_from(ZONES))
def test_what_is_remembered_changes_nothing(moments: list[float], align: Align, zone: str) -> None:
    """Asked in any order, a calendar says what a fresh one would."""
    remembering = Calendar(align, zone)
    for moment in moments:
        assert remembering.around(moment) == Calendar(align, zone).around(moment)


def test_the_days_of_a_year_are_its_days() -> None:
    """Berlin's 2026 is 365 windows end to end, one of 23 hours and one of 25."""
    one = calendar(Align.DAY, "Europe/Berlin")
    moment, lengths = utc("2025-12-31T23:00:00Z"), []
    while moment < utc("2026-12-31T23:00:00Z"):
        starts = one.around(moment).starts
        assert starts[1] == moment
        lengths.append(timedelta(seconds=starts[2] - starts[1]) / timedelta(hours=1))
        moment = float(starts[2])
    assert len(lengths) == 365
    assert sorted(lengths)[:1] + sorted(lengths)[-1:] == [23, 25]
    assert lengths.count(24) == 363


def test_a_skipped_day_is_no_window() -> None:
    """Samoa had no 30 December 2011: the 31st follows the 29th."""
    starts = calendar(Align.DAY, "Pacific/Apia").around(utc("2011-12-30T09:00:00Z")).starts
    assert [shown(Align.DAY, "Pacific/Apia", start)[2] for start in starts] == [28, 29, 31, 1, 2]


def test_a_zone_that_is_none_is_no_calendar() -> None:
    """Documents refuse it first; nothing is guessed here either."""
    with pytest.raises((ValueError, LookupError)):
        Calendar(Align.DAY, "../UTC")
