"""How this package was built: its way of a request compiled to C (`deploy/compile.py`), or all of it interpreted.

Both are the same files and decide the same; compiled costs less. What is built is looked for where Python looks when it
imports, not noted when it was built: a wheel of another Python, whose extensions this one can't load, is interpreted.
"""

from __future__ import annotations

from enum import StrEnum
from importlib.machinery import ExtensionFileLoader, PathFinder
from pathlib import Path

WAY = "authz.engine.check"
"""The module every check goes through."""


class Build(StrEnum):
    """What the modules that a check goes through are."""

    COMPILED = "compiled"
    INTERPRETED = "interpreted"


def build() -> Build:
    """Return what Python loads for the way of a check; imports none of it."""
    *_, package, _ = WAY.split(".")
    found = PathFinder.find_spec(WAY, [str(Path(__file__).parent / package)])
    return Build.COMPILED if found and isinstance(found.loader, ExtensionFileLoader) else Build.INTERPRETED
