"""A file that was read before and has changed: what stands where it stood, as it stood, is not read again.

Documents begin at lines that begin with `---`, which YAML allows nowhere else (YAML 1.2, section 9.1.2), so a file can
be cut there without being read. A document whose text and first line are what they were is the same document, with
everything that was made of it; the others are read by themselves, on the lines they stand on. Where anything is at
fault, or could make two documents depend on each other, the whole file is read: there is one way to find faults.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from authz.policy.documents import Document
from authz.policy.reading import FileReading, read
from authz.policy.yaml import MAX_BYTES

_MARKER = re.compile(r"^---(?=\s|\Z)", re.MULTILINE)

_NOT_CUT = re.compile(r"^(?:%|\.\.\.(?:\s|\Z))", re.MULTILINE)
"""Directives, and ends of documents: what stands between documents and says something of the next."""


class _Piece(NamedTuple):
    """One document as it is written, and the number of lines above it."""

    above: int
    text: str


def reread(before: FileReading, old: bytes, content: bytes) -> FileReading:
    """Return what `read` says of a file's `content`, where `before` is what it said of the bytes that were `old`."""
    pieces, known = _pieces(content), _pieces(old)
    if before.faults or not pieces or not known:
        return read(before.file, content)
    kept = _documents(before, known)
    documents: list[Document] = []
    for piece in pieces:
        found = kept.get(piece)
        if found is None:
            reading = read(before.file, ("\n" * piece.above + piece.text).encode())
            if reading.faults:
                return read(before.file, content)
            found = reading.documents
        documents.extend(found)
    return FileReading(file=before.file, documents=tuple(documents)) if documents else read(before.file, content)


def _documents(reading: FileReading, pieces: tuple[_Piece, ...]) -> dict[_Piece, tuple[Document, ...]]:
    """Return the documents by the pieces they were read from."""
    at: dict[int, _Piece] = {}
    for piece in pieces:
        at.update(dict.fromkeys(range(piece.above + 1, piece.above + 1 + piece.text.count("\n") + 1), piece))
    found: dict[_Piece, tuple[Document, ...]] = dict.fromkeys(pieces, ())
    for document in reading.documents:
        name = document.metadata.name
        piece = at[name.source.place(name.start)[0]]
        found[piece] = (*found[piece], document)
    return found


def _pieces(content: bytes) -> tuple[_Piece, ...]:
    """Cut a file where its documents begin; nothing where it is not plain that they stand for themselves."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return ()
    if len(content) > MAX_BYTES or _NOT_CUT.search(text):
        return ()
    starts = [match.start() for match in _MARKER.finditer(text)]
    ends = [*starts, len(text)]
    begins = [0, *starts]
    pieces, above = [], 0
    for begin, end in zip(begins, ends, strict=True):
        piece = text[begin:end]
        if piece.strip():
            pieces.append(_Piece(above, piece))
        above += piece.count("\n")
    return tuple(pieces)
