"""One evaluation of a walked expression."""

from __future__ import annotations

import pytest

from authz.cel.walker.frame import MAX_ITERATIONS, ExhaustedError, Frame


def test_a_frame_has_so_many_turns() -> None:
    """The budget is spent once, and then there is none."""
    frame = Frame({})
    for _ in range(MAX_ITERATIONS):
        frame.spend()
    with pytest.raises(ExhaustedError):
        frame.spend()


def test_turns_are_taken_by_the_handful() -> None:
    """What costs more takes more."""
    frame = Frame({})
    frame.spend(MAX_ITERATIONS)
    with pytest.raises(ExhaustedError):
        frame.spend(1)
