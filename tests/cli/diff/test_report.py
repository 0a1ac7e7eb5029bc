"""What changed in meaning, as its readers want it."""

from __future__ import annotations

import pytest

from authz.cli.diff.asking import Asked, Compared, Kind
from authz.cli.diff.direction import Direction
from authz.cli.diff.parts import Change
from authz.cli.diff.report import Difference, data, markdown, pretty, summary
from authz.cli.replay import tally

LONG = "identity.authenticated &&\n  'orders:read' in identity.scopes && variables.own_tenant\x1b[2J"
FOUND = Difference(
    before="main",
    after="policies",
    changes=(
        Change(document="Policy a", part="rules/r/allow", before=LONG, after=LONG.replace("read", "write")),
        Change(document="Policy a", part="mode", before=None, after="shadow", direction=Direction.NONE),
    ),
    tests=Compared(asked=3, changed=(Asked(kind=Kind.UNASKED, test="t", request="ann: GET /|"),)),
)


def test_conditions_are_shown_line_by_line() -> None:
    """What went and what came, without a byte that speaks to a terminal."""
    shown = pretty(FOUND)
    assert "\x1b" not in shown
    assert "    - 'orders:read'" in shown.replace("    -   'o", "    - 'o")
    assert "  + mode\n" in shown
    assert "[more or less]" in shown
    assert shown.startswith("main to policies: 2 changes, 3 requests of tests, 1 not comparable\n")


def test_one_change_is_one() -> None:
    """The line that sums up is read first, and often is about one thing."""
    one = Difference(before="a", after="b", changes=FOUND.changes[:1], tests=Compared(asked=1, changed=()))
    assert summary(one) == "a to b: 1 change, 1 request of tests"


def test_a_review_gets_tables_that_nothing_breaks() -> None:
    """Lines and pipes stay in their cells."""
    shown = markdown(FOUND)
    assert "ann: GET /\\|" in shown
    assert all(line.count(" | ") == 4 for line in shown.splitlines() if line.startswith("| Policy a"))


def test_widened_is_what_is_certain() -> None:
    """A condition that may do either is a change, and no widening."""
    assert (FOUND.is_any, FOUND.widens) == (True, False)
    assert data(FOUND)["widened"] is False
    empty = Difference(before="a", after="b", changes=(), tests=Compared(asked=0, changed=()))
    assert (empty.is_any, empty.widens) == (False, False)


@pytest.mark.parametrize("kind", list(Kind))
def test_a_request_that_is_newly_allowed_widens(kind: Kind) -> None:
    """In tests as on record; any other difference is a change."""
    asked = Compared(asked=1, changed=(Asked(kind=kind, test="t", request="r"),))
    found = Difference(before="a", after="b", changes=(), tests=asked)
    assert (found.is_any, found.widens) == (True, kind is Kind.ALLOWED)


@pytest.mark.parametrize("kind", list(tally.Kind))
def test_a_record_that_is_newly_allowed_widens(kind: tally.Kind) -> None:
    """What cannot be told is a change too; another reason alone is none."""
    group = tally.Group(kind, "GET", "h", "/", "was", "now")
    records = tally.Tally(records=1, groups={group: tally.Members(count=1)})
    found = Difference(before="a", after="b", changes=(), tests=Compared(asked=0, changed=()), records=records)
    assert (found.is_any, found.widens) == (kind is not tally.Kind.REASON, kind is tally.Kind.ALLOWED)
