"""Timestamps and durations: reading, writing, and their parts in a time zone.

Texts are RFC 3339 and CEL's `1h30m`; both are short, so anything longer than 64 characters is refused unread (C8:
the parser this replaces takes exponential time). Parts count as CEL has it: months, and days of month and year, from 0.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from authz.cel.values import NoValueError
from authz.cel.walker.values import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_LENGTH = 64
"""Characters a number, time or duration may have that is read from a text."""

_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII)
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(h|ms|us|ns|m|s)", re.ASCII)
_DURATION = re.compile(rf"([-+]?)((?:{_PART.pattern})+)", re.ASCII)
_OFFSET = re.compile(r"([+-]?)(\d\d):(\d\d)", re.ASCII)
_NANOS = {"h": 3_600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_LONGEST = timedelta(hours=87_660_000)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def bounded(text: str) -> str:
    """Return a text that is to be converted; raise `NoValueError` if it is too long to be anything."""
    if len(text) > MAX_LENGTH:
        raise NoValueError("the text cannot be converted")
    return text


def read_timestamp(text: str) -> datetime:
    """Return the time an RFC 3339 text names."""
    match = _TIMESTAMP.fullmatch(bounded(text))
    if match is None:
        raise NoValueError("the text cannot be converted")
    fraction = timedelta(microseconds=_micros(int((match[2] or "").ljust(9, "0"))))
    try:
        return datetime.fromisoformat(match[1] + match[3].replace("Z", "+00:00")).astimezone(UTC) + fraction
    except (ValueError, OverflowError):
        raise NoValueError("the text cannot be converted") from None


def read_duration(text: str) -> timedelta:
    """Return the duration a text like `1h30m` or `-1.5s` names."""
    match = _DURATION.fullmatch(bounded(text))
    if match is None:
        raise NoValueError("the text cannot be converted")
    nanos = sum(_part_nanos(number, unit) for number, unit in _PART.findall(match[2]))
    if nanos > _LONGEST // timedelta(microseconds=1) * 1000:
        raise NoValueError("out of range")
    return timedelta(microseconds=_micros(nanos)) * (-1 if match[1] == "-" else 1)


def _part_nanos(number: str, unit: str) -> int:
    whole, _, fraction = number.partition(".")
    scale: int = 10 ** len(fraction)
    nanos, rest = divmod(int((whole or "0") + fraction) * _NANOS[unit], scale)
    if rest:
        raise UnsupportedError("less than a nanosecond is not supported")
    return nanos


def _micros(nanos: int) -> int:
    micros, rest = divmod(nanos, 1000)
    if rest:
        raise UnsupportedError("nanoseconds are not supported")
    return micros


def from_seconds(seconds: int) -> datetime:
    """Return the time so many seconds after the epoch."""
    return shifted(_EPOCH, seconds=seconds)


def to_seconds(time: datetime) -> int:
    """Return the whole seconds from the epoch to a time."""
    seconds: int = (time - _EPOCH) // timedelta(seconds=1)
    return seconds


def shifted(time: datetime, by: timedelta = timedelta(), *, seconds: int = 0) -> datetime:
    """Return a time, later; raise `NoValueError` outside the years 1 to 9999."""
    try:
        return time + by + timedelta(seconds=seconds)
    except OverflowError:
        raise NoValueError("out of range") from None


def in_range(duration: timedelta) -> timedelta:
    """Return a duration; raise `NoValueError` if it is longer than CEL has them."""
    if abs(duration) > _LONGEST:
        raise NoValueError("out of range")
    return duration


def timestamp_text(time: datetime) -> str:
    """Return a time in RFC 3339, UTC, with as many groups of three digits behind the point as it needs."""
    return time.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0") + _fraction(time.microsecond) + "Z"


def duration_text(duration: timedelta) -> str:
    """Return a duration in seconds, like `90s` or `0.001s`."""
    seconds, micros = divmod(abs(duration) // timedelta(microseconds=1), 10**6)
    return f"{'-' if duration < timedelta() else ''}{seconds}{_fraction(micros)}s"


def _fraction(micros: int) -> str:
    digits = f"{micros:06}"
    return f".{digits.removesuffix('000')}" if micros else ""


@lru_cache(maxsize=256)
def zone(name: str) -> tzinfo:
    """Return a time zone from its name, or from an offset like `+05:30`."""
    if match := _OFFSET.fullmatch(name):
        offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
        if offset < timedelta(hours=24):
            return timezone(-offset if match[1] == "-" else offset)
    try:
        return ZoneInfo(name) if name else UTC
    except (KeyError, ValueError, OSError):
        raise NoValueError("no such time zone") from None


TIMESTAMP_PARTS: Mapping[str, Callable[[datetime], int]] = {
    "getFullYear": lambda time: time.year,
    "getMonth": lambda time: time.month - 1,
    "getDate": lambda time: time.day,
    "getDayOfMonth": lambda time: time.day - 1,
    "getDayOfWeek": lambda time: time.isoweekday() % 7,
    "getDayOfYear": lambda time: time.timetuple().tm_yday - 1,
    "getHours": lambda time: time.hour,
    "getMinutes": lambda time: time.minute,
    "getSeconds": lambda time: time.second,
    "getMilliseconds": lambda time: time.microsecond // 1000,
}
"""What can be asked of a time, in the zone it is moved to first."""


def _whole(duration: timedelta, unit: timedelta) -> int:
    whole: int = abs(duration) // unit
    return -whole if duration < timedelta() else whole


DURATION_PARTS: Mapping[str, Callable[[timedelta], int]] = {
    "getHours": lambda duration: _whole(duration, timedelta(hours=1)),
    "getMinutes": lambda duration: _whole(duration, timedelta(minutes=1)),
    "getSeconds": lambda duration: _whole(duration, timedelta(seconds=1)),
    "getMilliseconds": lambda duration: (
        (-1 if duration < timedelta() else 1) * (abs(duration) % timedelta(seconds=1) // timedelta(milliseconds=1))
    ),
}
"""What can be asked of a duration: all of it in a unit, but only the milliseconds of its last second."""
