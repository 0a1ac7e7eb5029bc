"""What CEL brings along."""

from __future__ import annotations

from authz.cel import functions, standard
from authz.cel.names import FUNCTIONS


def test_names_are_listed_once() -> None:
    """No function is in two lists."""
    names = [known.name for known in (*standard.FUNCTIONS, *standard.MACROS, *functions.FUNCTIONS)]
    assert len(names) == len(set(names))
    assert set(names) == FUNCTIONS


def test_usage_names_the_function() -> None:
    """The usage shows how the function is called, and the example calls it."""
    for known in (*standard.FUNCTIONS, *standard.MACROS):
        assert f"{known.name}(" in known.usage
        assert f"{known.name}(" in known.example
