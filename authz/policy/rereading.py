"""A file that was read before and has changed: what stands where it stood, as it stood, is not read again.

Documents begin at lines that begin with `---`, which YAML allows nowhere else (YAML 1.2, section 9.1.2), so a file can
be cut there without being read. A document whose text and first line are what they were is the same document, with
everything that was made of it; the others are read by themselves, on the lines they stand on. Where anything is at
fault, or could make two documents depend on each other, the whole file is read: there is one way to find faults.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from authz.policy.documents import Document
from authz.policy.reading import FileReading, read
from authz.policy.yaml import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_MARKER = re.compile(r"^---(?=\s|\Z)", re.MULTILINE)

_NOT_CUT = re.compile(r"^(?:%|\.\.\.(?:\s|\Z))", re.MULTILINE)
"""Directives, and ends of documents: what stands between documents and says something of the next."""


class _Piece(NamedTuple):
    """One document as it is written, and the number of lines above it."""

    above: int
    text: str


def reread(before: FileReading, old: bytes, content: bytes, pause: Callable[[], None] = lambda: None) -> FileReading:
    """Return what `read` says of a file's `content`, where `before` is what it said of the bytes that were `old`."""
    pieces, known = _pieces(content, pause), _pieces(old, pause)
    if before.faults or not pieces or not known:
        return read(before.file, content, pause=pause)
    kept = _documents(before, known, pause)
    documents: list[Document] = []
    for piece in pieces:
        found = kept.get(piece)
        if found is None:
            reading = read(before.file, ("\n" * piece.above + piece.text).encode(), pause=pause)
            if reading.faults:
                return read(before.file, content, pause=pause)
            found = reading.documents
        documents.extend(found)
    if not documents:
        return read(before.file, content, pause=pause)
    return FileReading(file=before.file, documents=tuple(documents))


def _documents(
    reading: FileReading, pieces: Sequence[_Piece], pause: Callable[[], None]
) -> dict[_Piece, tuple[Document, ...]]:
    """Return the documents by the pieces they were read from."""
    above = [piece.above for piece in pieces]
    found: dict[_Piece, tuple[Document, ...]] = dict.fromkeys(pieces, ())
    for document, line in _lines(reading.documents):
        piece = pieces[bisect_left(above, line) - 1]
        found[piece] = (*found[piece], document)
        pause()
    return found


def _lines(documents: Iterable[Document]) -> Iterator[tuple[Document, int]]:
    """Yield documents with the line on which their name stands, counting each line of what they were read from once."""
    counted: dict[int, tuple[int, int]] = {}
    for document in documents:
        name = document.metadata.name
        offset, line = counted.get(id(name.source), (0, 1))
        line += name.source.text.count("\n", offset, name.start)
        counted[id(name.source)] = name.start, line
        yield document, line


def _pieces(content: bytes, pause: Callable[[], None]) -> tuple[_Piece, ...]:
    """Cut a file where its documents begin; nothing where it is not plain that they stand for themselves."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return ()
    if len(content) > MAX_BYTES:
        return ()
    pieces, above, begin = [], 0, 0
    for end in chain((match.start() for match in _MARKER.finditer(text)), (len(text),)):
        piece = text[begin:end]
        if _NOT_CUT.search(piece):
            return ()
        if piece.strip():
            pieces.append(_Piece(above, piece))
        above += piece.count("\n")
        begin = end
        pause()
    return tuple(pieces)
