"""Functions of the walker: the standard library and the extensions strings, math, encoders and optional.

Beside them stand this project's own, from the registry.
"""

from __future__ import annotations

import base64
import binascii
import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from authz.cel import functions
from authz.cel.types import Kind
from authz.cel.values import NoValueError
from authz.cel.walker.formats import formatted, quoted
from authz.cel.walker.operators import BYTES, DOUBLE, INT, SPAN, STRING, TIME, UINT, to_int, to_uint
from authz.cel.walker.times import DURATION_PARTS, TIMESTAMP_PARTS, to_seconds, zone
from authz.cel.walker.values import NOTHING, UINT_MAX, Optional, Uint, UnsupportedError, from_outside, no_operation

if TYPE_CHECKING:
    from collections.abc import Callable

    from authz.cel.walker.operators import Operations

LIST, MAP, OPTIONAL = Kind.LIST, Kind.MAP, Kind.OPTIONAL
_UNFIT = "the arguments do not fit"
_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


def _from(text: str, position: int) -> int:
    if not 0 <= position <= len(text):
        raise NoValueError("out of range")
    return position


def _char_at(text: str, position: int) -> str:
    if not 0 <= position <= len(text):
        raise NoValueError(_UNFIT)
    return text[position : position + 1]


def _substring(text: str, start: int, end: int | None = None) -> str:
    stop = len(text) if end is None else end
    if not 0 <= start <= stop <= len(text):
        raise NoValueError(_UNFIT)
    return text[start:stop]


def _last_index(text: str, part: str, position: int) -> int:
    return text.rfind(part, 0, _from(text, position) + len(part))


def _split(text: str, separator: str, limit: int = -1) -> list[object]:
    if limit == 0:
        return []
    if separator:
        return list(text.split(separator, limit - 1 if limit > 0 else -1))
    if limit < 0 or limit >= len(text):
        return list(text) or [""]
    return [*text[: limit - 1], text[limit - 1 :]]


def _ascii(text: str, change: Callable[[str], str]) -> str:
    return "".join(change(character) if character.isascii() else character for character in text)


def _rounded(value: float) -> float:
    """Return the nearest whole number, halves away from zero."""
    if not math.isfinite(value):
        return value
    whole = math.floor(abs(value))
    return math.copysign(whole + (abs(value) - whole >= 0.5), value)


def _whole(change: Callable[[float], int]) -> Callable[[float], float]:
    return lambda value: math.copysign(float(change(value)), value) if math.isfinite(value) else value


def _sign(value: float) -> float:
    return value if value == 0 or math.isnan(value) else math.copysign(1.0, value)


def _root(value: float) -> float:
    return math.sqrt(value) if value >= 0 else math.nan


def _extreme(name: str, better: Callable[[float, float], bool]) -> Callable[..., object]:
    """Return `math.greatest` or `math.least`: of numbers, or of one list of them."""

    def extreme(*values: object) -> object:
        given = values[0] if len(values) == 1 and isinstance(values[0], list) else values
        numbers = [from_outside(each) for each in given]
        if not numbers or any(isinstance(each, bool) or not isinstance(each, int | float) for each in numbers):
            raise no_operation(name, *values)
        best = cast("float", numbers[0])
        for number in cast("list[float]", numbers[1:]):
            best = number if better(number, best) else best
        return best

    return extreme


def _shifted(value: int, bits: int, *, left: bool) -> int:
    if bits < 0:
        raise NoValueError(_UNFIT)
    pattern = int(value) & UINT_MAX
    moved = 0 if bits > 63 else (pattern << bits if left else pattern >> bits) & UINT_MAX
    return Uint(moved) if type(value) is Uint else moved - (1 << 64) if moved >> 63 else moved


def _decoded(text: str) -> bytes:
    compact = text.translate(dict.fromkeys(map(ord, " \t\n\v\f\r")))
    padded = compact if compact.endswith("=") else compact + "=" * (-len(compact) % 4)
    try:
        return base64.b64decode(padded, validate=True)
    except (binascii.Error, ValueError):
        raise NoValueError("the text cannot be converted") from None


def _content(optional: Optional) -> object:
    if not optional.present:
        raise NoValueError("the optional is empty")
    return optional.content


def _non_zero(value: object) -> Optional:
    """Return an optional that is empty for what is the default of its kind."""
    if isinstance(value, int | float | str | bytes | list | dict | timedelta) or value is None:
        return Optional(present=True, content=value) if value else NOTHING
    if isinstance(value, datetime):
        return Optional(present=True, content=value) if to_seconds(value) or value.microsecond else NOTHING
    raise UnsupportedError("the default of a message is not known")


def _part(read: Callable[[datetime], int]) -> Callable[..., int]:
    return lambda time, name="": read(time.astimezone(zone(name)))


