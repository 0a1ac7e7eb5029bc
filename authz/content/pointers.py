"""JSON Pointers (RFC 6901): places in a document as text, and text as places."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from authz.paths import decoded

MAX_NAME = 100
"""The most characters of one name in a pointer."""


def pointer(path: Iterable[str | int]) -> str:
    """Return a path as JSON Pointer; a long name is cut."""
    return "".join("/" + str(step)[:MAX_NAME].replace("~", "~0").replace("/", "~1") for step in path)


def steps(text: str) -> list[str]:
    """Return the steps of a JSON Pointer."""
    return [step.replace("~1", "/").replace("~0", "~") for step in text.split("/")[1:]]


def within(reference: str, root: object) -> object:
    """Return what a reference inside a document (`#/a/b`) leads to; `None` where that is nothing, or elsewhere."""
    found: Any = root if reference.startswith("#") else None
    for step in steps(decoded(reference[1:])):
        if isinstance(found, list):
            found = found[int(step)] if step.isdecimal() and int(step) < len(found) else None
        else:
            found = found.get(step) if isinstance(found, dict) else None
    return found
