"""A decision by its id."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from authz.audit import ReadsForm, ReadsWriter
from authz.cli.explain.finding import as_explanation, asked, recorded
from authz.config.settings import ClientSettings
from authz.console.app import application
from authz.console.serving import AdminServer
from authz.errors import Unavailable
from authz.limits.memory import MemoryLimiter
from authz.server.client import client_ip
from authz.server.explaining import Explainer
from authz.server.records import UnreadableError
from authz.store import Snapshot
from tests.cli.replay.conftest import BEFORE, line, policies
from tests.console.test_app import FixedState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def test_a_decision_is_found_wherever_the_log_has_it(tmp_path: Path) -> None:
    """In a file, and in what was rotated away and compressed; an id that is part of another is not it."""
    (tmp_path / "a.jsonl").write_bytes(line(11, {}))
    (tmp_path / "a.jsonl.1.gz").write_bytes(gzip.compress(line(1, {"headers": {"x-tenant": "d-3"}})))
    assert recorded("d-1", tmp_path).id == "d-1"
    assert recorded("d-11", tmp_path).id == "d-11"
    with pytest.raises(UnreadableError, match="no decision d-3"):
        recorded("d-3", tmp_path)


class Explaining(FixedState):
    """A state that explains by the policies of replays, from a log."""

    def __init__(self, log: Path) -> None:
        super().__init__()
        snapshot = Snapshot(policies=policies(BEFORE), generation=1, loaded_at=0.0)
        secrets, find = ReadsWriter(ReadsForm.VALUES, b"k"), client_ip(ClientSettings())
        self._explainer = Explainer(lambda: snapshot, secrets, find, MemoryLimiter(), [log])

    def explain(self, query: Sequence[tuple[str, str]], /) -> object:
        return self._explainer.explain(query)


def test_a_running_service_is_asked_for_its_explanation(tmp_path: Path) -> None:
    """What comes over the admin port is what the library would have said, part by part."""
    log = tmp_path / "decisions.jsonl"
    log.write_bytes(line(1, {"headers": {"x-tenant": "evil"}}))
    state = Explaining(log)
    server = AdminServer("127.0.0.1", 0, application(state))
    server.start()
    try:
        place = f"127.0.0.1:{server.port}"
        assert as_explanation(asked("d-1", place)) == state.explain([("id", "d-1")])
        with pytest.raises(Unavailable, match="has no decision d-9; name records that are kept elsewhere with --log"):
            asked("d-9", f"http://{place}")
    finally:
        server.stop()


@pytest.mark.parametrize("admin", ["127.0.0.1:1", "nonsense:port"])
def test_where_no_service_answers_the_records_are_the_way(admin: str) -> None:
    """An address that is none, or nobody at it, is one message with what to do instead."""
    with pytest.raises(Unavailable, match="name the records with --log"):
        asked("d-1", admin)