LIBRARY: dict[str, Operations] = {
    "size": dict.fromkeys(((STRING,), (BYTES,), (LIST,), (MAP,)), len),
    "contains": {(STRING, STRING): lambda text, part: part in text},
    "startsWith": {(STRING, STRING): str.startswith},
    "endsWith": {(STRING, STRING): str.endswith},
    "charAt": {(STRING, INT): _char_at},
    "indexOf": {
        (STRING, STRING): str.find,
        (STRING, STRING, INT): lambda text, part, position: text.find(part, _from(text, position)),
    },
    "lastIndexOf": {(STRING, STRING): str.rfind, (STRING, STRING, INT): _last_index},
    "lowerAscii": {(STRING,): lambda text: _ascii(text, str.lower)},
    "upperAscii": {(STRING,): lambda text: _ascii(text, str.upper)},
    "reverse": {(STRING,): lambda text: text[::-1]},
    "split": dict.fromkeys(((STRING, STRING), (STRING, STRING, INT)), _split),
    "substring": dict.fromkeys(((STRING, INT), (STRING, INT, INT)), _substring),
    "trim": {(STRING,): lambda text: text.strip(_SPACE)},
    "format": {(STRING, LIST): formatted},
    "strings.quote": {(STRING,): quoted},
    "math.abs": {(INT,): lambda value: to_int(abs(value)), (UINT,): Uint, (DOUBLE,): abs},
    "math.ceil": {(DOUBLE,): _whole(math.ceil)},
    "math.floor": {(DOUBLE,): _whole(math.floor)},
    "math.round": {(DOUBLE,): _rounded},
    "math.trunc": {(DOUBLE,): _whole(math.trunc)},
    "math.sign": {
        (INT,): lambda value: (value > 0) - (value < 0),
        (UINT,): lambda value: Uint(value > 0),
        (DOUBLE,): _sign,
    },
    "math.sqrt": dict.fromkeys(((INT,), (UINT,), (DOUBLE,)), _root),
    "math.isInf": {(DOUBLE,): math.isinf},
    "math.isNaN": {(DOUBLE,): math.isnan},
    "math.isFinite": {(DOUBLE,): math.isfinite},
    "math.bitAnd": {
        (INT, INT): lambda left, right: left & right,
        (UINT, UINT): lambda left, right: Uint(int(left) & int(right)),
    },
    "math.bitOr": {
        (INT, INT): lambda left, right: left | right,
        (UINT, UINT): lambda left, right: Uint(int(left) | int(right)),
    },
    "math.bitXor": {
        (INT, INT): lambda left, right: left ^ right,
        (UINT, UINT): lambda left, right: Uint(int(left) ^ int(right)),
    },
    "math.bitNot": {(INT,): lambda value: ~value, (UINT,): lambda value: to_uint(UINT_MAX - value)},
    "math.bitShiftLeft": dict.fromkeys(((INT, INT), (UINT, INT)), lambda value, bits: _shifted(value, bits, left=True)),
    "math.bitShiftRight": dict.fromkeys(
        ((INT, INT), (UINT, INT)), lambda value, bits: _shifted(value, bits, left=False)
    ),
    "base64.encode": {(BYTES,): lambda content: base64.b64encode(content).decode()},
    "base64.decode": {(STRING,): _decoded},
    "optional.none": {(): lambda: NOTHING},
    "hasValue": {(OPTIONAL,): lambda optional: optional.present},
    "value": {(OPTIONAL,): _content},
    "first": {(LIST,): lambda elements: _at(elements, 0)},
    "last": {(LIST,): lambda elements: _at(elements, -1)},
    **{name: {(TIME,): _part(read), (TIME, STRING): _part(read)} for name, read in TIMESTAMP_PARTS.items()},
}
"""Functions by the kinds they take, the receiver first."""

for _name, _read in DURATION_PARTS.items():
    LIBRARY[_name] = {**LIBRARY[_name], (SPAN,): _read}


def _at(elements: list[object], position: int) -> Optional:
    return Optional(present=True, content=from_outside(elements[position])) if elements else NOTHING


_greatest = _extreme("math.greatest", lambda number, best: number > best)
_least = _extreme("math.least", lambda number, best: number < best)

ANY: dict[str, Callable[..., object]] = {
    "math.greatest": _greatest,
    "math.@max": _greatest,
    "math.least": _least,
    "math.@min": _least,
    "optional.of": lambda value: Optional(present=True, content=value),
    "optional.ofNonZeroValue": _non_zero,
}
"""Functions that look at their arguments themselves; those with `@` are how the C++ engine names two of them."""


def own(function: functions.Function) -> Operations:
    """Return a function of the registry by the kinds it takes; a parameter that is dyn takes every kind."""
    return {
        tuple(parameter.kind for parameter in overload.parameters): overload.call for overload in function.overloads
    }


OWN: dict[str, Operations] = {
    function.name: own(function) for function in (*functions.FUNCTIONS, *functions.INTERNAL) if function.overloads
}
"""This project's own functions."""
