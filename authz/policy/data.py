"""Data documents: what they are called in expressions, of which type, and what is bound for them.

Sets of networks and lists of strings are indexed once, when they are loaded; asking them costs the same however long
they are. Every value is bound as a constant, so that no request pays for its size. Where entries end, the value is one
for each time between two ends (`expiring`). `tables` reads the files.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from authz.cel import (
    BOOL,
    DOUBLE,
    DYN,
    INT,
    NETWORK_SET,
    SECRET,
    STRING_MAP,
    STRING_SET,
    CelType,
    Constant,
    NetworkIndex,
    Secret,
    StringSet,
    list_of,
)  # fmt: skip
from authz.policy import tables
from authz.policy.documents import FileReference, Timed
from authz.policy.documents.grammar import Unfit
from authz.policy.expiring import Expiring
from authz.policy.faults import Together
from authz.policy.pauses import MAKING, paced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from authz.cel.indexes import Indexed
    from authz.policy.documents import DataSpec
    from authz.policy.files import Content, Files
    from authz.policy.source import Text

    Pause = Callable[[], None]
    Ending = tuple[tuple[str, Timed], ...]

SHORTEST_SECRET = 16
"""Bytes below which a secret can be guessed from what it has signed."""

_ELEMENTS: dict[type, CelType] = {bool: BOOL, int: INT, float: DOUBLE}


class Datum(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One Data document: the type that expressions are checked against, and the value that is bound.

    `value` is an `Expiring` where there are entries that end, `ending` are these, with their keys where it is a map.
    """

    type: CelType
    value: object
    ending: tuple[tuple[str, Timed], ...] = ()


def datum(spec: DataSpec, files: Files) -> Datum:
    """Return what a Data document says; raise `Unfit` with every fault of it or of the file it names."""
    if spec.networks is not None:
        return _networks(_given(spec.networks, files, tables.networks), files.pause)
    if spec.values is not None:
        return _list(_given(spec.values, files, tables.values))
    if spec.secret is not None:
        return _secret(spec.secret.file, files)
    return _map(_given(spec.map, files, tables.entries))


def _given(given: object, files: Files, read: Callable[[Content, Text, Pause], Any]) -> Any:  # noqa: ANN401 - either form
    """Return what stands in the document, or what `read` makes of the file that it names."""
    return read(files.read(given.file), given.file, files.pause) if isinstance(given, FileReference) else given


def _networks(rows: Sequence[object], pause: Pause) -> Datum:
    ending = _unnamed(rows)
    if not ending:
        return Datum(type=NETWORK_SET, value=NetworkIndex(map(str, paced(rows, pause, MAKING)), pause=pause))
    pairs = _pairs(rows)
    index = NetworkIndex((str(one) for one, _ in paced(pairs, pause, MAKING)), [end for _, end in pairs], pause=pause)
    return _expiring(NETWORK_SET, ending, index.at)


def _list(rows: Sequence[object]) -> Datum:
    """Return a list, typed where all its elements are of one type, also those that end."""
    kinds = {type(row.value if isinstance(row, Timed) else row) for row in rows}
    element = _ELEMENTS.get(next(iter(kinds)), DYN) if len(kinds) == 1 else DYN
    kind, make = (STRING_SET, StringSet) if kinds == {str} else (list_of(element), Constant)
    ending = _unnamed(rows)
    if not ending:
        return Datum(type=kind, value=make(list(rows)))  # type: ignore[arg-type]  # texts, where it is a set of them
    pairs = _pairs(rows)
    return _expiring(kind, ending, lambda moment: make([value for value, end in pairs if end > moment]))


def _map(pairs: Mapping[str, object]) -> Datum:
    ending = tuple((key, value) for key, value in pairs.items() if isinstance(value, Timed))
    if not ending:
        return Datum(type=STRING_MAP, value=Constant(pairs))

    triples = [(key, value, end) for key, (value, end) in zip(pairs, _pairs(pairs.values()), strict=True)]
    return _expiring(
        STRING_MAP, ending, lambda moment: Constant({key: value for key, value, end in triples if end > moment})
    )


def _secret(name: Text, files: Files) -> Datum:
    """Return a secret without the white space an editor left; no fault shows any of it."""
    content = files.raw(name)[1].strip()
    if len(content) < SHORTEST_SECRET:
        message = f'the secret in "{name}" is shorter than {SHORTEST_SECRET} bytes'
        raise Unfit(name.fault(Together.DATA, message, hint="openssl rand -hex 32"))
    return Datum(type=SECRET, value=Secret(content))


def _expiring(kind: CelType, ending: Ending, make: Callable[[float], Indexed]) -> Datum:
    return Datum(type=kind, value=Expiring([one.until for _, one in ending], make), ending=ending)


def _unnamed(rows: Iterable[object]) -> Ending:
    return tuple(("", row) for row in rows if isinstance(row, Timed))


def _pairs(rows: Iterable[object]) -> list[tuple[Any, float]]:
    """Return values with the times at which they end, most of them never."""
    return [(row.value, row.until) if isinstance(row, Timed) else (row, math.inf) for row in rows]
