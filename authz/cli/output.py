"""Where words go: data to standard output, messages to standard error; colour where a person looks."""

from __future__ import annotations

import os
from enum import IntEnum, StrEnum

import typer


class Exit(IntEnum):
    """What a script can tell from how a verb ended (INTERFACE.md, section 2)."""

    FINE = 0
    UNEXPECTED = 1
    ARGUMENTS = 2
    POLICIES = 3
    TESTS = 4
    REPLAY = 5


class Output(StrEnum):
    """Who reads what a verb says."""

    PRETTY = "pretty"
    JSON = "json"


class ChangesOutput(StrEnum):
    """Who reads what changed."""

    PRETTY = "pretty"
    JSON = "json"
    MARKDOWN = "markdown"


def say(text: str) -> None:
    """Write data to standard output."""
    typer.echo(text, color=_color())


def tell(text: str) -> None:
    """Write a message to standard error."""
    typer.echo(text, err=True, color=_color())


def _color() -> bool | None:
    """Never with NO_COLOR (no-color.org); else where the stream is a terminal."""
    return False if os.environ.get("NO_COLOR") else None
