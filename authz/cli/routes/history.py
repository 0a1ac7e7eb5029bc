"""Who changed a document last, by Git: the commit that touched its lines, or that they are not committed yet.

A file of one document is asked about as a whole; of a file that holds several, the lines from one document to the
next. Outside Git nothing is known, and that is no fault.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from authz.cli.git import git
from authz.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from authz.policy import Listed

_FORMAT = "--format=%H%x00%an%x00%aI%x00%s"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A commit: who made it when (ISO 8601) and what for; an empty `commit` stands for changes that are not in Git."""

    commit: str = ""
    author: str = ""
    time: str = ""
    subject: str = ""


def history(documents: Iterable[Listed]) -> Mapping[tuple[str, str], Change]:
    """Return the last change of each document, by kind and name; those that Git knows nothing of are left out."""
    files: defaultdict[str, list[Listed]] = defaultdict(list)
    for document in documents:
        files[document.file].append(document)
    return {key: change for file, held in files.items() for key, change in _of_file(Path(file), held).items()}


def _of_file(file: Path, documents: list[Listed]) -> dict[tuple[str, str], Change]:
    try:
        if git(file.parent, "status", "--porcelain", "--", file.name):
            return {(one.kind, one.name): Change() for one in documents}
        if len(documents) == 1:
            return _told(documents[0], git(file.parent, "log", "-1", _FORMAT, "--", file.name))
        found: dict[tuple[str, str], Change] = {}
        for one, (first, last) in _spans(documents):
            lines = f"-L{first},{last}:./{file.name}"
            found |= _told(one, git(file.parent, "log", "-1", "--no-patch", _FORMAT, lines))
    except Unavailable:
        return {}
    return found


def _spans(documents: list[Listed]) -> Iterable[tuple[Listed, tuple[int, str]]]:
    """Yield documents with the lines from the name of each to before that of the next, and to the end of the file."""
    ordered = sorted(documents, key=lambda one: one.line)
    for one, following in pairwise(ordered):
        yield one, (one.line, str(following.line - 1))
    yield ordered[-1], (ordered[-1].line, "")


def _told(document: Listed, answer: bytes) -> dict[tuple[str, str], Change]:
    parts = answer.decode(errors="replace").strip("\n").split("\0")
    if len(parts) != 4:
        return {}
    commit, author, time, subject = parts
    return {(document.kind, document.name): Change(commit=commit, author=author, time=time, subject=subject)}
