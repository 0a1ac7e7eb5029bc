"""`authz help`."""

from collections.abc import Callable
from typing import Any

import pytest

from authz.cli.codes import EXPLAINED, FINDINGS, page
from authz.cli.output import Exit


def test_without_a_code_all_are_listed(run: Callable[..., Any]) -> None:
    """A line for each, in order."""
    ran = run("help")
    assert [line[:5] for line in ran.out.splitlines()] == [*EXPLAINED, *FINDINGS]
    assert "AZ004  A mapping has the same key twice." in ran.out.splitlines()


@pytest.mark.parametrize(("code", "word"), [("AZ1033", "did you mean AZ103?"), ("cheque", "authz --help lists verbs")])
def test_an_unknown_code_is_a_wrong_argument(code: str, word: str, run: Callable[..., Any]) -> None:
    """The nearest is named, and where else help is."""
    ran = run("help", code)
    assert (ran.status, ran.out) == (Exit.ARGUMENTS, "")
    assert word in " ".join(ran.err.split())


@pytest.mark.parametrize("code", FINDINGS)
def test_a_finding_about_envoy_is_explained(code: str, run: Callable[..., Any]) -> None:
    """What it lets happen, and what to do."""
    ran = run("help", code)
    assert (ran.status, ran.out) == (0, f"{page(code)}\n")
    assert ran.out.startswith(f"{code}: ")
    assert ". To mend it: " in " ".join(ran.out.split())


def test_a_verb_has_the_help_it_has_by_itself(run: Callable[..., Any]) -> None:
    """Who asks `authz help check` means this."""
    assert run("help", "check").out == run("check", "--help").out
