"""A page holds whole lines, and lends its memory again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from authz.audit.page import ROOM, Page


@given(st.lists(st.binary(max_size=30), max_size=20))
def test_a_page_holds_what_it_took_and_nothing_else(lines: list[bytes]) -> None:
    """A line that has no room is not taken in part; those after it that have are."""
    page = Page(64)
    taken = [line for line in lines if page.take(line)]
    held = b"".join(line + b"\n" for line in taken)
    assert bytes(page.lines()) == held
    assert page.count == len(taken)
    assert all(len(held) + len(line) >= 64 for line in lines if line not in taken)


def test_a_cleared_page_is_empty_and_of_the_usual_size() -> None:
    """The memory is the same, but a page made for one long line does not stay as long."""
    page = Page()
    page.take(b"old")
    assert page.cleared() is page
    assert (bytes(page.lines()), page.count) == (b"", 0)
    assert Page(ROOM + 1).cleared().take(b"x" * (ROOM + 1)) is False
