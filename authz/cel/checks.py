"""What is checked of an expression when it is loaded, beyond its types.

Nothing here looks at a request. Each check is a rule of its own over the checked tree and yields faults; all of them
run, so that an author sees everything at once. What they buy: patterns that are compiled and of bounded size, work that
is bounded by the expression and not by the caller, and mistakes that would otherwise be an error on every request.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from authz.cel.faults import Code
from authz.cel.functions import FUNCTIONS
from authz.cel.parts import parts
from authz.cel.patterns import check_pattern
from authz.cel.source import NOW
from authz.cel.tree import NO_SCOPE, Places, at, children, free_name, is_loop, text, type_of
from authz.cel.types import Kind
from authz.cel.values import EvaluationError, NoValueError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from authz._pb.cel.expr.checked_pb2 import CheckedExpr
    from authz._pb.cel.expr.syntax_pb2 import Expr
    from authz.cel.engine import EngineEnvironment
    from authz.cel.faults import CompileFault
    from authz.cel.source import Source
    from authz.cel.tree import Visit
    from authz.cel.types import CelType

Stretch = Callable[..., "CompileFault"]
"""Makes a fault under all of a node."""

MAX_NODES = 5_000
"""Nodes a tree may have; `optMap` doubles its receiver each time."""

MAX_LOOPS = 2
"""Loops that may stand inside one another."""

MAX_GROWTH = 64
"""How often `cel.bind` may multiply its inputs."""

_CHECKS: Mapping[str, Callable[[str], object]] = {
    "matches": check_pattern,
    **{function.name: function.check for function in FUNCTIONS if function.check},
}
_CONVERSIONS = {
    "timestamp": 'like "2026-11-23T12:00:00Z"',
    "duration": 'like "90s" or "1h30m"',
}
_SYNTAX = {"matches": "in the syntax of RE2: no look-around, no back-references"}
_ZONED = frozenset(
    {
        "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours", "getMilliseconds",
        "getMinutes", "getMonth", "getSeconds",
    }
)  # fmt: skip
"""What is asked of a time, perhaps in a time zone."""

_ZONE = re.compile("[A-Za-z0-9_+:/-]*")

_SCALARS = frozenset({Kind.BOOL, Kind.INT, Kind.UINT, Kind.DOUBLE, Kind.TIMESTAMP, Kind.DURATION, Kind.NULL})


def check(
    checked: CheckedExpr, visits: Sequence[Visit], source: Source, expect: CelType | None
) -> Iterator[CompileFault]:
    """Yield every fault of an expression whose types are right; `visits` are all of its nodes."""
    places = Places(checked, source.text)
    if len(visits) > MAX_NODES:
        yield places.whole(Code.SIZE, f"the expression has more than {MAX_NODES} parts")
        return
    yield from _result(checked, places, expect)
    stretch = partial(_stretch, checked, source)
    for visit in visits:
        if visit.node.HasField("call_expr"):
            yield from _literals(visit.node, places, stretch)
        elif visit.node.HasField("comprehension_expr"):
            if is_loop(visit.node):
                yield from _nesting(visit.node, visit.loops, stretch)
            else:
                yield from _growth(visit.node, checked, stretch)
        elif free_name(visit.node, visit.scope) == NOW and places.offset(visit.node) not in source.now:
            yield places.fault(visit.node, Code.UNDECLARED, f'undeclared variable "{NOW}"', 'did you mean "now()"?')


def check_presence(source: Source, variables: Collection[str]) -> Iterator[CompileFault]:
    """Refuse `has(request.method)`: engines read it as the variable itself, whose value then passes for the answer."""
    for name, offset in source.presence:
        if name in variables:
            message = f'has() asks for a key inside a value; "{name}" is a variable'
            yield at(source.text, offset, Code.PRESENCE, message, "compare it, or leave the question out", len(name))


def _result(checked: CheckedExpr, places: Places, expect: CelType | None) -> Iterator[CompileFault]:
    found = type_of(checked, checked.expr)
    if found.kind is Kind.OPTIONAL:
        yield places.whole(Code.TYPE, "the result is optional", "end it with .orValue(...)")
    elif expect is not None and not expect.accepts(found):
        yield places.whole(Code.TYPE, f"the result is {found}, {expect} is expected")


def _stretch(
    checked: CheckedExpr, source: Source, node: Expr, code: Code, message: str, hint: str = ""
) -> CompileFault:
    """Return a fault under all of a node: its own token may be a dot or a bracket in the middle of it."""
    part = next((one for one in parts(checked, source.text).walk() if one.number == node.id), None)
    if part is None:
        return Places(checked, source.text).fault(node, code, message, hint)
    return at(source.text, part.start, code, message, hint, len(part.text.partition("\n")[0]))


def _literals(node: Expr, places: Places, stretch: Stretch) -> Iterator[CompileFault]:
    """Require patterns, networks and formats to be written out (C10), and to be good ones."""
    function, arguments = node.call_expr.function, node.call_expr.args
    if function == "format":
        if text(node.call_expr.target) is None:
            yield places.fault(node, Code.LITERAL, "the format has to be a string literal")
        return
    if (reader := _CHECKS.get(function)) is None or not arguments:
        return
    pattern = text(arguments[-1])
    if pattern is None:
        message = f'what "{function}" looks for has to be a string literal'
        yield stretch(arguments[-1], Code.LITERAL, message, "write it out, or compare with == or in")
        return
    try:
        reader(pattern)
    except NoValueError as error:
        yield places.fault(
            arguments[-1], Code.PATTERN, f'"{function}" cannot use this: {error}', _SYNTAX.get(function, "")
        )


def _nesting(node: Expr, loops: int, stretch: Stretch) -> Iterator[CompileFault]:
    """Bound loops inside loops (C12): the engine's budget of iterations does the rest."""
    if loops == MAX_LOOPS:
        message = f"more than {MAX_LOOPS} loops (all, exists, map, ...) inside one another"
        yield stretch(node, Code.NESTING, message, "hasAny, hasAll, inSet and maps look things up")


