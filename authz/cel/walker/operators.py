"""Operators and conversions of the Python engine, by the letter of the language definition.

A table from name and kinds of arguments to what is done with them. What is not in it is no operation, and an error:
no number is a bool, no text is a number, and an int and a double are added by nobody.
"""

from __future__ import annotations

import math
import operator
from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING

from authz.cel.types import Kind
from authz.cel.values import NoValueError, equal, within
from authz.cel.walker import times
from authz.cel.walker.values import INT_MAX, INT_MIN, UINT_MAX, Uint, type_value

if TYPE_CHECKING:
    from collections.abc import Callable

    Operations = dict[tuple[Kind, ...], Callable[..., object]]

BOOL, INT, UINT, DOUBLE = Kind.BOOL, Kind.INT, Kind.UINT, Kind.DOUBLE
STRING, BYTES, TIME, SPAN = Kind.STRING, Kind.BYTES, Kind.TIMESTAMP, Kind.DURATION
_NUMBERS = (INT, UINT, DOUBLE)
_BOOLS = {
    **dict.fromkeys(("true", "True", "TRUE", "t", "1"), True),
    **dict.fromkeys(("false", "False", "FALSE", "f", "0"), False),
}


def to_int(value: int) -> int:
    """Return an int; raise `NoValueError` if it overflows."""
    if INT_MIN <= value <= INT_MAX:
        return int(value)
    raise NoValueError("out of range")


def to_uint(value: int) -> Uint:
    """Return a uint; raise `NoValueError` if it overflows."""
    if 0 <= value <= UINT_MAX:
        return Uint(value)
    raise NoValueError("out of range")


def _divided(left: int, right: int) -> int:
    """Return the quotient, cut off towards zero."""
    if right == 0:
        raise NoValueError("divide by zero")
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _rest(left: int, right: int) -> int:
    """Return what is left of a division that cuts off towards zero; it overflows where the quotient does."""
    if right == 0:
        raise NoValueError("modulus by zero")
    if (left, right) == (INT_MIN, -1):
        raise NoValueError("out of range")
    return left - right * _divided(left, right)


def _float_divided(left: float, right: float) -> float:
    if right != 0:
        return left / right
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1, right)


def _integers(operation: Callable[[int, int], int]) -> Operations:
    """Return an operation on two ints and on two uints."""
    return {
        (INT, INT): lambda left, right: to_int(operation(left, right)),
        (UINT, UINT): lambda left, right: to_uint(operation(int(left), int(right))),
    }


def _concatenated(left: list[object], right: list[object]) -> list[object]:
    return [*left, *right]


def _orderings(compare: Callable[..., object]) -> Operations:
    """Return a comparison of every two kinds that have an order between them."""
    alike = ((kind, kind) for kind in (BOOL, STRING, BYTES, TIME, SPAN))
    return dict.fromkeys((*alike, *product(_NUMBERS, _NUMBERS)), compare)


def double_text(value: float) -> str:
    """Return a double in its shortest digits, with an exponent below 1e-4 and from 1e6."""
    if math.isnan(value) or math.isinf(value) or value == 0:
        return "nan" if math.isnan(value) else f"{value:g}"
    exact = Decimal(repr(value)).normalize()
    if -5 < exact.adjusted() < 6:
        return f"{exact:f}"
    first, *rest = map(str, exact.as_tuple().digits)
    mantissa = f"{first}.{''.join(rest)}" if rest else first
    return f"{'-' if value < 0 else ''}{mantissa}e{exact.adjusted():+03}"


def _int_of(text: str) -> int:
    return to_int(_number(text, signed=True))


def _uint_of(text: str) -> Uint:
    return to_uint(_number(text, signed=False))


def _number(text: str, *, signed: bool) -> int:
    digits = times.bounded(text).strip(" \t\n\v\f\r")
    unsigned = digits[1:] if digits[:1] in ("+", *("-" * signed)) else digits
    if not (unsigned.isascii() and unsigned.isdigit()):
        raise NoValueError("the text cannot be converted")
    return int(digits)


def _double_of(text: str) -> float:
    plain = times.bounded(text).strip(" \t\n\v\f\r")
    if not plain.isascii() or "_" in plain or "x" in plain.lower():
        raise NoValueError("the text cannot be converted")
    try:
        return float(plain)
    except ValueError:
        raise NoValueError("the text cannot be converted") from None


def _bool_of(text: str) -> bool:
    if text not in _BOOLS:
        raise NoValueError("the text cannot be converted")
    return _BOOLS[text]


def _whole(value: float) -> int:
    if not math.isfinite(value):
        raise NoValueError("out of range")
    return int(value)


def _text_of(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise NoValueError("not UTF-8") from None


OPERATORS: dict[str, Operations] = {
    "_+_": {
        **_integers(operator.add),
        (DOUBLE, DOUBLE): operator.add,
        (STRING, STRING): lambda left, right: within(left + right),
        (BYTES, BYTES): lambda left, right: within(left + right),
        (Kind.LIST, Kind.LIST): _concatenated,
        (TIME, SPAN): times.shifted,
        (SPAN, TIME): lambda span, time: times.shifted(time, span),
        (SPAN, SPAN): lambda left, right: times.in_range(left + right),
    },
    "_-_": {
        **_integers(operator.sub),
        (DOUBLE, DOUBLE): operator.sub,
        (TIME, SPAN): lambda time, span: times.shifted(time, -span),
        (TIME, TIME): lambda left, right: times.in_range(left - right),
        (SPAN, SPAN): lambda left, right: times.in_range(left - right),
    },
    "_*_": {**_integers(operator.mul), (DOUBLE, DOUBLE): operator.mul},
    "_/_": {**_integers(_divided), (DOUBLE, DOUBLE): _float_divided},
    "_%_": _integers(_rest),
    "-_": {(INT,): lambda value: to_int(-value), (DOUBLE,): operator.neg},
    "!_": {(BOOL,): operator.not_},
    "_<_": _orderings(operator.lt),
    "_<=_": _orderings(operator.le),
    "_>_": _orderings(operator.gt),
    "_>=_": _orderings(operator.ge),
    "bool": {(BOOL,): bool, (STRING,): _bool_of},
    "int": {
        (BOOL,): int,
        (INT,): int,
        (UINT,): to_int,
        (DOUBLE,): lambda value: to_int(_whole(value)),
        (STRING,): _int_of,
        (TIME,): times.to_seconds,
    },
    "uint": {
        (INT,): to_uint,
        (UINT,): Uint,
        (DOUBLE,): lambda value: to_uint(_whole(value)),
        (STRING,): _uint_of,
    },
    "double": {(INT,): float, (UINT,): float, (DOUBLE,): float, (STRING,): _double_of},
    "string": {
        (BOOL,): lambda value: "true" if value else "false",
        (INT,): str,
        (UINT,): lambda value: str(int(value)),
        (DOUBLE,): double_text,
        (STRING,): str,
        (BYTES,): _text_of,
        (TIME,): times.timestamp_text,
        (SPAN,): times.duration_text,
    },
    "bytes": {(STRING,): str.encode, (BYTES,): bytes},
    "timestamp": {(STRING,): times.read_timestamp, (INT,): times.from_seconds, (TIME,): lambda time: time},
    "duration": {(STRING,): times.read_duration, (SPAN,): lambda span: span},
}
"""Operators and conversions by the kinds they take."""


ANY: dict[str, Callable[..., object]] = {
    "_==_": equal,
    "_!=_": lambda left, right: not equal(left, right),
    "dyn": lambda value: value,
    "type": type_value,
}
"""What takes values of any kind."""
