"""The GitHub Action: its file says what its scripts take, and the scripts do what they say where GitHub is played."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
import yaml

from tests.cli.committing import git

if TYPE_CHECKING:
    from collections.abc import Callable

ACTION = Path(__file__).parents[2] / ".github/actions/policies"

POLICY = """\
apiVersion: authz/v1
kind: Policy
metadata:
  name: orders
spec:
  match:
    - paths: [/orders]
  rules:
    - name: readers
      allow: request.method == "GET"
  limits:
    - name: each
      key: client.ip
      rate: 3/minute
"""
TESTS = """\
apiVersion: authz/v1
kind: PolicyTest
metadata:
  name: orders
spec:
  cases:
    - name: read @everybody
      request:
        url: http://h/orders
      expect: allow
    - name: written
      request:
        method: PUT
        url: http://h/orders
      expect: deny
"""


GH = """\
#!/bin/sh
echo "$*" >> {asked}
for each in "$@"; do
  case $each in body=@*) cat "${{each#body=@}}" >> {asked} ;; esac
done
[ -z "$KNOWN" ] || case "$*" in *--paginate*) echo "$KNOWN" ;; esac
"""


class Ran(NamedTuple):
    """How the script ended, what the log got, the summary, and what `gh` was asked."""

    status: int
    log: str
    summary: str
    asked: str


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a repository with policies, all committed."""
    work = tmp_path / "work"
    (work / "policies").mkdir(parents=True)
    (work / "policies/orders.yaml").write_text(POLICY)
    (work / "policies/orders_test.yaml").write_text(TESTS)
    git(work, "init", "-q")
    git(work, "add", ".")
    git(work, "commit", "-qm", "Orders")
    return work


