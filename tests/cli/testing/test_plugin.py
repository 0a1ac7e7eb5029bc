"""Files of tests, collected by pytest itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.testing.test_command import TESTS

ROOT = Path(__file__).parents[3]


@pytest.fixture
def folder(policies: Path) -> Path:
    """Return a folder with a policy and its tests, one of which fails."""
    text = TESTS.replace("drop, expect: deny", "drop, expect: allow")
    (policies / "orders_test.yaml").write_text(text)
    (policies / "alerts_test.yaml").write_text("rule_files: [rules.yaml]\n")
    return policies


def collected(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a folder; the plugin is the one that is installed."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=100)


def test_each_test_is_an_item_of_pytest(folder: Path) -> None:
    """One passes, one fails as `authz test` would show it, files of other programs are passed over."""
    ran = collected(folder, "-v")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "orders_test.yaml::orders / tenants read PASSED" in ran.stdout
    assert "orders_test.yaml::orders / nobody drops FAILED" in ran.stdout
    assert "decision: expected allow, got deny" in ran.stdout
    assert "Traceback" not in ran.stdout
    assert "1 failed, 1 passed" in ran.stdout


def test_a_fault_is_an_error_of_collection(folder: Path) -> None:
    """L5: it is told with its caret, and nothing is green."""
    (folder / "orders_test.yaml").write_text(TESTS.replace("request: read,", "request: raed,"))
    ran = collected(folder)
    assert ran.returncode == 2
    assert 'no request is called "raed" here (did you mean "read"?)' in ran.stdout
