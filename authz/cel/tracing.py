"""An evaluation shown part by part: what each part of an expression was, and which parts were never asked.

The expression is walked in Python beside the engine that decides, and every part that its author can see (`parts`)
is watched. The answer shown is the engine's own; where the walk comes to another, or cannot walk, the trace says so
rather than show what did not happen. Evaluating for a decision knows nothing of all this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from authz.cel.faults import CompileError
from authz.cel.tree import walk
from authz.cel.values import EvaluationError, NoValueError, equal, plain
from authz.cel.walker.frame import ExhaustedError, Frame
from authz.cel.walker.program import Program
from authz.cel.walker.values import Optional, TypeValue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authz._pb.cel.expr.syntax_pb2 import Expr
    from authz.cel import engine
    from authz.cel.engine import Activation
    from authz.cel.parts import Part
    from authz.cel.types import CelType
    from authz.cel.walker.frame import Node

MOST_TURNS = 32
"""Values kept of one part that a loop evaluates again and again."""


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """One evaluation. `value` is the deciding engine's, `whole` the expression.

    `seen` has, by the number of a part, its values in order, plain or an `EvaluationError`; a part that is not in it
    was not evaluated. `agrees` says whether the walk came to that value: where it did not, believe `value` only.
    """

    value: object | EvaluationError
    whole: Part
    seen: Mapping[int, tuple[object | EvaluationError, ...]]
    agrees: bool

    def evaluated(self, part: Part) -> bool:
        """Return whether a part was asked at all."""
        return part.number in self.seen

    def values(self, part: Part) -> tuple[object | EvaluationError, ...]:
        """Return what a part was: one value, one per turn inside a loop, none where it was not evaluated."""
        return self.seen.get(part.number, ())


class Tracer:
    """One expression, ready to be shown at work; `whole` are its parts."""

    def __init__(self, whole: Part, tree: Expr, variables: Mapping[str, CelType], program: engine.Program) -> None:
        """Make the walk of a tree that has been rewritten, beside the program that decides."""
        self.whole = _kept(whole, {visit.node.id for visit in walk(tree)})
        self._numbers = {part.number for part in self.whole.walk()}
        self._decides = program
        try:
            self._walked: Program | None = Program(tree, variables, self._watch)
        except CompileError:
            self._walked = None

    def trace(self, activation: Activation) -> Trace:
        """Evaluate and return what happened; raises nothing."""
        value = self._decides.value(activation)
        frame = _Watched(activation.values)
        walked: object = EvaluationError("cannot be walked", unsupported=True)
        if self._walked is not None:
            walked = _plain(self._walked.evaluated(frame))
        seen = {number: tuple(map(_shown, values)) for number, values in frame.seen.items()}
        return Trace(
            value=value,
            whole=self.whole,
            seen={**seen, self.whole.number: (value,)},
            agrees=_alike(value, walked),
        )

    def _watch(self, node: Expr, run: Node) -> Node:
        number = node.id
        if number not in self._numbers:
            return run

        def watched(frame: Frame) -> object:
            try:
                value = run(frame)
            except (NoValueError, ExhaustedError) as error:
                _note(frame, number, EvaluationError(str(error) or "too many iterations"))
                raise
            _note(frame, number, value)
            return value

        return watched


class _Watched(Frame):
    """An evaluation that is watched."""

    __slots__ = ("seen",)

    def __init__(self, bindings: Mapping[str, object]) -> None:
        super().__init__(bindings)
        self.seen: dict[int, list[object]] = {}


def _note(frame: Frame, number: int, value: object) -> None:
    if isinstance(frame, _Watched):
        values = frame.seen.setdefault(number, [])
        if len(values) < MOST_TURNS:
            values.append(value)


def _kept(part: Part, numbers: set[int]) -> Part:
    """Return a part without those below that the rewritten tree no longer asks, such as the name of indexed data."""
    below = tuple(_kept(each, numbers) for each in part.parts if each.number in numbers)
    return msgspec.structs.replace(part, parts=below)


def _plain(value: object) -> object | EvaluationError:
    try:
        return value if isinstance(value, EvaluationError) else plain(value)
    except NoValueError as error:
        return EvaluationError(str(error))


def _shown(value: object) -> object | EvaluationError:
    """Return a value for people: also those that only expressions know."""
    match value:
        case Optional():
            return _shown(value.content) if value.present else None
        case TypeValue():
            return value.name
    return _plain(value)


def _alike(value: object, walked: object) -> bool:
    if isinstance(value, EvaluationError) or isinstance(walked, EvaluationError):
        return isinstance(value, EvaluationError) and isinstance(walked, EvaluationError)
    return equal(value, walked) or repr(value) == repr(walked)
