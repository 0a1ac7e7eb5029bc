"""Policies with tests in a repository, and records of requests to them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli import committing

if TYPE_CHECKING:
    from pathlib import Path

TESTS = """\
apiVersion: authz/v1
kind: PolicyTest
metadata: {name: orders}
spec:
  cases:
    - name: an order is not deleted
      request: {method: DELETE, url: "http://api.example.com/orders/7"}
      expect: deny
"""


@pytest.fixture
def repository(policies: Path) -> Path:
    """Make the folder of policies a repository, with a test, all committed."""
    return committing.repository(policies, TESTS)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Write three records: two of a route, one of none."""
    file = tmp_path / "decisions.jsonl"
    asked = [("/orders/7", "allow", "01"), ("/orders/8", "deny", "02"), ("/elsewhere", "deny", "03")]
    lines = [
        {
            "format": "authz.record/v1", "id": second, "time": f"2026-11-23T12:00:{second}.000000Z",
            "decision": decision, "reason": "x",
            "request": {"method": "GET", "host": "api.example.com", "path": path},
        }
        for path, decision, second in asked
    ]  # fmt: skip
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file
