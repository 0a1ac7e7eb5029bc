"""What a file of data holds, as a Data document wants it: networks, values, or entries by key.

YAML and JSON hold what could stand in the document itself. Text holds lines. CSV holds rows, of which the first columns
are taken, whatever stands behind them; if its first row names the columns (`value,until,reason,ticket`, for a map `key`
before them), entries may end. Places are looked for only when there is a fault to show: a file may have a hundred
thousand rows.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any

from authz.policy.codes import Code
from authz.policy.documents import timed
from authz.policy.documents.grammar import Unfit, no_network, plain
from authz.policy.faults import Together
from authz.policy.pauses import MAKING, paced
from authz.policy.source import quoted
from authz.policy.yaml import MAX_FAULTS
from authz.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from authz.policy.files import Content
    from authz.policy.source import Node, Text

    Row = dict[str, Any]

KEY = "key"
"""The column of CSV that gives the keys of a map."""


def networks(content: Content, name: Text, pause: Callable[[], None]) -> list[object]:
    """Return networks as texts, `Timed` where they end; of CSV the first column."""
    rows = _rows(content, name)
    if rows and isinstance(rows[0], list):
        rows = [row[0] for row in rows]
    if not all(isinstance(row, str | dict) for row in rows):
        raise _unlike(name, "a list of texts")

    def read(row: str | Row) -> object:
        if isinstance(row, dict):
            return _timed(row, content, timed.network)
        return timed.network(content.placed(row)) if no_network(row) else row

    return timed.each(paced(rows, pause, MAKING), read)


def values(content: Content, name: Text, pause: Callable[[], None]) -> list[object]:
    """Return values, `Timed` where they end; rows of CSV with one field are that field."""
    return timed.each(paced(_rows(content, name), pause, MAKING), lambda row: _value(row, content))


def entries(content: Content, name: Text, pause: Callable[[], None]) -> dict[str, object]:
    """Return values by key, `Timed` where they end; of CSV the first column gives the keys, the second the values."""
    pairs = _pairs(content, name)
    read = timed.each(paced([value for _, value in pairs], pause, MAKING), lambda value: _value(value, content))
    return dict(zip([key for key, _ in pairs], read, strict=True))


def _value(row: object, content: Content) -> object:
    return _timed(row, content, plain) if isinstance(row, dict) and timed.is_timed(row) else row


def _timed(row: Row, content: Content, value: Callable[[Node], object]) -> timed.Timed:
    try:
        return timed.timed(content.node(row, placed=False), value)  # type: ignore[arg-type]  # a dict is a mapping
    except Unfit:
        return timed.timed(content.node(row, placed=True), value)  # type: ignore[arg-type]


def _rows(content: Content, name: Text) -> list[Any]:
    """Return the list a file is; rows of CSV as entries where the first one names the columns."""
    rows = content.value
    if not isinstance(rows, list):
        raise _unlike(name, "a list")
    if not name.endswith(".csv"):
        return rows
    if _names_columns(rows, timed.KEYS):
        return [_without_column(row) for row in _named(rows, timed.KEYS, content)]
    return [row[0] if len(row) == 1 else row for row in rows]


def _pairs(content: Content, name: Text) -> list[tuple[str, object]]:
    """Return the pairs a file is; a key of CSV that is given twice is a fault."""
    value = content.value
    if isinstance(value, dict):
        return list(value.items())
    if not name.endswith(".csv") or not isinstance(value, list):
        raise _unlike(name, "a map")
    columns = (KEY, *timed.KEYS)
    if _names_columns(value, columns):
        rows = _named(value, columns, content)
        pairs = [(row.pop(KEY, ""), _without_column(row)) for row in rows]
    elif short := list(islice((row for row in value if len(row) < 2), MAX_FAULTS)):
        message = "a row of a map has a key and a value, and this one has 1 column"
        raise Unfit(*(content.placed(row[0]).fault(Together.DATA, message) for row in short))
    else:
        pairs = [(row[0], row[1]) for row in value]
    twice = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
    if twice:
        second = (content.placed(key, again=True) for key in twice)
        raise Unfit(*(key.fault(Code.DUPLICATE_KEY, f"{quoted(key)} is a key twice") for key in second))
    return pairs


def _names_columns(rows: Sequence[list[str]], columns: Sequence[str]) -> bool:
    """Tell whether the first row names columns: a value and until when, and a key where one is wanted."""
    return bool(rows) and timed.is_timed(rows[0]) and (KEY not in columns or KEY in rows[0])


def _named(rows: Sequence[list[str]], columns: Sequence[str], content: Content) -> list[Row]:
    """Return rows by column, fields that say nothing left out."""
    head = rows[0]
    unknown = [column for column in head if column not in columns]
    if unknown or len(set(head)) < len(head):
        message = "the first row names the columns, each once"
        raise Unfit(content.placed(",".join(head)).fault(Together.DATA, message, hint=f"known: {', '.join(columns)}"))
    odd = [row for row in rows if len(row) != len(head)]
    if odd:
        raise Unfit(*_odd(odd, len(head), content))
    return [{column: field for column, field in zip(head, row, strict=True) if field} for row in rows[1:]]


def _odd(rows: Iterable[list[str]], wanted: int, content: Content) -> list[Any]:
    message = f"the first row names {counted(wanted, 'column')}, and this one has"
    return [content.placed(row[0]).fault(Together.DATA, f"{message} {len(row)}") for row in rows]


def _without_column(row: Row) -> object:
    """Return a row that does not end as its value: nothing else of it means anything."""
    return row if "until" in row else row.get("value", "")


def _unlike(name: Text, wanted: str) -> Unfit:
    return Unfit(name.fault(Together.DATA, f'"{name}" does not hold {wanted}'))
