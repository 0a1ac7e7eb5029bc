r"""Making a value fit for an engine, whatever it is.

The C++ engine reads Python text up to its first NUL: a subject `admin\0x` would be `admin`. So a value with NUL in any
of its texts is unfit. Bytes cross as a bytearray, which keeps its length; tuples become lists and read-only maps dicts,
for engines know no others; and times become messages, which are times wherever they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

UNFIT: Final = object()
"""What stands for a value that no engine may see."""

_MAX_DEPTH = 64
_encode = msgspec.json.Encoder().encode


def fit(value: object) -> object:
    """Return a value as engines take it, the same object where nothing had to change, or `UNFIT`."""
    changed = _CHANGES.get(type(value))
    if changed is not None:
        return changed(value)
    if isinstance(value, str):
        value = str(value)
    elif isinstance(value, Message):
        return value
    elif isinstance(value, Mapping) and type(value) is not dict:
        value = dict(value)
    return UNFIT if holds_nul(value) else value


def _timestamp(value: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(value)
    return message


def _duration(value: timedelta) -> Duration:
    message = Duration()
    message.FromTimedelta(value)
    return message


_CHANGES: Mapping[type, Callable[..., object]] = {
    bytes: bytearray,
    tuple: lambda value: fit(list(value)),
    datetime: _timestamp,
    timedelta: _duration,
}


def holds_nul(value: object) -> bool:
    """Return whether a value holds NUL anywhere: a JSON encoder looks fast, and only what it finds is looked at."""
    if type(value) is str:
        return "\0" in value
    try:
        encoded = _encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return _finds_nul(value, 0)
    return b"\\u0000" in encoded and _finds_nul(value, 0)


def _finds_nul(value: object, depth: int) -> bool:
    """Return whether a value holds NUL, or is too deep to tell."""
    match value:
        case _ if depth > _MAX_DEPTH:
            return True
        case str():
            return "\0" in value
        case bytes():
            return b"\0" in value
        case list() | tuple():
            return any(_finds_nul(element, depth + 1) for element in value)
        case Mapping():
            return any(_finds_nul(part, depth + 1) for pair in value.items() for part in pair)
    return False
