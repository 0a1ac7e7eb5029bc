"""What is known before a run: how functions are called, and what operators, functions and selections result in.

How a function is called is read from its usage in the reference, so that the two cannot differ; how many arguments it
takes, from the library.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from google.protobuf import descriptor_pool

from authz.cel import functions, standard
from authz.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    UINT,
    CelType,
    Kind,
    list_of,
    optional_of,
)
from authz.cel.vocabulary import type_of
from authz.cel.walker import library, operators

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_FUNCTIONS = (*standard.FUNCTIONS, *(function for function in functions.FUNCTIONS if function.overloads))
_MEMBERS = frozenset(f.name for f in _FUNCTIONS if "." not in f.name and re.search(rf"\.{f.name}\(", f.usage))
_GLOBALS = frozenset(f.name for f in _FUNCTIONS if re.search(rf"(?:^|, ){re.escape(f.name)}\(", f.usage))
_LAZY = {"or": frozenset({2}), "orValue": frozenset({2})}
_BY_COUNT = {
    **{name: frozenset(map(len, kinds)) for name, kinds in {**operators.OPERATORS, **library.LIBRARY}.items()},
    **{name: frozenset(map(len, kinds)) for name, kinds in library.OWN.items()},
    **_LAZY,
    **dict.fromkeys(("dyn", "type", "optional.of", "optional.ofNonZeroValue"), frozenset({1})),
    "matches": frozenset({2}),
    "replace": frozenset({3, 4}),
    "join": frozenset({1, 2}),
}
_RESULTS: Mapping[str, CelType] = {
    **dict.fromkeys(
        (
            "contains", "startsWith", "endsWith", "matches", "bool", "hasValue", "math.isInf", "math.isNaN",
            "math.isFinite", "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "@in", "!_", "_&&_", "_||_",
        ),
        BOOL,
    ),
    **dict.fromkeys(("size", "int", "indexOf", "lastIndexOf"), INT),
    **{function.name: INT for function in standard.FUNCTIONS if re.fullmatch("get[A-Z][A-Za-z]+", function.name)},
    **dict.fromkeys(
        (
            "string", "charAt", "join", "lowerAscii", "upperAscii", "replace", "reverse", "substring", "trim", "format",
            "base64.encode",
        ),
        STRING,
    ),
    **dict.fromkeys(("double", "math.ceil", "math.floor", "math.round", "math.trunc", "math.sqrt"), DOUBLE),
    **dict.fromkeys(("bytes", "base64.decode"), BYTES),
    **dict.fromkeys(("optional.of", "optional.none", "optional.ofNonZeroValue"), optional_of(DYN)),
    **dict.fromkeys(("or", "first", "last"), optional_of(DYN)),
    "uint": UINT,
    "timestamp": TIMESTAMP,
    "duration": DURATION,
    "split": list_of(STRING),
    **{function.name: function.overloads[0].result for function in functions.FUNCTIONS if function.overloads},
}  # fmt: skip


def is_global(name: str) -> bool:
    """Return whether a name, dotted or not, is that of a function without a receiver."""
    return name in _GLOBALS


def fits(name: str, arguments: int, *, member: bool) -> bool:
    """Return whether a function is called like this, with so many arguments, the receiver included."""
    counts = _BY_COUNT.get(name)
    return name in (_MEMBERS if member else _GLOBALS) and (counts is None or arguments in counts)


def result(name: str, *arguments: CelType) -> CelType:
    """Return the type of what an operator or function results in; dyn where that depends on more than types."""
    if (known := _RESULTS.get(name)) is not None:
        return known
    if name in {"_+_", "_-_", "_*_", "_/_", "_%_", "-_", "math.abs", "math.sign"}:
        return arguments[0] if len(set(arguments)) == 1 and arguments[0].kind in _CLOSED else DYN
    if name == "_?_:_":
        return arguments[1] if arguments[1] == arguments[2] else DYN
    if name in {"_[?_]", "_?._"}:
        return optional_of(_element(arguments[0]))
    return _element(arguments[0]) if name == "_[_]" else DYN


_CLOSED = frozenset({Kind.INT, Kind.UINT, Kind.DOUBLE, Kind.STRING, Kind.BYTES, Kind.LIST})


def takes(name: str, *arguments: CelType) -> bool:
    """Return whether an operator or function may be given values of these types; dyn may be anything."""
    if any(argument.kind is Kind.DYN for argument in arguments):
        return True
    if (rule := _RULES.get(name)) is not None:
        return rule(*arguments)
    kinds = _KINDS.get(name)
    return kinds is None or tuple(argument.kind for argument in arguments) in kinds


def _comparable(left: CelType, right: CelType) -> bool:
    return left.accepts(right) or (right.kind is Kind.NULL and left.kind in _NULLABLE)


def _bools(*arguments: CelType) -> bool:
    return all(argument == BOOL for argument in arguments)


def _in(element: CelType, container: CelType) -> bool:
    return container.kind in {Kind.LIST, Kind.MAP} and container.parameters[0].accepts(element)


def _indexed(container: CelType, key: CelType) -> bool:
    if container.kind is Kind.LIST:
        return key == INT
    return container.kind is Kind.OPTIONAL or (container.kind is Kind.MAP and container.parameters[0].accepts(key))


_NULLABLE = frozenset({Kind.TIMESTAMP, Kind.DURATION, Kind.MESSAGE, Kind.OPTIONAL})
_RULES: Mapping[str, Callable[..., bool]] = {
    **dict.fromkeys(("_==_", "_!=_"), lambda left, right: _comparable(left, right) or _comparable(right, left)),
    **dict.fromkeys(("_&&_", "_||_"), _bools),
    **dict.fromkeys(("_[_]", "_[?_]"), _indexed),
    "@in": _in,
    "_?_:_": lambda condition, then, otherwise: (
        condition == BOOL and (_comparable(then, otherwise) or _comparable(otherwise, then))
    ),
}
_KINDS = {
    **operators.OPERATORS,
    **library.LIBRARY,
    **library.OWN,
    **{name.removeprefix("@"): library.OWN[name] for name in ("@matches", "@replace", "@join")},
}


def _element(container: CelType) -> CelType:
    return container.parameters[-1] if container.kind in {Kind.LIST, Kind.MAP} else DYN


def field(operand: CelType, name: str) -> CelType | None:
    """Return the type of a selection; `None` if nothing of this type has such a field."""
    if operand.kind is Kind.MESSAGE:
        message = descriptor_pool.Default().FindMessageTypeByName(operand.name)
        found = message.fields_by_name.get(name)
        return type_of(found) if found is not None else None
    if operand.kind in {Kind.DYN, Kind.MAP, Kind.OPTIONAL}:
        return _element(operand)
    return None
