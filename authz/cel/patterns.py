"""Patterns: regular expressions in RE2's language, and globs over path segments.

A pattern is always a literal of the policy, checked when it is loaded; here it is compiled once and kept. RE2 runs
in time linear in the subject and is told to keep quiet: by itself it writes what it does not like to stderr.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import re2

from authz.cel.values import NoValueError

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_MEMORY = 1 << 20
_MAX_PROGRAM = 10_000
_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.never_capture = True
_OPTIONS.max_mem = _MAX_MEMORY


@lru_cache(maxsize=4096)
def _search(pattern: str) -> Callable[[bytes], object | None]:
    try:
        compiled = re2.compile(pattern, _OPTIONS)
    except re2.error as error:
        detail = error.args[0] if error.args else ""
        raise NoValueError(detail.decode(errors="replace") if isinstance(detail, bytes) else str(detail)) from None
    if compiled.programsize > _MAX_PROGRAM:
        raise NoValueError("pattern too large")
    search: Callable[[bytes], object | None] = compiled.search
    return search


def matches(subject: str, pattern: str) -> bool:
    """Return whether `pattern` is found anywhere in `subject`."""
    return _search(pattern)(subject.encode()) is not None


def check_pattern(pattern: str) -> None:
    """Raise `NoValueError` if RE2 does not take the pattern, or only at a size no rule needs."""
    _search(pattern)


def glob(path: str, pattern: str) -> bool:
    """Return whether a path is one a pattern of segments describes; a trailing slash is ignored."""
    wanted, open_ended = _segments(pattern)
    found = split(path)
    if len(found) < len(wanted) or (len(found) > len(wanted) and not open_ended):
        return False
    return all(want in ("*", have) for want, have in zip(wanted, found, strict=False))


def check_glob(pattern: str) -> None:
    """Raise `NoValueError` if a pattern of segments cannot be read."""
    _segments(pattern)


def split(path: str) -> list[str]:
    """Return the segments of a path: `/a/b/` has two, `/` none."""
    inner = path.removeprefix("/").removesuffix("/")
    return inner.split("/") if inner else []


@lru_cache(maxsize=4096)
def _segments(pattern: str) -> tuple[tuple[str, ...], bool]:
    """Return the segments of a pattern and whether it goes on behind them (`/**`)."""
    if not pattern.startswith("/"):
        raise NoValueError('a path pattern begins with "/"')
    wanted = split(pattern)
    open_ended = bool(wanted) and wanted[-1] == "**"
    if open_ended:
        wanted.pop()
    for segment in wanted:
        if segment != "*" and "*" in segment:
            raise NoValueError('"*" stands for a whole segment, "**" only at the end')
        if segment[:1] == "{" and segment[-1:] == "}":
            raise NoValueError('use "*" for a segment, names capture only in a document\'s "match"')
    return tuple(wanted), open_ended
