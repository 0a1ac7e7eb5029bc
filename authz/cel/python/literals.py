"""The literals of CEL, from the text of their tokens (language definition, "Values" and its grammar).

An escape that is none, a number that does not fit and a float that ends in its point are errors, as in the other
engine; `cel-python` lets them pass.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from authz.cel.walker.values import INT_MAX, INT_MIN, UINT_MAX, Uint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_ESCAPE = re.compile(
    r"\\(?:(?P<one>[abfnrtv\"'`?\\])|[xX](?P<hex>[0-9a-fA-F]{2})|(?P<octal>[0-3][0-7]{2})"
    r"|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8})|(?P<bad>.))",
    re.DOTALL,
)
_ONE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_SURROGATES = range(0xD800, 0xE000)


def read(kind: str, text: str) -> bool | int | float | str | bytes | None:
    """Return the value of a literal; raise `ValueError` if it has none. `kind` is the token's name in the grammar."""
    return _READERS[kind](text)


def _int(text: str) -> int:
    value = _number(text)
    if not INT_MIN <= value <= INT_MAX:
        raise ValueError("the number does not fit an int")
    return value


def _uint(text: str) -> Uint:
    value = _number(text[:-1])
    if not 0 <= value <= UINT_MAX:
        raise ValueError("the number does not fit a uint")
    return Uint(value)


def _number(text: str) -> int:
    return int(text, 16 if "x" in text else 10)


def _float(text: str) -> float:
    if re.search(r"\.(?![0-9])", text):
        raise ValueError("digits are missing behind the point")
    return float(text)


def _string(text: str) -> str:
    body, raw = _body(text)
    return body if raw else _ESCAPE.sub(_character, body)


def _character(escape: re.Match[str]) -> str:
    if one := escape["one"]:
        return _ONE.get(one, one)
    code = _code(escape)
    if code in _SURROGATES or code > 0x10FFFF:
        raise ValueError("the escape is no character")
    return chr(code)


def _code(escape: re.Match[str]) -> int:
    if escape["octal"]:
        return int(escape["octal"], 8)
    digits = escape["hex"] or escape["short"] or escape["long"]
    if not digits:
        raise ValueError("the escape is none")
    return int(digits, 16)


def _bytes(text: str) -> bytes:
    body, raw = _body(text[1:])
    if raw:
        return body.encode()
    made, position = bytearray(), 0
    for escape in _ESCAPE.finditer(body):
        made += body[position : escape.start()].encode()
        made += _octets(escape)
        position = escape.end()
    return bytes(made + body[position:].encode())


def _octets(escape: re.Match[str]) -> bytes:
    if one := escape["one"]:
        return _ONE.get(one, one).encode()
    if escape["short"] or escape["long"]:
        raise ValueError("bytes have no such escape")
    return bytes([_code(escape)])


def _body(text: str) -> tuple[str, bool]:
    """Return what stands between the quotes, and whether escapes in it mean themselves."""
    raw = text[0] in "rR"
    quoted = text[1:] if raw else text
    marks = 3 if quoted[:3] in {'"""', "'''"} else 1
    return quoted[marks:-marks], raw


_READERS: Mapping[str, Callable[[str], bool | int | float | str | bytes | None]] = {
    "INT_LIT": _int,
    "UINT_LIT": _uint,
    "FLOAT_LIT": _float,
    "STRING_LIT": _string,
    "MLSTRING_LIT": _string,
    "BYTES_LIT": _bytes,
    "BOOL_LIT": lambda text: text == "true",
    "NULL_LIT": lambda _: None,
}