def _growth(node: Expr, checked: CheckedExpr, stretch: Stretch) -> Iterator[CompileFault]:
    """Bound what nested `cel.bind` can pile up: thirty times `a + a` are a thousand million copies (C12)."""
    if _copies(node, {}, checked) > MAX_GROWTH:
        message = f"the result may be more than {MAX_GROWTH} times as long as its inputs"
        yield stretch(node, Code.GROWTH, message, "repeat less of it")


def _copies(node: Expr, bound: Mapping[str, float], checked: CheckedExpr) -> float:
    """Return how many inputs of an expression can stand side by side in its value; a literal is a thousandth."""
    if type_of(checked, node).kind in _SCALARS:
        return 0
    if node.HasField("const_expr"):
        return len(text(node) or "") / 1_000
    if node.HasField("ident_expr"):
        return bound.get(node.ident_expr.name, 1)
    if node.HasField("comprehension_expr") and not is_loop(node):
        parts = node.comprehension_expr
        inner = {**bound, parts.accu_var: _copies(parts.accu_init, bound, checked)}
        return _copies(parts.result, inner, checked)
    return sum(_copies(child, bound, checked) for child, _ in children(node, NO_SCOPE))


def check_constants(
    checked: CheckedExpr, visits: Sequence[Visit], source: Source, engine: EngineEnvironment
) -> Iterator[CompileFault]:
    """Yield a fault for every time, duration or time zone that is written out and is none: always an error."""
    places = Places(checked, source.text)
    for visit in visits:
        call = visit.node.call_expr
        if call.function in _ZONED and len(call.args) == 1 and (zone := text(call.args[0])) is not None:
            yield from _no_zone(call, zone, places, engine)
        if call.function in _CONVERSIONS and len(call.args) == 1 and text(call.args[0]) is not None:
            alone = type(checked)(expr=visit.node, reference_map=checked.reference_map, type_map=checked.type_map)
            value = engine.program(alone).value(engine.activation({}))
            if isinstance(value, EvaluationError):
                yield _bad_constant(call, value, places)


def _no_zone(call: Expr.Call, zone: str, places: Places, engine: EngineEnvironment) -> Iterator[CompileFault]:
    """Yield a fault for a time zone that the engine, which brings its own tables or the system's, does not know."""
    if _ZONE.fullmatch(zone):
        asked = engine.program(engine.check(f'timestamp(0).{call.function}("{zone}")'))
        if not isinstance(asked.value(engine.activation({})), EvaluationError):
            return
    hint = 'a name like "Europe/Berlin", or an offset like "+01:00"'
    yield places.fault(call.args[0], Code.PATTERN, f'"{zone}" is no time zone', hint)


def _bad_constant(call: Expr.Call, error: EvaluationError, places: Places) -> CompileFault:
    if error.unsupported:
        return places.fault(call.args[0], Code.UNSUPPORTED, error.message)
    message = f'"{text(call.args[0])}" is no {call.function}'
    return places.fault(call.args[0], Code.PATTERN, message, _CONVERSIONS[call.function])
