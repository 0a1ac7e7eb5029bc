r"""Values on their way into an engine.

The C++ engine reads Python text up to its first NUL: a subject `admin\0x` would be `admin`. So a value with NUL in any
of its texts is left out, and reading it is an error; bytes cross as a bytearray, which keeps its length. Tuples become
lists and read-only maps dicts, for engines know no others.

Looking for NUL costs as much as a value is long. What is the same for every request is looked at once: bind data as
`Constant`, `StringSet` or `NetworkIndex`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from authz.cel.networks import NetworkIndex
from authz.cel.rewrite import index_name
from authz.cel.types import BYTES, NETWORK_SET, STRING, STRING_SET, CelType, Kind, list_of, map_of

Reader = Callable[[object], object]

_MAX_DEPTH = 64
_UNFIT: Final = object()
_PLAIN = frozenset({Kind.BOOL, Kind.INT, Kind.UINT, Kind.DOUBLE, Kind.TIMESTAMP, Kind.DURATION, Kind.NULL})
_encode = msgspec.json.Encoder().encode


class Constant:
    """A value that is bound to many requests."""

    __slots__ = ("fitted",)

    def __init__(self, value: object) -> None:
        self.fitted = _any(value)


class StringSet:
    """The value of a variable of type `STRING_SET`: a list of strings, and the index that `in` asks instead."""

    __slots__ = ("fitted", "index")

    def __init__(self, strings: Iterable[str]) -> None:
        listed = list(strings)
        self.fitted = _strings(listed)
        self.index = dict.fromkeys(listed, True)


class Bindings:
    """How the variables of one environment are bound."""

    def __init__(self, variables: Mapping[str, CelType]) -> None:
        self._readers = {name: reader for name, type_ in variables.items() if (reader := _reader(type_))}

    def fit(self, values: Mapping[str, object]) -> dict[str, object]:
        """Return values as an engine takes them; one it would misread is left out."""
        fitted = dict(values)
        for name, value in values.items():
            if (reader := self._readers.get(name)) is None or (read := reader(value)) is value:
                continue
            if read is _UNFIT:
                del fitted[name]
                continue
            fitted[name] = read
            if type(value) is StringSet:
                fitted[index_name(name)] = value.index
        return fitted


def _reader(type_: CelType) -> Reader | None:
    """Return what fits the values of one type; the common types have a faster one than `_any`."""
    return None if type_.kind in _PLAIN else _READERS.get(type_, _any)


def _string(value: object) -> object:
    return value if type(value) is str and "\0" not in value else _any(value)


def _strings(value: object) -> object:
    if type(value) is list or type(value) is tuple:
        try:
            return _UNFIT if "\0" in "".join(value) else value if type(value) is list else list(value)
        except TypeError:
            return _any(value)
    return _any(value)


def _string_map(value: object) -> object:
    if type(value) is dict:
        try:
            return _UNFIT if "\0" in "".join(value) or "\0" in "".join(value.values()) else value
        except TypeError:
            return _any(value)
    return _any(value)


def _any(value: object) -> object:
    fitted = value
    match value:
        case Constant() | StringSet():
            return value.fitted
        case NetworkIndex():
            return value.message
        case bytes():
            return bytearray(value)
        case str():
            fitted = str(value)
        case tuple():
            fitted = list(value)
        case Mapping() if type(value) is not dict:
            fitted = dict(value)
    return _UNFIT if _holds_nul(fitted) else fitted


_READERS: Mapping[CelType, Reader] = {
    STRING: _string,
    BYTES: _any,
    list_of(STRING): _strings,
    map_of(STRING, STRING): _string_map,
    STRING_SET: _any,
    NETWORK_SET: _any,
}


def _holds_nul(value: object) -> bool:
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
