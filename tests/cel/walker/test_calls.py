"""Which Python function a function of the tree is."""

from __future__ import annotations

import pytest

from authz.cel import standard
from authz.cel.functions import FUNCTIONS, INTERNAL
from authz.cel.walker.calls import operation
from authz.cel.walker.control import LAZY
from authz.cel.walker.values import UnsupportedError


def test_every_function_of_the_reference_is_there() -> None:
    """What is listed is implemented, lazily evaluated, or rewritten."""
    listed = {known.name for known in (*standard.FUNCTIONS, *standard.OPERATORS)}
    listed |= {function.name for function in (*FUNCTIONS, *INTERNAL) if function.overloads}
    for name in listed - set(LAZY) - {"matches", "replace", "join"}:
        assert callable(operation(name))


def test_a_function_that_is_not_there_is_not_supported() -> None:
    """What the walker does not know it does not guess."""
    with pytest.raises(UnsupportedError):
        operation("nosuch")
