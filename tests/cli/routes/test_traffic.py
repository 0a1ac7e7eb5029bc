"""What was seen of each route."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authz.cli.routes.traffic import counted, recorded
from authz.errors import Unavailable
from authz.policy import Exposure
from authz.server.deciding import policies_in
from tests.cli.routes.serving import answering

if TYPE_CHECKING:
    from pathlib import Path


def test_records_count_for_their_route(policies: Path, log: Path) -> None:
    """What no route is about is counted too: somebody asks for it."""
    exposure = Exposure(policies_in([policies]).written)
    traffic = recorded(exposure, log)
    (seen,) = traffic.seen.values()
    assert (seen.decisions, traffic.elsewhere.decisions) == ({"allow": 1, "deny": 1}, {"deny": 1})
    assert traffic.of(exposure.lines[0]).decisions == {}


def test_a_service_tells_what_policies_said(policies: Path) -> None:
    """Counts are by policy: every route of it shows the same, and what is no decision is left out."""
    exposure = Exposure(policies_in([policies]).written)
    said = [{"kind": "Policy", "name": "orders", "said": {"allow": 3, "deny": 1, "none": 9}}]
    with answering({"/api/policies": said}) as admin:
        traffic = counted(exposure, admin)
    assert traffic.by_policy
    assert [seen.decisions for seen in traffic.seen.values()] == [{"allow": 3, "deny": 1}] * 2


def test_a_service_that_tells_nothing_is_said_to(policies: Path) -> None:
    """Neither a refusal nor silence is taken for no traffic."""
    exposure = Exposure(policies_in([policies]).written)
    with answering({}) as admin, pytest.raises(Unavailable, match="answers 404"):
        counted(exposure, admin)
    with pytest.raises(Unavailable, match="can't ask"):
        counted(exposure, admin)
