"""What a running service explains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from authz.audit import ReadsForm, ReadsWriter
from authz.config.settings import ClientSettings
from authz.errors import Unavailable
from authz.limits.memory import MemoryLimiter
from authz.server.client import client_ip
from authz.server.explaining import Explainer
from authz.store import Snapshot
from tests.cli.replay.conftest import BEFORE, line, policies

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "canary-5ecret"


def explainer(*logs: Path) -> Explainer:
    """Return an explainer over the policies of replays."""
    snapshot = Snapshot(policies=policies(BEFORE), generation=1, loaded_at=0.0)
    return Explainer(
        lambda: snapshot, ReadsWriter(ReadsForm.VALUES, b"k"), client_ip(ClientSettings()), MemoryLimiter(), logs
    )


def test_a_request_that_is_typed_is_explained() -> None:
    """With headers, an address, a body, a time, and who providers are to have found."""
    query = [("method", "POST"), ("url", "https://h/orders/7"), ("header", "X-Tenant: acme"), ("header", "a: b")]
    query += [("as", "alice"), ("claims", '{"tenant": "acme"}'), ("ip", "198.51.100.7"), ("at", "2026-11-23T12:00:00Z")]
    found = explainer().explain([*query, ("data", "{}")])
    assert (found.decision["effect"], found.decision["rule"]) == ("allow", "tenants")
    assert (found.identity["subject"], found.request["source"]) == ("alice", "198.51.100.7")
    assert found.request["headers"]["x-tenant"] == "acme"


def test_no_credential_comes_back() -> None:
    """O2: what was typed as one is a fingerprint in the answer."""
    query = [("method", "GET"), ("url", f"/orders/7?access_token={CANARY}"), ("header", f"cookie: {CANARY}")]
    assert CANARY.encode() not in msgspec.json.encode(explainer().explain(query))


@pytest.mark.parametrize(
    "query",
    [
        [],
        [("method", "GET")],
        [("method", "GET"), ("url", "/"), ("header", "no colon")],
        [("method", "GET"), ("url", "/"), ("as", "a"), ("claims", "[]")],
        [("method", "GET"), ("url", "/"), ("as", "a"), ("claims", "{")],
        [("method", "GET"), ("url", "/"), ("as", "a"), ("claims", "[" * 100_000)],
        [("method", "GET"), ("url", "/"), ("at", "yesterday")],
        [("method", "GET"), ("url", "/%00")],
        [("method", "G T"), ("url", "/")],
    ],
)
def test_a_query_that_cannot_be_read_is_refused(query: list[tuple[str, str]]) -> None:
    """Whatever it is that cannot: an error of the query, and not of the service."""
    with pytest.raises(ValueError, match=r"."):
        explainer().explain(query)


def test_a_decision_is_found_where_this_process_records(tmp_path: Path) -> None:
    """Also in what was rotated away; one that is not there, or no file to look in, is told."""
    log = tmp_path / "decisions.jsonl"
    log.write_bytes(line(2, {}))
    (tmp_path / "decisions.jsonl.1").write_bytes(line(1, {"headers": {"x-tenant": "evil"}}))
    assert explainer(log).explain([("id", "d-1")]).decision["rule"] == "evil"
    assert explainer(log).explain([("id", "d-2")]).decision["rule"] == "tenants"
    with pytest.raises(LookupError, match=r"decisions\.jsonl has no decision d-3"):
        explainer(log).explain([("id", "d-3")])
    with pytest.raises(LookupError, match="no records in a file"):
        explainer().explain([("id", "d-1")])


def test_a_decision_is_found_whichever_worker_made_it(tmp_path: Path) -> None:
    """The first worker's admin port is the one that is asked; what one has rotated away comes behind what is new."""
    first, second = (tmp_path / f"decisions-{number}.jsonl" for number in (0, 1))
    first.write_bytes(line(1, {}))
    second.write_bytes(line(2, {}))
    (tmp_path / "decisions-1.jsonl.1").write_bytes(line(3, {}))
    for decision in ("d-1", "d-2", "d-3"):
        assert explainer(first, second).explain([("id", decision)]).decision["rule"] == "tenants"
    with pytest.raises(LookupError, match=r"decisions-0\.jsonl, decisions-1\.jsonl have no decision d-4"):
        explainer(first, second).explain([("id", "d-4")])


def test_without_policies_nothing_is_explained() -> None:
    """A process that has none yet says so."""
    nothing = Explainer(lambda: None, ReadsWriter(ReadsForm.VALUES), client_ip(ClientSettings()), MemoryLimiter(), ())
    with pytest.raises(Unavailable, match="no policies"):
        nothing.explain([("method", "GET"), ("url", "/")])
