"""Both CEL engines before the same policies."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from authz.cli.output import Exit

POLICY = """\
apiVersion: authz/v1
kind: Policy
metadata: {name: a}
spec:
  match: [{paths: ["/a"]}]
  rules:
    - name: whole
      allow: request.json.n == 9007199254740992.0
      request_headers: {set: {x-a: "${data.words[0]}"}}
---
apiVersion: authz/v1
kind: Data
metadata: {name: words}
spec: {values: [one, two]}
"""

TESTS = """\
apiVersion: authz/v1
kind: PolicyTest
metadata: {name: a}
spec:
  cases:
    - name: a number that no double holds
      request: {method: POST, url: "https://a.example.com/a", json: {n: 9007199254740993}}
      expect: allow
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder with a policy on which the engines differ for what its test sends."""
    (tmp_path / "a.yaml").write_text(POLICY)
    (tmp_path / "a_test.yaml").write_text(TESTS)
    return tmp_path


@pytest.mark.parametrize("named", ["", "a.yaml"])
def test_a_difference_is_a_warning_at_the_expression(named: str, run: Callable[..., Any], folder: Path) -> None:
    """With the values of the tests beside it, in a folder or of one file; --strict fails for it."""
    ran = run("check", str(folder / named), "--cross-check", "--output", "json")
    assert ran.status == Exit.FINE
    told = [(one["code"], one["line"], one["column"], one["message"]) for one in json.loads(ran.out)["faults"]]
    assert told == [("AZ417", 8, 14, "the engines differ in 1 of 4 evaluations")]
    assert "expressions evaluated" in ran.err
    assert run("check", str(folder / named), "--cross-check", "--strict").status == Exit.POLICIES


def test_without_tests_values_are_made_up(run: Callable[..., Any], folder: Path) -> None:
    """Each expression is evaluated with empty values, with others, and with none."""
    (folder / "a_test.yaml").unlink()
    ran = run("check", str(folder), "--cross-check")
    assert ran.out == ""
    assert ran.err.splitlines()[0].startswith("2 expressions evaluated 6 times with both engines: 0 differ")


def test_what_ships_is_the_same_to_both(run: Callable[..., Any]) -> None:
    """Over everything that the tests of our policies send."""
    ran = run("check", str(Path(__file__).parents[2] / "policies"), "--cross-check", "--strict")
    assert (ran.status, ran.out) == (Exit.FINE, "")
    assert ": 0 differ" in ran.err
