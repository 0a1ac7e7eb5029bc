"""`authz diff`, as from a shell."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from authz.cli.output import Exit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def altered(repository: Path, old: str, new: str) -> tuple[str, ...]:
    """Change the policies that are committed, and return what compares them."""
    file = repository / "orders.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    return "diff", "HEAD", "--policies", str(repository)


def test_the_folder_is_compared_with_a_revision(run: Callable[..., Any], repository: Path) -> None:
    """What is said and what is answered otherwise, and that it widens."""
    ran = run(*altered(repository, 'deny: request.method == "DELETE"', "deny: false"), "--output", "json")
    assert ran.status == 0
    found = json.loads(ran.out)
    assert (found["before"], found["changed"], found["widened"]) == ("HEAD", True, False)
    (change,) = found["changes"]
    assert (change["part"], change["after"]) == ("rules/nobody-deletes/deny", "false")
    (asked,) = found["tests"]["changed"]
    assert asked["kind"] == "other answer"


@pytest.mark.parametrize(
    ("old", "new", "change", "widen"),
    [
        ("3/minute", "5/minute", Exit.REPLAY, Exit.REPLAY),
        ("3/minute", "2/minute", Exit.REPLAY, Exit.FINE),
        ("set: {cache-control: private}", "set: {cache-control: no-store}", Exit.REPLAY, Exit.FINE),
        ("name: orders}", "name: orders, labels: {a: b}}", Exit.FINE, Exit.FINE),
    ],
)
def test_a_change_or_a_widening_can_fail_a_pipeline(
    run: Callable[..., Any], repository: Path, old: str, new: str, change: Exit, widen: Exit
) -> None:
    """`--fail-on-change` and `--fail-on-widen` exit 5."""
    asked = altered(repository, old, new)
    assert run(*asked).status == 0
    assert run(*asked, "--fail-on-change").status == change
    assert run(*asked, "--fail-on-widen").status == widen


def test_records_are_decided_by_both(run: Callable[..., Any], repository: Path, tmp_path: Path) -> None:
    """What is on record as decided has no say: only where the two states differ is told."""
    log = tmp_path / "decisions.jsonl"
    record = {
        "format": "authz.record/v1", "id": "d-1", "time": "2026-11-23T12:00:00Z", "decision": "allow",
        "reason": "allowed", "documents": [{}], "reads": {'request.headers["x-tenant"]': "acme"},
        "request": {"method": "DELETE", "host": "api.example.com", "path": "/orders/7"},
    }  # fmt: skip
    log.write_text(json.dumps(record) + "\n")
    asked = (*altered(repository, 'deny: request.method == "DELETE"', 'deny: request.method == "PUT"'), "--records")
    found = json.loads(run(*asked, str(log), "--output", "json").out)["records"]
    assert (found["records"], found["same"] + len(found["groups"])) == (1, 1)
    assert all(group["was"] == "deny by orders/nobody-deletes" for group in found["groups"])


def test_two_folders_and_a_review(run: Callable[..., Any], repository: Path, policies: Path) -> None:
    """Equal folders have no difference, in any form."""
    ran = run("diff", str(repository), str(policies), "--output", "markdown")
    assert (ran.status, "0 changes" in ran.out) == (0, True)
    assert "0 changes, 2 requests of tests" in run("diff", str(repository), str(policies)).out


def test_what_cannot_be_compared_is_said(run: Callable[..., Any], repository: Path, broken: str) -> None:
    """A revision that is none is one line, faults have their place."""
    assert "no revision" in run("diff", "nope", "--policies", str(repository)).err
    assert run("diff", broken, str(repository)).status == Exit.POLICIES
