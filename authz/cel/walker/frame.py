"""One evaluation of a walked expression: its values, its names, and its budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Node = Callable[["Frame"], object]

MAX_ITERATIONS = 10_000
"""Turns of loops one evaluation may take, as in the other engine."""


class ExhaustedError(Exception):
    """The budget of iterations is spent; no operator stops this."""


class Frame:
    """One evaluation: what variables are bound to, what was read of them, the names of loops, the turns left."""

    __slots__ = ("bindings", "locals", "read", "turns")

    def __init__(self, bindings: Mapping[str, object]) -> None:
        self.bindings = bindings
        self.read: dict[str, object] = {}
        self.locals: dict[str, object] = {}
        self.turns = MAX_ITERATIONS

    def spend(self, turns: int = 1) -> None:
        """Take turns; raise `ExhaustedError` if not so many are left."""
        self.turns -= turns
        if self.turns < 0:
            raise ExhaustedError
