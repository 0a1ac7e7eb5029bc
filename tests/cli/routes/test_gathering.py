"""Routes with what is known of them elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.cli.routes.gathering import rows
from authz.policy import Exposure
from authz.server.deciding import policies_in
from tests.cli.committing import git

if TYPE_CHECKING:
    from pathlib import Path

GUARDRAIL = """\
apiVersion: authz/v1
kind: Guardrail
metadata: {name: calm}
spec: {rules: [{name: listed, deny: 'client.ip == "10.0.0.1"'}]}
"""


def test_the_latest_change_of_all_that_governs_a_route_counts(repository: Path) -> None:
    """A guardrail that changed yesterday changed every route; what is not committed is later still."""
    (repository / "calm.yaml").write_text(GUARDRAIL)
    policies = policies_in([repository])
    (first, _) = rows(policies, Exposure(policies.written), [], None)
    assert first.change is not None
    assert first.change.commit == ""
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "Calm", "--date", "2099-01-01T00:00:00Z")
    (first, _) = rows(policies, Exposure(policies.written), [], None)
    assert (first.change and first.change.subject, first.seen) == ("Calm", None)


def test_a_route_that_no_test_asks_for_is_flagged(repository: Path) -> None:
    """Beside the flags that policies themselves give it."""
    policies = policies_in([repository])
    assert all("no-tests" in row.line.flags for row in rows(policies, Exposure(policies.written), [], None))