@pytest.fixture
def act(tmp_path: Path, folder: Path) -> Callable[..., Ran]:
    """Run the script as a runner would, with a `gh` that writes down what it is asked; inputs by variable."""
    bin_, summary, asked = tmp_path / "bin", tmp_path / "summary.md", tmp_path / "asked"
    bin_.mkdir()
    (bin_ / "gh").write_text(GH.format(asked=asked))
    (bin_ / "gh").chmod(0o755)

    def act_(**inputs: str) -> Ran:
        summary.write_text("")
        asked.write_text("")
        said = yaml.safe_load((ACTION / "action.yml").read_text())
        defaults = {
            name: "" if "${{" in str(one["default"]) else str(one["default"]) for name, one in said["inputs"].items()
        }
        written = {name: _input(text, defaults) for name, text in said["runs"]["steps"][1]["env"].items()}
        around = {
            "PATH": f"{bin_}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "RUNNER_TEMP": str(tmp_path), "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_REPOSITORY": "acme/shop",
            "HOME": str(tmp_path),
        }  # fmt: skip
        done = subprocess.run(
            [ACTION / "policies.sh"], env={**written, **around, **inputs}, cwd=folder, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        return Ran(done.returncode, done.stdout + done.stderr, summary.read_text(), asked.read_text())

    return act_


def _input(text: str, defaults: dict[str, str]) -> str:
    """Return what an expression of the action's file is where nothing was given."""
    found = re.fullmatch(r"\$\{\{ inputs\.([a-z-]+) \}\}", text)
    return defaults[found[1]] if found else ""


def test_no_input_is_put_into_a_script() -> None:
    """An expression inside `run` would let a branch's name be a command; every input reaches a script or a step."""
    said = yaml.safe_load((ACTION / "action.yml").read_text())
    steps = said["runs"]["steps"]
    assert not any("${{" in step["run"] for step in steps)
    assert all(os.access(ACTION / step["run"].strip('"').rpartition("/")[2], os.X_OK) for step in steps)
    used = set(re.findall(r"inputs\.([a-z-]+)", str([step["env"] for step in steps])))
    assert used == said["inputs"].keys()
    assert all(one["description"] for one in said["inputs"].values())


def test_what_the_script_reads_is_given() -> None:
    """Each variable in capitals is an input of the step, or one of the runner's."""
    said = yaml.safe_load((ACTION / "action.yml").read_text())
    for step, script in zip(said["runs"]["steps"], ("install.sh", "policies.sh"), strict=True):
        read = set(re.findall(r"\$\{?([A-Z][A-Z_]+)\b", (ACTION / script).read_text()))
        assert {name for name in read if not name.startswith(("GITHUB_", "RUNNER_"))} <= step["env"].keys()


def test_good_policies_pass_with_a_summary(act: Callable[..., Ran], folder: Path) -> None:
    """A row for each step; without a base nothing is compared, and nobody is commented to."""
    ran = act()
    assert ran.status == 0, ran.log
    assert [line for line in ran.summary.splitlines() if "passed" in line] == [
        "| check | passed |", "| fmt | passed |", "| test | passed |",
    ]  # fmt: skip
    assert (ran.asked, "diff" in ran.summary) == ("", False)
    assert git(folder, "status", "--porcelain") is None


def test_a_change_is_told_and_can_fail(act: Callable[..., Ran], folder: Path) -> None:
    """What is wider stands in the summary; it fails where that is asked for, and all steps run."""
    (folder / "policies/orders.yaml").write_text(POLICY.replace("3/minute", "5/minute"))
    ran = act(BASE="HEAD")
    assert ran.status == 0, ran.log
    assert "limits/each/rate | 3/minute | 5/minute | more |" in ran.summary
    assert act(BASE="HEAD", FAIL_ON="widen").status == 1
    assert act(BASE="0" * 40).status == 1


def test_faults_are_annotations_and_the_other_steps_still_run(act: Callable[..., Ran], folder: Path) -> None:
    """A misspelled name is shown beside its line."""
    (folder / "policies/orders.yaml").write_text(POLICY.replace("request.method", "request.methd"))
    ran = act(BASE="HEAD")
    assert ran.status == 1
    assert "::error file=policies/orders.yaml,line=10," in ran.log
    assert "| check | **failed** (exit 3) |" in ran.summary
    assert "| diff | **failed** (exit 3) |" in ran.summary


def test_what_policies_say_is_no_command(act: Callable[..., Ran], folder: Path) -> None:
    """A line of a file that looks like a workflow command is printed where the runner obeys nothing."""
    evil = "    - name: closed\n      deny: 'false'\n      message: |\n        ::set-env name=PATH::/evil\n  limits:"
    (folder / "policies/orders.yaml").write_text(POLICY.replace("  limits:", evil))
    log = act(BASE="HEAD").log
    token = ""
    for line in log.splitlines():
        if line.startswith("::stop-commands::"):
            token = line.removeprefix("::stop-commands::")
        elif token and line == f"::{token}::":
            token = ""
        elif line.lstrip().startswith("::set-env"):
            assert token
    assert "set-env" in log


def test_the_pull_request_is_commented_once(act: Callable[..., Ran], folder: Path) -> None:
    """The first time it is made, then renewed; names that look like people call nobody."""
    (folder / "policies/orders.yaml").write_text(POLICY.replace("3/minute", "2/minute").replace('"GET"', '"PUT"'))
    asked = act(BASE="HEAD", COMMENT="true", PULL_REQUEST="7").asked
    assert "api --method POST repos/acme/shop/issues/7/comments" in asked
    assert "<!-- authz policies -->" in asked
    assert "@everybody" not in asked
    assert "@\u200beverybody" in asked
    assert (
        "--method PATCH repos/acme/shop/issues/comments/99 " in act(COMMENT="true", PULL_REQUEST="7", KNOWN="99").asked
    )


def test_records_are_decided_again(act: Callable[..., Ran], folder: Path) -> None:
    """By the policies, and by both states where there is a base."""
    (folder / "records.jsonl").write_text("")
    ran = act(BASE="HEAD", RECORDS="records.jsonl")
    assert ran.status == 0, ran.log
    assert "### authz replay" in ran.summary
    assert "### Records" in ran.summary


@pytest.mark.parametrize(
    "value", ["policies; touch owned", "$(touch owned)", "--help", "`touch owned`", "--upload-pack=touch owned"]
)
def test_an_input_is_only_ever_an_argument(act: Callable[..., Ran], folder: Path, value: str) -> None:
    """Whatever it holds, nothing of it is run or taken for an option."""
    assert act(POLICIES=value, BASE=value, RECORDS=value).status == 1
    assert not (folder / "owned").exists()


def test_what_is_installed_is_the_actions_own_commit_with_locked_libraries(tmp_path: Path) -> None:
    """Nothing is asked of a registry but what the lock names; later steps find the command."""
    python, told, path = tmp_path / "python", tmp_path / "told", tmp_path / "path"
    made = tmp_path / "authz/bin"
    made.mkdir(parents=True)
    script = f'echo "$*" > {told}\nwhile [ "$1" != --constraint ]; do shift; done\ncat "$2" >> {told}\n'
    (made / "python").write_text("#!/bin/sh\n" + script)
    python.write_text("#!/bin/sh\n")
    for each in (python, made / "python"):
        each.chmod(0o755)
    around = {
        "PATH": os.environ["PATH"], "PYTHON": str(python), "GITHUB_ACTION_PATH": str(ACTION),
        "GITHUB_PATH": str(path), "RUNNER_TEMP": str(tmp_path),
    }  # fmt: skip
    subprocess.run([ACTION / "install.sh"], env=around, check=True)
    asked, *locked = told.read_text().splitlines()
    assert asked.endswith("/.github/actions/policies/../../..[replay]")
    assert len(locked) > 50
    assert all(re.fullmatch(r"[\w.-]+==[\w.+!-]+", line) for line in locked)
    assert path.read_text() == f"{made}\n"
