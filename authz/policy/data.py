"""Data documents: what they are called in expressions, of which type, and what is bound for them.

Sets of networks and lists of strings are indexed once, when they are loaded; asking them costs the same however long
they are. Every value is bound as a constant, so that no request pays for its size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from authz.cel import (
    BOOL,
    DOUBLE,
    DYN,
    INT,
    NETWORK_SET,
    STRING_MAP,
    STRING_SET,
    CelType,
    Constant,
    NetworkIndex,
    StringSet,
    list_of,
)  # fmt: skip
from authz.policy.documents import FileReference
from authz.policy.documents.grammar import Unfit, network
from authz.policy.faults import Together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authz.errors import Fault
    from authz.policy.documents import Data
    from authz.policy.files import Content, Files
    from authz.policy.source import Text

_ELEMENTS: dict[type, CelType] = {bool: BOOL, int: INT, float: DOUBLE}


class Datum(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One Data document: the type that expressions are checked against, and the value that is bound."""

    type: CelType
    value: object


def datum(document: Data, files: Files) -> Datum:
    """Return what a Data document says; raise `Unfit` with every fault of it or of the file it names."""
    spec = document.spec
    if spec.networks is not None:
        return _networks(spec.networks, files)
    if spec.values is not None:
        values = spec.values
        return _list(_rows(files.read(values.file), values.file) if isinstance(values, FileReference) else values)
    value = spec.map
    return Datum(
        type=STRING_MAP,
        value=Constant(_pairs(files.read(value.file), value.file) if isinstance(value, FileReference) else value),
    )


def _networks(given: Sequence[Text] | FileReference, files: Files) -> Datum:
    if isinstance(given, FileReference):
        content = files.read(given.file)
        given = tuple(map(content.placed, _strings(content, given.file)))
        _check(given)
    return Datum(type=NETWORK_SET, value=NetworkIndex([str(network) for network in given]))


def _check(networks: Sequence[Text]) -> None:
    """Raise `Unfit` with a fault for every text that is no network."""
    faults: list[Fault] = []
    for text in networks:
        try:
            network(text)
        except Unfit as unfit:
            faults.extend(unfit.faults)
    if faults:
        raise Unfit(*faults)


def _list(values: Sequence[object]) -> Datum:
    """Return a list, typed where all its elements are of one type."""
    kinds = {type(value) for value in values}
    if kinds == {str}:
        return Datum(type=STRING_SET, value=StringSet([str(value) for value in values]))
    element = _ELEMENTS.get(next(iter(kinds)), DYN) if len(kinds) == 1 else DYN
    return Datum(type=list_of(element), value=Constant(list(values)))


def _strings(content: Content, name: Text) -> list[str]:
    """Return the texts of a file; of CSV the first column."""
    rows = [row[0] if isinstance(row, list) and row else row for row in _rows(content, name)]
    if not all(isinstance(row, str) for row in rows):
        raise _unlike(name, "a list of texts")
    return rows


def _rows(content: Content, name: Text) -> list[Any]:
    """Return the list a file is; rows of CSV with one field are that field."""
    if not isinstance(content.value, list):
        raise _unlike(name, "a list")
    return [
        row[0] if isinstance(row, list) and name.endswith(".csv") and len(row) == 1 else row for row in content.value
    ]


def _pairs(content: Content, name: Text) -> dict[str, object]:
    """Return the map a file is; of CSV the first column gives the keys, the second the values."""
    value = content.value
    if name.endswith(".csv") and isinstance(value, list) and all(len(row) == 2 for row in value):
        value = dict(value)
    if not isinstance(value, dict):
        raise _unlike(name, "a map")
    return value


def _unlike(name: Text, wanted: str) -> Unfit:
    return Unfit(name.fault(Together.DATA, f'"{name}" does not hold {wanted}'))
