"""A tally, shown."""

from __future__ import annotations

from authz.cli.replay.report import data, markdown, pretty
from authz.cli.replay.tally import Group, Kind, Members, Tally


def tally(count: int = 1) -> Tally:
    """Return a tally with some groups."""
    groups = {
        Group(Kind.DENIED, "GET", f"h{number}\x1b[31m|", "/a/{id}", "allow by o/r", "deny by o/d"): Members(
            count=number + 1
        )
        for number in range(count)
    }
    return Tally(records=9, same=1, groups=groups)


def test_nothing_of_a_request_speaks_to_a_terminal_or_breaks_a_table() -> None:
    """O1: hosts and paths come from callers."""
    shown, table = pretty(tally(), reasons=False), markdown(tally(), reasons=False)
    assert "\x1b" not in shown + table
    assert "h0�\\[31m\\|" in table


def test_the_largest_groups_come_first_and_the_rest_is_counted() -> None:
    """A person reads so many; a program gets all."""
    lines = pretty(tally(50), reasons=False).splitlines()
    assert lines[3].split()[0] == "50"
    assert lines[-1] == "  … 30 more groups (--output json has all)"
    assert len(data(tally(50))["groups"]) == 50


def test_reasons_are_shown_where_they_are_asked_for() -> None:
    """A changed reason changes no answer, so it is left out unless somebody wants to see it."""
    other = Tally(groups={Group(Kind.REASON, "GET", "h", "/", "deny", "deny: no_rule"): Members(count=1)})
    assert "no_rule" not in pretty(other, reasons=False)
    assert "no_rule" in pretty(other, reasons=True)
    assert "no\\_rule" in markdown(other, reasons=True)
