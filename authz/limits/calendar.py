"""The windows of a calendar: hours, days and months of a time zone, as moments of the clock that all machines share.

A day or a month begins when the zone's clocks first show its midnight, or jump over it; so a day can have 23 or 25
hours. An hour begins whenever they show a full hour, also the one that they repeat. Windows are known by the second
they begin at. Rules of zones come from Python's `zoneinfo`; nothing here reads a clock.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from authz.model import Align

if TYPE_CHECKING:
    from collections.abc import Iterator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_REACH = range(-3, 7)
"""Which of the calendar's pieces around the present one are looked at: a zone can have left one out."""


class Windows(msgspec.Struct, frozen=True, kw_only=True):
    """The beginnings, in seconds of the epoch, of five windows in a row: the last one, this one, the next three."""

    starts: tuple[int, ...]
    text: str


class Calendar:
    """Cuts time into the pieces of one calendar; remembers the present one."""

    def __init__(self, align: Align, time_zone: str) -> None:
        self._align = align
        self._zone = ZoneInfo(time_zone)
        self._known = Windows(starts=(0, 0, 0, 0, 0), text="")

    def around(self, now: float) -> Windows:
        """Return the windows around a moment, in seconds of the epoch."""
        known = self._known  # one read: another thread may put another one there
        if not known.starts[1] <= now < known.starts[2]:
            known = self._known = self._found(now)
        return known

    def _found(self, now: float) -> Windows:
        local = datetime.fromtimestamp(now, self._zone).replace(tzinfo=None)
        starts = sorted({start for reading in self._readings(local) for start in self._moments(reading)})
        this = bisect_right(starts, now) - 1
        around = tuple(starts[this - 1 : this + 4])
        return Windows(starts=around, text=",".join(map(str, around)))

    def _readings(self, local: datetime) -> Iterator[datetime]:
        """Yield what the zone's clocks show when windows around a local time begin."""
        if self._align is Align.MONTH:
            for month in _REACH:
                years, number = divmod(local.month - 1 + month, 12)
                yield datetime(local.year + years, number + 1, 1)
            return
        hour = local.hour if self._align is Align.HOUR else 0
        begun = local.replace(hour=hour, minute=0, second=0, microsecond=0, fold=0)
        for number in _REACH:
            yield begun + number * (timedelta(hours=1) if self._align is Align.HOUR else timedelta(days=1))

    def _moments(self, reading: datetime) -> Iterator[int]:
        """Yield when the clocks show that: the first time, and for an hour also when it is repeated."""
        yield self._moment(reading)
        if self._align is Align.HOUR:
            again = self._moment(reading.replace(fold=1))
            if datetime.fromtimestamp(again, self._zone).replace(tzinfo=None, fold=0) == reading:
                yield again

    def _moment(self, reading: datetime) -> int:
        return (reading.replace(tzinfo=self._zone) - _EPOCH) // _SECOND


@lru_cache(maxsize=256)
def calendar(align: Align, time_zone: str) -> Calendar:
    """Return the calendar; all limits that are cut alike share one."""
    return Calendar(align, time_zone)
