"""Faults of policies, found before the service has to."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from authz.cli.output import Exit


def test_good_policies_are_said_to_be(run: Callable[..., Any], policies: Path) -> None:
    """Exit code 0, nothing on standard output."""
    assert run("check", str(policies)) == (0, "", "1 file read, no fault\n")


def test_a_fault_is_shown_with_a_caret(run: Callable[..., Any], broken: str) -> None:
    """Place, message, hint, the line and what in it is meant; exit code 3."""
    ran = run("check", broken)
    assert ran.status == Exit.POLICIES
    assert ran.out.splitlines() == [
        'broken/orders.yaml:8:7: AZ103 unknown key "alow" (did you mean "allow"?)',
        '          alow: request.method == "GET"',
        "          ^^^^",
    ]
    assert ran.err == "1 file read, 1 fault\n"


def test_all_faults_of_all_files_are_told(run: Callable[..., Any], broken: str) -> None:
    """What can't be read and what can't be compiled, of every path, in order of place."""
    Path(broken, "dangling.yaml").symlink_to("nowhere")
    Path(broken, "typo.yaml").write_text(Path(broken, "orders.yaml").read_text().replace("alow", "allow").replace(
        "name: orders", "name: typo").replace("request.method", "reqest.method"))  # fmt: skip
    ran = run("check", broken)
    heads = [line.split(": ")[0] for line in ran.out.splitlines() if line.startswith("broken/")]
    assert heads == ["broken/dangling.yaml", "broken/orders.yaml:8:7", "broken/typo.yaml:8:14"]


def test_several_paths_are_one_set_of_policies(run: Callable[..., Any], policies: Path, tmp_path: Path) -> None:
    """A name may be used once over all of them (row L7)."""
    (tmp_path / "copy.yaml").write_text((policies / "orders.yaml").read_text())
    ran = run("check", str(policies), str(tmp_path / "copy.yaml"))
    assert ran.status == Exit.POLICIES
    assert run("check", str(tmp_path / "copy.yaml")).status == Exit.FINE


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_programs_get_an_object_also_where_nothing_is_wrong(form: str, run: Callable[..., Any], policies: Path) -> None:
    """A pipeline can parse the output of every run."""
    ran = run("check", str(policies), "--output", form)
    assert ran.status == 0
    assert json.loads(ran.out)


def test_a_path_that_is_not_there_is_a_wrong_argument(run: Callable[..., Any]) -> None:
    """Exit code 2: nothing was checked."""
    ran = run("check", "nowhere")
    assert (ran.status, ran.out) == (Exit.ARGUMENTS, "")


def test_exceptions_that_count_and_that_have_ended_are_noted(run: Callable[..., Any], policies: Path) -> None:
    """Each entry of data that ends is told, with why and by whose ticket; that is no fault."""
    (policies / "data.yaml").write_text(
        "apiVersion: authz/v1\nkind: Data\nmetadata: {name: partners}\nspec:\n  values:\n"
        "    - {value: old, until: 2020-01-01T00:00:00Z, reason: migration, ticket: OPS-1}\n"
        "    - {value: new, until: 2999-01-01T00:00:00Z}\n"
    )
    ran = run("check", str(policies))
    assert (ran.status, ran.out) == (Exit.FINE, "")
    assert [line.split("data.partners: ")[-1] for line in ran.err.splitlines()] == [
        '"old" ended 2020-01-01T00:00:00Z and can be removed (migration, OPS-1)',
        '"new" counts until 2999-01-01T00:00:00Z',
        "2 files read, no fault",
    ]


ODD = """\
apiVersion: authz/v1
kind: Policy
metadata: {name: odd}
spec:
  match: [{paths: ["/odd"]}]
  rules:
    - name: readers
      allow: request.path.startsWith("/admin")
"""


def test_what_is_odd_is_told_when_asked(run: Callable[..., Any], tmp_path: Path) -> None:
    """Warnings have codes, places and hints; alone they fail nothing, but with --strict."""
    (tmp_path / "odd.yaml").write_text(ODD)
    assert run("check", str(tmp_path)).err == "1 file read, no fault\n"
    ran = run("check", str(tmp_path), "--lint", "--output", "json")
    assert ran.status == Exit.FINE
    told = [(one["code"], one["line"], one["column"], one["severity"]) for one in json.loads(ran.out)["faults"]]
    assert told == [("AZ415", 3, 18, "warning"), ("AZ408", 8, 14, "warning")]
    assert ran.err == "1 file read, no fault, 2 warnings\n"
    assert run("check", str(tmp_path), "--lint", "--strict").status == Exit.POLICIES


@pytest.mark.parametrize("named", ["", "odd.yaml"])
def test_tests_beside_a_policy_are_found(named: str, run: Callable[..., Any], tmp_path: Path) -> None:
    """AZ415 looks for tests of a folder, and beside a file that is named."""
    (tmp_path / "odd.yaml").write_text(ODD.replace("startsWith", "endsWith"))
    (tmp_path / "odd_test.yaml").write_text(
        "apiVersion: authz/v1\nkind: PolicyTest\nmetadata: {name: t}\nspec: {cases: []}\n"
    )
    assert run("check", str(tmp_path / named), "--lint", "--strict") == (Exit.FINE, "", "1 file read, no fault\n")


def test_faults_come_before_what_is_odd(run: Callable[..., Any], broken: str) -> None:
    """Policies with faults are not looked at further: half of them is no policy to be odd."""
    ran = run("check", broken, "--lint")
    assert (ran.status, ran.err) == (Exit.POLICIES, "1 file read, 1 fault\n")


def test_what_ships_is_not_odd(run: Callable[..., Any]) -> None:
    """Who copies from our policies copies nothing that our own linter warns of."""
    ran = run("check", str(Path(__file__).parents[2] / "policies"), "--lint", "--strict")
    assert (ran.status, ran.out) == (Exit.FINE, "")


def test_the_commit_of_policies_is_noted(run: Callable[..., Any], policies: Path) -> None:
    """Where a folder says it; nonsense is a fault."""
    mark = policies / ".provenance.json"
    mark.write_text('{"commit": "c1", "author": "Ann", "date": "2026-11-23T12:00:00Z", "dirty": true}')
    note = f"note: {policies}: commit c1 (Ann, 2026-11-23T12:00:00Z), and files that differ from it"
    assert run("check", str(policies)) == (Exit.FINE, "", f"{note}\n1 file read, no fault\n")
    mark.write_text("{}")
    ran = run("check", str(policies))
    assert ran.status == Exit.POLICIES
    assert ran.out.startswith(f"{mark}: is no provenance: ")
