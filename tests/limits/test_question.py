"""What Redis is asked for one plan, as it travels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import hiredis

from authz.limits.plan import Plan, Planner
from authz.model import Align
from tests.limits.conftest import charge, limit

if TYPE_CHECKING:
    from collections.abc import Callable

    from authz.model import Limit


def sent(packed: bytes) -> list[bytes]:
    """Return a command as a server reads it."""
    reader = hiredis.Reader()
    reader.feed(packed)
    command: list[bytes] = reader.gets()
    return command


def plan(of: Limit, clock: Callable[[], float] = lambda: 0.0) -> Plan:
    """Return the plan of one charge."""
    planned = Planner(clock=clock).plan((charge(of),))
    assert isinstance(planned, Plan)
    return planned


def test_a_command_is_written_for_its_count_and_its_script() -> None:
    """What a question looked like before is sent again only where nothing in it has changed."""
    question = plan(limit("a/one")).question
    written = [sent(question.packed("sha", count))[4] for count in (1, 1, 2, 1)]
    assert written == [b"1", b"1", b"2", b"1"]
    assert sent(question.packed("other", 1))[1] == b"other"


def test_windows_of_a_calendar_are_told_as_they_are_now() -> None:
    """Only what can't change is kept: a month later the script is told of other windows."""
    now = [0.0]
    monthly = plan(limit("a/one", align=Align.MONTH), clock=lambda: now[0])
    before = monthly.question.arguments
    now[0] = 40 * 86400.0
    assert monthly.question.arguments != before
    assert plan(limit("a/one")).question.arguments == plan(limit("a/one")).question.arguments
