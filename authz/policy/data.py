"""Data documents: what they are called in expressions, of which type, and what is bound for them.

Sets of networks and lists of strings are indexed once, when they are loaded; asking them costs the same however long
they are. Every value is bound as a constant, so that no request pays for its size. Where entries end, the value is one
for each time between two ends (`expiring`). `tables` reads the files.
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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from authz.cel.indexes import Indexed
    from authz.policy.documents import DataSpec
    from authz.policy.files import Content, Files
    from authz.policy.source import Text

    Live = Callable[[Timed], bool]
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
        return _networks(_given(spec.networks, files, tables.networks))
    if spec.values is not None:
        return _list(_given(spec.values, files, tables.values))
    if spec.secret is not None:
        return _secret(spec.secret.file, files)
    return _map(_given(spec.map, files, tables.entries))


def _given(given: object, files: Files, read: Callable[[Content, Text], Any]) -> Any:  # noqa: ANN401 - either form
    """Return what stands in the document, or what `read` makes of the file that it names."""
    return read(files.read(given.file), given.file) if isinstance(given, FileReference) else given


def _networks(rows: Sequence[object]) -> Datum:
    """Return a set of networks; those that end are kept apart, so that little is made again when one does."""
    lasting = NetworkIndex([str(row) for row in rows if not isinstance(row, Timed)])
    timed = [row for row in rows if isinstance(row, Timed)]
    if not timed:
        return Datum(type=NETWORK_SET, value=lasting)
    return _expiring(
        NETWORK_SET, _unnamed(timed), lambda live: NetworkIndex(map(str, _values(timed, live)), beside=lasting)
    )


def _list(rows: Sequence[object]) -> Datum:
    """Return a list, typed where all its elements are of one type, also those that end."""
    kinds = {type(row.value if isinstance(row, Timed) else row) for row in rows}
    element = _ELEMENTS.get(next(iter(kinds)), DYN) if len(kinds) == 1 else DYN
    kind, make = (STRING_SET, StringSet) if kinds == {str} else (list_of(element), Constant)
    ending = _unnamed(rows)
    if not ending:
        return Datum(type=kind, value=make(list(rows)))  # type: ignore[arg-type]  # texts, where it is a set of them
    return _expiring(kind, ending, lambda live: make(list(_values(rows, live))))  # type: ignore[arg-type]


def _map(pairs: Mapping[str, object]) -> Datum:
    ending = tuple((key, value) for key, value in pairs.items() if isinstance(value, Timed))
    if not ending:
        return Datum(type=STRING_MAP, value=Constant(pairs))

    def made(live: Live) -> Constant:
        counting = {key: value for key, value in pairs.items() if not isinstance(value, Timed) or live(value)}
        return Constant(dict(zip(counting, _values(counting.values(), live), strict=True)))

    return _expiring(STRING_MAP, ending, made)


def _secret(name: Text, files: Files) -> Datum:
    """Return a secret without the white space an editor left; no fault shows any of it."""
    content = files.raw(name)[1].strip()
    if len(content) < SHORTEST_SECRET:
        message = f'the secret in "{name}" is shorter than {SHORTEST_SECRET} bytes'
        raise Unfit(name.fault(Together.DATA, message, hint="openssl rand -hex 32"))
    return Datum(type=SECRET, value=Secret(content))


def _expiring(kind: CelType, ending: Ending, make: Callable[[Live], Indexed]) -> Datum:
    value = Expiring([one.until for _, one in ending], lambda at: make(_live(at)))
    return Datum(type=kind, value=value, ending=ending)


def _live(moment: float) -> Live:
    return lambda one: one.until > moment


def _unnamed(rows: Iterable[object]) -> Ending:
    return tuple(("", row) for row in rows if isinstance(row, Timed))


def _values(rows: Iterable[object], live: Live) -> Iterator[object]:
    """Yield the values of what lasts and of what has not ended."""
    for row in rows:
        if not isinstance(row, Timed):
            yield row
        elif live(row):
            yield row.value
