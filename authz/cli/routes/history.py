"""Who changed a document last, by Git: the commit that touched its lines, or that they are not committed yet.

A file of one document is asked about as a whole; of a file that holds several, the lines from one document to the
next. Outside Git nothing is known, and that is no fault.
"""

from __future__ import annotations

import os
import secrets
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

Key = tuple[str, str]
"""Kind and name of a document."""

_FIELDS = "%H%x00%an%x00%aI%x00%s"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A commit: who made it when (ISO 8601) and what for; an empty `commit` stands for changes that are not in Git."""

    commit: str = ""
    author: str = ""
    time: str = ""
    subject: str = ""


def history(documents: Iterable[Listed]) -> Mapping[Key, Change]:
    """Return the last change of each document, by kind and name; those that Git knows nothing of are left out."""
    files: defaultdict[Path, list[Listed]] = defaultdict(list)
    for document in documents:
        files[Path(document.file)].append(document)
    return _together(files) if files else {}


def _together(files: Mapping[Path, list[Listed]]) -> dict[Key, Change]:
    """Ask about all files at once; where they are in no one repository, folder by folder."""
    folders: defaultdict[Path, dict[Path, list[Listed]]] = defaultdict(dict)
    for file, held in files.items():
        folders[file.parent][file] = held
    try:
        return _in(Path(os.path.commonpath(folders)), files)
    except (Unavailable, ValueError):
        return (
            {} if len(folders) == 1 else {key: one for held in folders.values() for key, one in _together(held).items()}
        )


def _in(root: Path, files: Mapping[Path, list[Listed]]) -> dict[Key, Change]:
    """Return the last changes of files below a folder of one repository; raise `Unavailable` where it is in none."""
    commits, differing = _commits(root), _differing(root)
    found: dict[Key, Change] = {}
    for file, held in files.items():
        name = os.path.relpath(file, root)
        if name in differing:
            found |= {(one.kind, one.name): Change() for one in held}
        elif len(held) > 1 and name in commits:
            found |= _by_lines(file, held)
        elif name in commits:
            found[held[0].kind, held[0].name] = commits[name]
    return found


def _commits(root: Path) -> dict[str, Change]:
    """Return the last commit of every file below a folder; no message of a commit can pass for the next commit."""
    mark = secrets.token_hex(16)
    log = git(root, "log", f"--format={mark}{_FIELDS}%x00", "--name-only", "-z", "--relative", "--", ".")
    found: dict[str, Change] = {}
    for entry in os.fsdecode(log).split(mark)[1:]:
        commit, author, time, subject, *names = entry.split("\0")
        change = Change(commit=commit, author=author, time=time, subject=subject)
        for name in names:
            found.setdefault(name.lstrip("\n"), change)
    return found


def _differing(root: Path) -> frozenset[str]:
    """Return the files below a folder that are not as the last commit has them."""
    changed = git(root, "diff", "--name-only", "-z", "--relative", "--no-ext-diff", "HEAD", "--", ".")
    new = git(root, "ls-files", "--others", "-z", "--", ".")
    return frozenset(os.fsdecode(changed + new).split("\0"))


def _by_lines(file: Path, documents: list[Listed]) -> dict[Key, Change]:
    found: dict[Key, Change] = {}
    for one, (first, last) in _spans(documents):
        lines = f"-L{first},{last}:./{file.name}"
        found |= _told(one, git(file.parent, "log", "-1", "--no-patch", f"--format={_FIELDS}", lines))
    return found


def _spans(documents: list[Listed]) -> Iterable[tuple[Listed, tuple[int, str]]]:
    """Yield documents with the lines from the name of each to before that of the next, and to the end of the file."""
    ordered = sorted(documents, key=lambda one: one.line)
    for one, following in pairwise(ordered):
        yield one, (one.line, str(following.line - 1))
    yield ordered[-1], (ordered[-1].line, "")


def _told(document: Listed, answer: bytes) -> dict[Key, Change]:
    parts = answer.decode(errors="replace").strip("\n").split("\0")
    if len(parts) != 4:
        return {}
    commit, author, time, subject = parts
    return {(document.kind, document.name): Change(commit=commit, author=author, time=time, subject=subject)}
