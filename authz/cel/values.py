"""Values on their way out of an engine: plain Python, or an error that cannot be mistaken for one.

A value is plain when it is `None`, a bool, int, float, str, bytes, an aware datetime, a timedelta, or a list or dict of
plain values. Equality here is CEL's: numbers compare by value whatever their type, a bool is never a number, lists and
maps compare by their elements, anything else of different types is different.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NoReturn, TypeVar

import msgspec
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Text = TypeVar("Text", str, bytes)

MAX_TEXT = 1_000_000
"""Characters or bytes a text may have that an expression makes."""

MAX_ELEMENTS = 100_000
"""Elements, at all levels, a value may have that leaves an expression."""

MAX_DEPTH = 64
"""Levels of lists and maps a value may have that leaves an expression."""


class EvaluationError(msgspec.Struct, frozen=True, gc=False):
    """What an expression gives instead of a value: neither true nor false.

    `message` is one line for the operator, without values from the request. `unsupported` says that the engine cannot
    tell, not that the expression has no value.
    """

    message: str
    unsupported: bool = False

    def __bool__(self) -> NoReturn:
        raise TypeError("an evaluation error is neither true nor false")


class NoValueError(ValueError):
    """What a function raises when it has no value for its arguments; the text goes into an `EvaluationError`."""


def plain(value: object) -> object:
    """Return a value as plain Python; raise `NoValueError` where it holds anything else or is too large."""
    return _Plain().convert(value, 0)


class _Plain:
    """Converts one value and counts its elements."""

    def __init__(self) -> None:
        self._elements = 0

    def convert(self, value: object, depth: int) -> object:
        match value:
            case None | bool() | float() | datetime() | timedelta():
                return value
            case int() if -(1 << 63) <= value < 1 << 64:
                return int(value)
            case str():
                return within(str(value))
            case bytes() | bytearray():
                return within(bytes(value))
            case list() | dict():
                return self._composite(value, depth + 1)
            case Message():
                return self.convert(MessageToDict(value, preserving_proto_field_name=True), depth)
        raise NoValueError("the result is a value that only expressions know")

    def _composite(self, value: list[object] | dict[object, object], depth: int) -> object:
        self._elements += len(value)
        if depth > MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise NoValueError("the result is too large")
        if isinstance(value, list):
            return [self.convert(element, depth) for element in value]
        return {self.convert(key, depth): self.convert(element, depth) for key, element in value.items()}


def within(made: Text) -> Text:
    """Return a text an expression made; raise `NoValueError` if it is too long."""
    if len(made) > MAX_TEXT:
        raise NoValueError("the result is too large")
    return made


def equal(left: object, right: object) -> bool:
    """Return whether two values are equal as CEL sees them."""
    match left, right:
        case (bool(), _) | (_, bool()):
            return left is right
        case (int() | float(), int() | float()):
            return left == right
        case (list(), list()):
            return _equal_lists(left, right)
        case (dict(), dict()):
            return _equal_maps(left, right)
    return type(left) is type(right) and left == right


def _equal_lists(left: Sequence[object], right: Sequence[object]) -> bool:
    return len(left) == len(right) and all(map(equal, left, right))


def _equal_maps(left: Mapping[object, object], right: Mapping[object, object]) -> bool:
    if len(left) != len(right):
        return False
    return all(any(equal(key, other) and equal(value, right[other]) for other in right) for key, value in left.items())
