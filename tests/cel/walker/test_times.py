"""Timestamps and durations (threat C8)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.cel.values import NoValueError
from authz.cel.walker import times
from authz.cel.walker.values import UnsupportedError


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-23T12:00:00Z", datetime(2026, 11, 23, 12, tzinfo=UTC)),
        ("2026-11-23T12:00:00+05:30", datetime(2026, 11, 23, 6, 30, tzinfo=UTC)),
        ("2026-11-23T12:00:00.5Z", datetime(2026, 11, 23, 12, 0, 0, 500_000, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_timestamp_is_rfc_3339(text: str, time: datetime) -> None:
    """Date, time and offset are read to UTC."""
    assert times.read_timestamp(text) == time


@pytest.mark.parametrize(
    "text",
    [
        "", "2026", "2026-11-23", "2026-11-23T12:00:00", "2026-13-01T00:00:00Z", "2026-11-23T25:00:00Z",
        "0001-01-01T00:00:00+01:00", "\uff12026-11-23T12:00:00Z", "2026-11-23T12:00:00Z" + " " * 100,
    ],
)  # fmt: skip
def test_what_is_no_timestamp_is_an_error(text: str) -> None:
    """Anything else has no value."""
    with pytest.raises(NoValueError):
        times.read_timestamp(text)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90s", timedelta(seconds=90)),
        ("1h30m", timedelta(minutes=90)),
        ("-1.5s", timedelta(seconds=-1.5)),
        (".5s", timedelta(milliseconds=500)),
        ("1ms1us", timedelta(microseconds=1001)),
        ("1000ns", timedelta(microseconds=1)),
    ],
)
def test_a_duration_is_a_sum_of_units(text: str, span: timedelta) -> None:
    """Hours to nanoseconds add up."""
    assert times.read_duration(text) == span


@pytest.mark.parametrize("text", ["", "1", "h", "1d", "1h-1m", "s1", "--1s", "1 s", "9999999999h"])
def test_what_is_no_duration_is_an_error(text: str) -> None:
    """Anything else has no value."""
    with pytest.raises(NoValueError):
        times.read_duration(text)


@pytest.mark.parametrize("text", ["a" * 40 + "!", "1h" * 31 + "!", "1." * 30 + "!", "1" * 63 + "!", "1h" * 1_000_000])
def test_no_text_takes_long(text: str) -> None:
    """A text is refused at once, whatever it is."""
    started = perf_counter()
    with pytest.raises(NoValueError):
        times.read_duration(text)
    assert perf_counter() - started < 0.5


@pytest.mark.parametrize("text", ["1ns", "0.0000001s", "0.00000000001s"])
def test_nanoseconds_are_not_supported(text: str) -> None:
    """What cannot be kept exactly is said to be unknown, not rounded."""
    with pytest.raises(UnsupportedError):
        times.read_duration(text)
    with pytest.raises(UnsupportedError):
        times.read_timestamp("2026-11-23T12:00:00.000000001Z")


@given(st.timedeltas(timedelta(days=-3_000_000), timedelta(days=3_000_000)))
def test_a_duration_is_written_as_it_is_read(span: timedelta) -> None:
    """Reading what was written gives the same duration."""
    assert times.read_duration(times.duration_text(span)) == span


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_timestamp_is_written_as_it_is_read(time: datetime) -> None:
    """Reading what was written gives the same time."""
    assert times.read_timestamp(times.timestamp_text(time)) == time


def test_a_zone_is_a_name_or_an_offset() -> None:
    """Names come from the time zone database; nothing of the file system can be named."""
    assert times.zone("") is UTC
    assert times.zone("+05:30").utcoffset(None) == timedelta(hours=5.5)
    assert times.zone("-05:30").utcoffset(None) == timedelta(hours=-5.5)
    assert times.zone("Europe/Berlin").utcoffset(datetime(2026, 7, 1)) == timedelta(hours=2)
    for name in ("No/Where", "/etc/passwd", "../../etc/passwd", "+99:00", "a\0b"):
        with pytest.raises(NoValueError):
            times.zone(name)
