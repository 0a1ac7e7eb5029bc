"""What decides whether and how often a part of an expression is evaluated: `&&`, `||`, `?:`, optionals and loops.

Errors are exceptions on their way up. They stop at `&&` and `||`, which have an answer if one side alone settles it,
and in the running value of a loop, where the specification has an error wait for whether anyone asks for it. A loop
spends from the budget of the evaluation; an evaluation that has spent it has no value, whatever surrounds the loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.cel.values import NoValueError
from authz.cel.walker.values import Optional, from_outside, no_operation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from authz.cel.walker.frame import Frame, Node


class Loop:
    """A comprehension; the names it binds hide those of the same name around it, and no longer than it runs."""

    __slots__ = ("_condition", "_element", "_over", "_result", "_running", "_start", "_step")

    def __init__(
        self, *, over: Node, start: Node, condition: Node, step: Node, result: Node, element: str, running: str
    ) -> None:
        self._over, self._start, self._condition = over, start, condition
        self._step, self._result = step, result
        self._element, self._running = element, running

    def run(self, frame: Frame) -> object:
        """Return the result of the loop."""
        around = frame.locals
        over = self._over(frame)
        if not isinstance(over, list | dict):
            raise no_operation("loop", over)
        frame.locals = names = {**around, self._running: outcome(self._start, frame)}
        try:
            self._turn(frame, names, over)
            return self._result(frame)
        finally:
            frame.locals = around

    def _turn(self, frame: Frame, names: dict[str, object], over: Iterable[object]) -> None:
        for element in over:
            frame.spend()
            names[self._element] = from_outside(element)
            if self._condition(frame) is not True:
                break
            names[self._running] = outcome(self._step, frame)
        names.pop(self._element, None)


def outcome(node: Node, frame: Frame) -> object:
    """Return the value of a node, or its error as a value."""
    try:
        return node(frame)
    except NoValueError as error:
        return error


def _logical(name: str, settles: bool) -> Callable[[Node, Node], Node]:
    """Return `&&` or `||`: the bool that settles it does so from either side."""

    def combined(left: Node, right: Node) -> Node:
        def run(frame: Frame) -> object:
            one = outcome(left, frame)
            if one is settles:
                return settles
            other = outcome(right, frame)
            if other is settles:
                return settles
            for each in (one, other):
                if isinstance(each, NoValueError):
                    raise each
            if isinstance(one, bool) and isinstance(other, bool):
                return not settles
            raise no_operation(name, one, other)

        return run

    return combined


def _conditional(condition: Node, then: Node, otherwise: Node) -> Node:
    def run(frame: Frame) -> object:
        chosen = condition(frame)
        if not isinstance(chosen, bool):
            raise no_operation("_?_:_", chosen)
        return then(frame) if chosen else otherwise(frame)

    return run


def _not_strictly_false(node: Node) -> Node:
    return lambda frame: outcome(node, frame) is not False


def _alternative(name: str, *, content: bool) -> Callable[[Node, Node], Node]:
    """Return `or` or `orValue`: what stands in for an empty optional is looked at only then."""

    def combined(optional: Node, instead: Node) -> Node:
        def run(frame: Frame) -> object:
            value = optional(frame)
            if not isinstance(value, Optional):
                raise no_operation(name, value)
            if not value.present:
                return instead(frame)
            return value.content if content else value

        return run

    return combined


LAZY: Mapping[str, Callable[..., Node]] = {
    "_&&_": _logical("_&&_", settles=False),
    "_||_": _logical("_||_", settles=True),
    "_?_:_": _conditional,
    "@not_strictly_false": _not_strictly_false,
    "or": _alternative("or", content=False),
    "orValue": _alternative("orValue", content=True),
}
"""Operators that do not look at all of their operands, by what makes them of these."""
