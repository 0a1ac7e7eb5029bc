"""`format` and `strings.quote` of the strings extension."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from authz.cel.values import NoValueError, within
from authz.cel.walker.times import duration_text, timestamp_text
from authz.cel.walker.values import TypeValue, from_outside

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_CLAUSE = re.compile(
    r"%(?:(?P<percent>%)|(?P<precision>\.\d{1,3}|\.1000)?(?P<kind>[sdfexXob])|(?P<bad>.|$))", re.DOTALL
)
_PRECISION = 6
_NAMES = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_QUOTED = {"\a": "a", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t", "\v": "v", "\\": "\\", '"': '"'}
_UNFIT = "the arguments do not fit"


def formatted(template: str, arguments: Sequence[object]) -> str:
    """Return a format with its clauses filled in, each by the next argument; arguments left over are ignored."""
    waiting = iter(arguments)

    def fill(clause: re.Match[str]) -> str:
        if clause["percent"]:
            return "%"
        if clause["bad"] is not None:
            raise NoValueError(_UNFIT)
        value = next(waiting, _NOTHING)
        if value is _NOTHING:
            raise NoValueError(_UNFIT)
        precision = int(clause["precision"][1:]) if clause["precision"] else _PRECISION
        return _KINDS[clause["kind"]](from_outside(value), precision)

    return within(_CLAUSE.sub(fill, template))


_NOTHING = object()


def quoted(text: str) -> str:
    """Return a text as a literal of CEL, in double quotes."""
    return '"' + "".join(f"\\{_QUOTED[each]}" if each in _QUOTED else each for each in text) + '"'


def _any(value: object, _: int = 0) -> str:
    for kind, write in _WRITERS:
        if isinstance(value, kind):
            return write(value)
    raise NoValueError(_UNFIT)


def _map_text(value: Mapping[object, object]) -> str:
    entries = sorted((_any(from_outside(key)), _any(from_outside(each))) for key, each in value.items())
    return "{" + ", ".join(f"{key}: {each}" for key, each in entries) + "}"


def _list_text(value: Sequence[object]) -> str:
    return f"[{', '.join(_any(from_outside(each)) for each in value)}]"


def _bytes_text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise NoValueError("not UTF-8") from None


def _float_text(value: float) -> str:
    """Return a double in six digits, as the other engine does here and nowhere else."""
    return next((name for name, known in _NAMES.items() if repr(known) == repr(value)), f"{value:g}")


_WRITERS: tuple[tuple[type | tuple[type, ...], Callable[..., str]], ...] = (
    (bool, lambda value: "true" if value else "false"),
    (int, lambda value: str(int(value))),
    (float, _float_text),
    (str, str),
    (bytes, _bytes_text),
    (type(None), lambda _: "null"),
    (list, _list_text),
    (dict, _map_text),
    (datetime, timestamp_text),
    (timedelta, duration_text),
    (TypeValue, lambda value: value.name),
)


def _number(value: object) -> float:
    if isinstance(value, str) and value in _NAMES:
        return _NAMES[value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NoValueError(_UNFIT)
    return value


def _fixed(value: object, precision: int) -> str:
    number = _number(value)
    return f"{number:.{precision}f}" if math.isfinite(number) else _float_text(float(number))


def _scientific(value: object, precision: int) -> str:
    number = _number(value)
    return f"{number:.{precision}e}" if math.isfinite(number) else _float_text(float(number))


def _decimal(value: object, precision: int) -> str:
    number = _number(value)
    return str(int(number)) if isinstance(value, int) else _fixed(number, precision)


def _hex(value: object, _: int) -> str:
    if isinstance(value, str):
        return value.encode().hex()
    return value.hex() if isinstance(value, bytes) else f"{_whole(value):x}"


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise NoValueError(_UNFIT)
    return int(value)


_KINDS: Mapping[str, Callable[[object, int], str]] = {
    "s": _any,
    "d": _decimal,
    "f": _fixed,
    "e": _scientific,
    "x": _hex,
    "X": lambda value, precision: _hex(value, precision).upper(),
    "o": lambda value, _: f"{_whole(value):o}",
    "b": lambda value, _: f"{int(value) if isinstance(value, bool) else _whole(value):b}",
}
"""The clauses and what they print."""
