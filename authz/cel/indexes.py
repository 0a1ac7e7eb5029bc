"""Large values that expressions ask and engines never see whole.

An engine takes a list or a map over entry by entry, once for every request that reads it: two milliseconds for ten
thousand. So what is the same for all requests is kept here. The engine gets a number, and `rewrite` lets expressions
ask with it; the number is good for as long as somebody keeps the value.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakValueDictionary

from authz.cel.fitting import fit
from authz.cel.values import NoValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Value = TypeVar("Value", bound="Indexed")

_numbers = count(1)


class Indexed:
    """A value with a number; `fitted` is what an engine sees that is not asked by number."""

    __slots__ = ("__weakref__", "fitted", "number")

    def __init__(self, fitted: object) -> None:
        self.fitted = fitted
        self.number = next(_numbers)
        _values[self.number] = self


_values: WeakValueDictionary[int, Indexed] = WeakValueDictionary()


def indexed(number: int, kind: type[Value]) -> Value:
    """Return the value that has a number; raise `NoValueError` if nobody keeps it any more."""
    value = _values.get(number)
    if not isinstance(value, kind):
        raise NoValueError("the data is gone")
    return value


class Constant(Indexed):
    """A value that is bound to many requests; a map can be declared as `STRING_MAP`."""

    __slots__ = ()

    def __init__(self, value: object) -> None:
        super().__init__(fit(value))


class StringSet(Indexed):
    """The value of a variable of type `STRING_SET`: a list of strings, looked up instead of scanned."""

    __slots__ = ("members",)

    def __init__(self, strings: Iterable[str]) -> None:
        listed = list(strings)
        super().__init__(fit(listed))
        self.members = frozenset(listed)


def in_strings(element: object, number: int) -> bool:
    """Return whether an element is in a `StringSet`; nothing but a text ever is."""
    return type(element) is str and element in indexed(number, StringSet).members


def any_in_strings(elements: Sequence[object], number: int) -> bool:
    """Return whether any element of a list is in a `StringSet`."""
    return any(in_strings(element, number) for element in elements)


def all_in_strings(elements: Sequence[object], number: int) -> bool:
    """Return whether every element of a list is in a `StringSet`."""
    return all(in_strings(element, number) for element in elements)


def entry(key: object, number: int) -> object:
    """Return the value under a key of an indexed map."""
    content = _map(number)
    if type(key) is not str or key not in content:
        raise NoValueError("no such key")
    return content[key]


def has_entry(key: object, number: int) -> bool:
    """Return whether an indexed map has a key; nothing but a text ever is one."""
    content = _map(number)
    return type(key) is str and key in content


def _map(number: int) -> dict[str, object]:
    content = indexed(number, Constant).fitted
    if not isinstance(content, dict):
        raise NoValueError("the data is no map that can be read")
    return content
