"""What can be wrong with an expression before it ever runs.

A fault has a place inside the expression, a stable code, a message in the words of the policy author and, where there
is one, the way out. Engines report in their own words; those words end in this package.
"""

from __future__ import annotations

from difflib import get_close_matches
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from authz.errors import AuthzError

if TYPE_CHECKING:
    from collections.abc import Iterable


class Code(StrEnum):
    """The code of a fault in an expression; AZ3xx is theirs."""

    ENGINE = "AZ300"
    SYNTAX = "AZ301"
    UNDECLARED = "AZ302"
    FIELD = "AZ303"
    TYPE = "AZ304"
    LITERAL = "AZ305"
    PATTERN = "AZ306"
    NESTING = "AZ307"
    SIZE = "AZ308"
    GROWTH = "AZ309"
    PRESENCE = "AZ310"
    UNSUPPORTED = "AZ311"


class CompileFault(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One thing that is wrong: line and column count from 1 inside the expression, `length` is for the caret."""

    line: int = 1
    column: int = 1
    length: int = 1
    code: Code
    message: str
    hint: str = ""


class CompileError(AuthzError):
    """An expression that cannot be compiled; `faults` holds everything that was found, in order of place."""

    def __init__(self, faults: Iterable[CompileFault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__("; ".join(fault.message for fault in self.faults))


def nearest(name: str, candidates: Iterable[str]) -> str:
    """Return a hint that names the candidate closest to `name`, or nothing."""
    close = get_close_matches(name, sorted(set(candidates)), n=1)
    return f'did you mean "{close[0]}"?' if close else ""
