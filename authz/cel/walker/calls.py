"""Which Python function a function of the checked tree is, for the kinds of arguments it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.cel.walker import containers, library, operators
from authz.cel.walker.values import UnsupportedError, kind_of, no_operation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authz.cel.walker.operators import Operations

_BY_KIND: Mapping[str, Operations] = {**operators.OPERATORS, **library.LIBRARY, **library.OWN}
_OF_ANY: Mapping[str, Callable[..., object]] = {
    **operators.ANY,
    **library.ANY,
    "@in": containers.contains,
    "_[_]": containers.index,
    "_[?_]": containers.optional_index,
    "_?._": containers.optional_index,
}


def operation(name: str) -> Callable[..., object]:
    """Return a function that does what `name` does to whatever it is given; raise `UnsupportedError` if none does."""
    if (known := _OF_ANY.get(name)) is not None:
        return known
    if (by_kind := _BY_KIND.get(name)) is None:
        raise UnsupportedError(f'"{name}" cannot be called here: it needs an expression of its own')

    def dispatch(*arguments: object) -> object:
        found = by_kind.get(tuple(map(kind_of, arguments)))
        if found is None:
            raise no_operation(name, *arguments)
        return found(*arguments)

    return dispatch
