"""The macros, expanded as the other engine expands them, so that one set of checks and rewrites fits both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from authz._pb.cel.expr.syntax_pb2 import Expr
from authz.cel.types import BOOL, DYN, INT, CelType, Kind, list_of, optional_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authz.cel.python.builder import Builder

RESULT = "@result"
"""The running value of a loop; nobody can write the name."""


class Macro(msgspec.Struct, frozen=True, kw_only=True):
    """A macro that is called on something: `of.map(name, first, second)`.

    `element` is the type of what the name stands for, `at` the place of the macro.
    """

    of: Expr
    name: str
    element: CelType
    first: Expr
    second: Expr | None
    at: int


def _quantifier(start: bool) -> Callable[[Builder, Macro], Expr]:
    """Return `all`, that starts with true and goes on while it is, or `exists`, the other way round."""

    def expand(build: Builder, macro: Macro) -> Expr:
        running = build.name(RESULT, macro.at, BOOL)
        going = running if start else build.call("!_", [running], macro.at, BOOL)
        step = [build.name(RESULT, macro.at, BOOL), macro.first]
        return _loop(
            build,
            macro,
            start=build.constant(start, macro.at),
            condition=build.call("@not_strictly_false", [going], macro.at, BOOL),
            step=build.call("_&&_" if start else "_||_", step, macro.at, BOOL),
            result=build.name(RESULT, macro.at, BOOL),
        )

    return expand


def _exists_one(build: Builder, macro: Macro) -> Expr:
    at = macro.at
    more = build.call("_+_", [build.name(RESULT, at, INT), build.constant(1, at)], at, INT)
    same = build.name(RESULT, at, INT)
    return _loop(
        build,
        macro,
        start=build.constant(0, at),
        condition=build.constant(True, at),
        step=build.call("_?_:_", [macro.first, more, same], at, INT),
        result=build.call("_==_", [build.name(RESULT, at, INT), build.constant(1, at)], at, BOOL),
    )


def _map(build: Builder, macro: Macro) -> Expr:
    made, condition = (macro.first, None) if macro.second is None else (macro.second, macro.first)
    return _listing(build, macro, made, condition)


def _filter(build: Builder, macro: Macro) -> Expr:
    return _listing(build, macro, build.name(macro.name, macro.at, macro.element), macro.first)


def _listing(build: Builder, macro: Macro, made: Expr, condition: Expr | None) -> Expr:
    at, type_ = macro.at, list_of(build.type_of(made))
    step = build.call("_+_", [build.name(RESULT, at, type_), build.list([made], at)], at, type_)
    if condition is not None:
        step = build.call("_?_:_", [condition, step, build.name(RESULT, at, type_)], at, type_)
    return _loop(
        build,
        macro,
        start=build.list([], at),
        condition=build.constant(True, at),
        step=step,
        result=build.name(RESULT, at, type_),
    )


def _loop(build: Builder, macro: Macro, *, start: Expr, condition: Expr, step: Expr, result: Expr) -> Expr:
    parts = Expr.Comprehension(
        iter_var=macro.name,
        iter_range=macro.of,
        accu_var=RESULT,
        accu_init=start,
        loop_condition=condition,
        loop_step=step,
        result=result,
    )
    return build.loop(parts, macro.at, build.type_of(result))


def bind(build: Builder, name: str, value: Expr, body: Expr, at: int) -> Expr:
    """Return `cel.bind(name, value, body)`: a loop over nothing, whose running value has the name."""
    parts = Expr.Comprehension(
        iter_var="#unused",
        iter_range=build.list([], at),
        accu_var=name,
        accu_init=value,
        loop_condition=build.constant(False, at),
        loop_step=build.name(name, at),
        result=body,
    )
    return build.loop(parts, at, build.type_of(body))


def _opt_map(build: Builder, macro: Macro) -> Expr:
    return _if_present(build, macro, build.call("optional.of", [_bound_content(build, macro)], macro.at))


def _opt_flat_map(build: Builder, macro: Macro) -> Expr:
    return _if_present(build, macro, _bound_content(build, macro))


def _bound_content(build: Builder, macro: Macro) -> Expr:
    content = build.call("value", [], macro.at, _content_type(build, macro.of), target=macro.of)
    return bind(build, macro.name, content, macro.first, macro.at)


def _if_present(build: Builder, macro: Macro, present: Expr) -> Expr:
    there = build.call("hasValue", [], macro.at, BOOL, target=macro.of)
    nothing = build.call("optional.none", [], macro.at, optional_of(DYN))
    return build.call("_?_:_", [there, present, nothing], macro.at, optional_of(DYN))


def _content_type(build: Builder, optional: Expr) -> CelType:
    type_ = build.type_of(optional)
    return type_.parameters[0] if type_.kind is Kind.OPTIONAL else DYN


MACROS: Mapping[tuple[str, int], Callable[[Builder, Macro], Expr]] = {
    ("all", 2): _quantifier(start=True),
    ("exists", 2): _quantifier(start=False),
    ("exists_one", 2): _exists_one,
    ("map", 2): _map,
    ("map", 3): _map,
    ("filter", 2): _filter,
    ("optMap", 2): _opt_map,
    ("optFlatMap", 2): _opt_flat_map,
}
"""Macros by name and number of arguments."""
