"""One line of a diagnosis."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Grade(StrEnum):
    """How it is: `WRONG` keeps the service from its work, `ODD` may be meant."""

    FINE = "fine"
    ODD = "odd"
    WRONG = "wrong"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at, how it is, and what to do where it is not fine."""

    grade: Grade
    about: str
    what: str
    remedy: str = ""


def fine(about: str, what: str) -> Finding:
    """Return that something is as it should be."""
    return Finding(grade=Grade.FINE, about=about, what=what)


def odd(about: str, what: str, remedy: str) -> Finding:
    """Return that something may not be meant."""
    return Finding(grade=Grade.ODD, about=about, what=what, remedy=remedy)


def wrong(about: str, what: str, remedy: str) -> Finding:
    """Return that something has to be mended."""
    return Finding(grade=Grade.WRONG, about=about, what=what, remedy=remedy)
