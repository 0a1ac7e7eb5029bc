"""`authz help`."""

from collections.abc import Callable
from typing import Any

import pytest

from authz.cli.codes import EXPLAINED
from authz.cli.output import Exit


def test_without_a_code_all_are_listed(run: Callable[..., Any]) -> None:
    """A line for each, in order."""
    ran = run("help")
    assert [line[:5] for line in ran.out.splitlines()] == list(EXPLAINED)
    assert "AZ004  A mapping has the same key twice." in ran.out.splitlines()


@pytest.mark.parametrize(("code", "word"), [("AZ1033", "did you mean AZ103?"), ("check", "authz VERB --help")])
def test_an_unknown_code_is_a_wrong_argument(code: str, word: str, run: Callable[..., Any]) -> None:
    """The nearest is named, and where else help is."""
    ran = run("help", code)
    assert (ran.status, ran.out) == (Exit.ARGUMENTS, "")
    assert word in " ".join(ran.err.split())
