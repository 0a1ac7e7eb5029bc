"""Records where they are kept: JSON lines, plain or in gzip, and Parquet where DuckDB is installed.

A plain file is cut into stretches that begin and end with a line, so that several processes can read it; another kind
is one stretch. A rotated log is read with what was rotated away, oldest first, if its folder is named.
"""

from __future__ import annotations

import gzip
import stat
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from authz.errors import Unavailable
from authz.server.lines import Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

STRETCH = 16 * 2**20
"""Bytes of a plain file that are read at a time."""

LONGEST = 2**20
"""Bytes of a line; a record has a bound far below."""

_ROWS = 2048


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """Some lines of a file: from one offset to before another; for progress, `size` of it is bytes of the file."""

    path: Path
    start: int = 0
    end: int | None = None
    size: int = 0


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the service's log, by what no record has."""

    level: str
    message: str


class UnreadableError(Unavailable):
    """A log, or a line of it, that cannot be read."""


def stretches(path: Path) -> list[Stretch]:
    """Return a log, or every log of a folder, in stretches; raise `UnreadableError` where there is none."""
    try:
        inside = [each for each in path.iterdir() if each.is_file()] if path.is_dir() else [path]
        return [stretch for each in sorted(inside, key=_age) for stretch in _cut(each)]
    except OSError as error:
        raise UnreadableError(f"can't read {error.filename or path}: {error.strerror}") from error


def _age(path: Path) -> tuple[float, str]:
    return path.stat().st_mtime, path.name


def _cut(path: Path) -> Iterator[Stretch]:
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise UnreadableError(f"can't read {path}: it is no regular file, and records are read more than once")
    size = found.st_size
    if path.suffix in {".gz", ".parquet"}:
        yield Stretch(path=path, size=size)
        return
    with path.open("rb") as file:
        start = 0
        while start < size:
            file.seek(min(start + STRETCH, size))
            file.readline()
            end = min(file.tell(), size)
            yield Stretch(path=path, start=start, end=end, size=end - start)
            start = end


def read(stretch: Stretch) -> Iterator[Line]:
    """Yield the records of a stretch that are decisions; raise `UnreadableError` with the place of what is none.

    Lines of the service's log may be among them: `kubectl logs` and its like show standard output and error as one.
    """
    decoder = msgspec.json.Decoder(Line)
    for number, line in enumerate(_lines(stretch), 1):
        if line.isspace():
            continue
        try:
            record = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if _is_logged(line):
                continue
            where = f"line {number}" if stretch.start == 0 else f"line {number} after byte {stretch.start}"
            raise UnreadableError(f"{stretch.path}: {where}: no record: {error}") from error
        if record.format.startswith("authz.record/"):
            yield record


def _is_logged(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=LogLine)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def records_with(stretch: Stretch, decision: str) -> Iterator[Line]:
    """Yield the records of one decision: a log is searched as bytes, and only what may be it is read."""
    decoder, wanted = msgspec.json.Decoder(Line), f'"id":"{decision}"'.encode()
    for line in _lines(stretch):
        if wanted in line and (record := decoder.decode(line)).id == decision:
            yield record


def _lines(stretch: Stretch) -> Iterable[bytes]:
    if stretch.path.suffix == ".parquet":
        return _rows(stretch.path)
    return _bytes(stretch)


def _bytes(stretch: Stretch) -> Iterator[bytes]:
    try:
        if stretch.path.suffix == ".gz":
            with gzip.open(stretch.path, "rb") as file:
                yield from iter(partial(file.readline, LONGEST), b"")
            return
        with stretch.path.open("rb") as plain:
            plain.seek(stretch.start)
            left = (stretch.end or 0) - stretch.start
            while left > 0 and (line := plain.readline(LONGEST)):
                left -= len(line)
                yield line
    except (OSError, EOFError) as error:
        raise UnreadableError(f"can't read {stretch.path}: {error}") from error


def _rows(path: Path) -> Iterator[bytes]:
    """Yield the rows of a Parquet file as JSON; its columns are called as the fields of a record are."""
    try:
        import duckdb  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise UnreadableError("Parquet needs the extra: pip install 'envoy-cel-authz[replay]'") from error
    try:
        with duckdb.connect() as connection:
            source = connection.read_parquet(str(path))
            types = dict(zip(source.columns, map(str, source.types), strict=True))
            if types.get("reads", "JSON") not in {"JSON", "VARCHAR"}:
                raise UnreadableError(f"{path}: {NO_TEXT}")
            cursor = connection.execute("SELECT to_json(row) FROM read_parquet(?) AS row", [str(path)])
            while rows := cursor.fetchmany(_ROWS):
                yield from (_tidied(text) for (text,) in rows)
    except duckdb.Error as error:
        raise UnreadableError(f"can't read {path}: {str(error).partition(chr(10))[0]}") from error


NO_TEXT = (
    "the column reads is no text of JSON, and a struct can't tell null from absent; make the file with "
    "COPY (FROM read_json('decisions.jsonl', maximum_depth = 1)) TO 'decisions.parquet'"
)


def _tidied(text: str) -> bytes:
    """Return a row without what columns add: nulls for what is not there, and JSON kept as a text."""
    row = {name: value for name, value in msgspec.json.decode(text).items() if value is not None}
    for name in ("request", "identity", "reads", "documents"):
        if isinstance(value := row.get(name), str):
            row[name] = msgspec.json.decode(value)
    for name in ("request", "identity"):
        if isinstance(part := row.get(name), dict):
            row[name] = {field: value for field, value in part.items() if value is not None}
    return msgspec.json.encode(row)
