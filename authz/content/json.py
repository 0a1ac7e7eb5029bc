"""JSON with one meaning (RFC 8259, and I-JSON of RFC 7493 where that leaves room).

Refused, because readers differ: a member named twice, integers beyond 64 bits, numbers beyond a double, NaN and
Infinity, lone surrogates, other encodings than UTF-8, a byte order mark. Refused, because it is no document but an
attack: too many bytes, too many values, too deep.

msgspec parses, faster than the standard library with a hook, and refuses most of this by itself. But it keeps the last
of two members of one name; so quotation marks in the document are counted against texts in the value. Where there are
more, which can have a harmless reason (a text that holds one), the standard library decides, object by object. Nor does
it read a number like `1e300` itself: it would take a hundred times as long as Python does, and a body is full of them
as soon as somebody wants it to be.
"""

from __future__ import annotations

import json
import sys
from typing import Any, Final

import msgspec

MAX_BYTES = 1 << 20
MAX_DEPTH: Final = 64
MAX_VALUES: Final = 100_000

_LARGEST: Final = 2**63 - 1
_SMALLEST: Final = -(2**63)
_USUAL: Final = 2**53  # up to here C compares by itself
_SPACES = b" \t\n\r"
_HIGHEST: Final = sys.float_info.max
_decode = msgspec.json.Decoder(float_hook=float).decode


class JSONError(ValueError):
    """Bytes that are no JSON document with one meaning; the message says what they have or are, and repeats none."""


def loads(content: bytes, *, max_bytes: int = MAX_BYTES) -> object:
    """Return the value of a JSON document: dict, list, str, int, float, bool, None; raise `JSONError`."""
    if len(content) > max_bytes:
        raise JSONError(f"more than {max_bytes} bytes of JSON")
    try:
        value = _decode(content)
    except RecursionError:
        raise JSONError(f"more than {MAX_DEPTH} levels of nesting") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise JSONError(_told(error)) from None
    members, texts = _counted(value)
    if content.count(b'"') != 2 * (members + texts) and not _told_apart(content, members):
        _refuse_duplicates(content)
    return value


def _told_apart(content: bytes, members: int) -> bool:
    """Tell whether every `":` of a valid document is one of its members, so that none was dropped."""
    return content.translate(None, _SPACES).count(b'":') == members


def _counted(value: object) -> tuple[int, int]:
    """Return how many members and how many texts a value has in all; raise where it is too much of anything."""
    members, texts, values = 0, 0, 0
    level: list[Any] = [[value]]
    for _ in range(MAX_DEPTH + 1):
        below: list[Any] = []
        for container in level:
            items = container
            if type(container) is dict:
                members += len(container)
                items = container.values()
            values += len(items)
            if values > MAX_VALUES:
                raise JSONError(f"more than {MAX_VALUES} values")
            for item in items:
                kind = type(item)
                if kind is str:
                    texts += 1
                elif kind is dict or kind is list:
                    below.append(item)
                else:
                    _check_number(item)
        if not below:
            return members, texts
        level = below
    raise JSONError(f"more than {MAX_DEPTH} levels of nesting")


def _check_number(value: object) -> None:
    if isinstance(value, float):
        if not -_HIGHEST <= value <= _HIGHEST:
            raise JSONError("a number that is out of range")
    elif isinstance(value, int) and not -_USUAL < value < _USUAL and not _SMALLEST <= value <= _LARGEST:
        raise JSONError("an integer that does not fit 64 bits")


def _refuse_duplicates(content: bytes) -> None:
    """Read once more, slowly; the content is valid, and neither deep nor large."""
    json.loads(content, object_pairs_hook=_distinct)


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise JSONError("an object with two members of one name")
    return members


def _told(error: Exception) -> str:
    """Return what is wrong without the bytes that are wrong."""
    if isinstance(error, UnicodeDecodeError):
        return "text that is not UTF-8"
    return "a number that is out of range" if isinstance(error, msgspec.ValidationError) else "not a JSON document"
