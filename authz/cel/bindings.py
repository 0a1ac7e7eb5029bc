"""Values on their way into an engine: each is made fit for it, and one that cannot be is left out.

Reading a name that is left out is an error, so a text that an engine would misread (`fitting`) is neither equal nor
unequal to anything. Looking for such texts costs as much as a value is long. What is the same for every request is
looked at once: bind it as `Constant`, `StringSet` or `NetworkIndex`, whose number is bound beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from authz.cel.fitting import UNFIT, fit
from authz.cel.indexes import Indexed
from authz.cel.rewrite import number_name
from authz.cel.types import STRING, CelType, Kind, list_of, map_of

Reader = Callable[[object], object]

# Not times and durations: an expression takes a datetime for one only where the environment that bound it compiled it.
_DECLARED = frozenset({Kind.BOOL, Kind.INT, Kind.UINT, Kind.DOUBLE, Kind.NULL})


class Bindings:
    """How the variables of one environment are bound."""

    def __init__(self, variables: Mapping[str, CelType]) -> None:
        self._readers = {name: reader for name, type_ in variables.items() if (reader := _reader(type_))}
        self._numbers = {name: number_name(name) for name, type_ in variables.items() if type_.indexed}

    def fit(self, values: Mapping[str, object]) -> dict[str, object]:
        """Return values as an engine takes them; one it would misread is left out."""
        fitted = dict(values)
        for name, value in values.items():
            if (reader := self._readers.get(name)) is None or (read := reader(value)) is value:
                continue
            if read is UNFIT:
                del fitted[name]
                continue
            fitted[name] = read
            if name in self._numbers and isinstance(value, Indexed):
                fitted[self._numbers[name]] = value.number
        return fitted


def _reader(type_: CelType) -> Reader | None:
    """Return what fits the values of one type; the common types have a faster one than `_any`."""
    return None if type_.kind in _DECLARED else _READERS.get(type_, _any)


def _string(value: object) -> object:
    return value if type(value) is str and "\0" not in value else _any(value)


def _strings(value: object) -> object:
    if type(value) is list or type(value) is tuple:
        try:
            return UNFIT if "\0" in "".join(value) else value if type(value) is list else list(value)
        except TypeError:
            return _any(value)
    return _any(value)


def _string_map(value: object) -> object:
    if type(value) is dict:
        try:
            return UNFIT if "\0" in "".join(value) or "\0" in "".join(value.values()) else value
        except TypeError:
            return _any(value)
    return _any(value)


_READERS: Mapping[CelType, Reader] = {
    STRING: _string,
    list_of(STRING): _strings,
    map_of(STRING, STRING): _string_map,
}


def _any(value: object) -> object:
    return value.fitted if isinstance(value, Indexed) else fit(value)
