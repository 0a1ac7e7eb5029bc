"""Documents before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from authz.cli.diff.parts import changes
from authz.policy.reading import read
from tests.cli import committing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TESTS = """\
apiVersion: authz/v1
kind: PolicyTest
metadata: {name: orders}
spec:
  cases:
    - name: a tenant reads
      request: {url: "http://api.example.com/orders/7", headers: {x-tenant: acme}}
      expect: allow
    - name: nobody deletes
      request: {method: DELETE, url: "http://api.example.com/orders/7", headers: {x-tenant: acme}}
      expect: deny
"""


def document(spec: str, *, kind: str = "Policy", name: str = "orders") -> str:
    """Return a document."""
    return f"apiVersion: authz/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n"


@pytest.fixture
def said() -> Callable[[str, str], list[tuple[Any, ...]]]:
    """Return what two texts of policies say otherwise: part, before, after, direction."""

    def said_(before: str, after: str) -> list[tuple[Any, ...]]:
        readings = [read("a.yaml", text.encode()) for text in (before, after)]
        assert not [fault for reading in readings for fault in reading.faults]
        found = changes(*(reading.documents for reading in readings))
        return [(one.part, one.before, one.after, one.direction.value) for one in found]

    return said_


@pytest.fixture
def repository(policies: Path) -> Path:
    """Make the folder of policies a repository, with tests, all committed."""
    return committing.repository(policies, TESTS)
