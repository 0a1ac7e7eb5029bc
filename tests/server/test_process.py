"""A process starts whole or not at all, and ends in the other order."""

import logging
import threading
from pathlib import Path

import pytest

from authz.config import load
from authz.errors import Unavailable
from authz.server.building import build
from authz.server.process import Process


@pytest.fixture
def process(tmp_path: Path) -> Process:
    """Build one whose admin port is any."""
    (tmp_path / "a.yaml").write_text(
        "apiVersion: authz/v1\nkind: Policy\nmetadata: {name: a}\n"
        "spec: {match: [{paths: ['/**']}], rules: [{name: r, allow: 'true'}]}\n"
    )
    flags = {
        "policies": (str(tmp_path / "a.yaml"),), "listen": (f"unix://{tmp_path}/authz.sock",), "transport": "aio",
        "admin": "127.0.0.1:0", "record.sink": str(tmp_path / "records"),
    }  # fmt: skip
    return build(load(environment={}, flags=flags).settings)


def _threads() -> set[str]:
    """Name the threads of the parts; what gRPC keeps for itself is not ours."""
    return {thread.name for thread in threading.enumerate()} & {"admin", "policy-hints", "policy-store", "recorder"}


def test_it_is_ready_from_start_to_drain(process: Process, tmp_path: Path) -> None:
    """Ready once policies are loaded and the address is open; not ready, though answering, from the drain on."""
    assert (process.live(), process.ready()) == (True, False)
    process.start()
    assert process.ready()
    assert len(_threads()) == 4
    process.drain()
    assert not process.ready()
    assert (tmp_path / "authz.sock").exists()
    process.stop(0.1)
    assert not (tmp_path / "authz.sock").exists()
    assert _threads() == set()


def test_one_that_cannot_start_leaves_nothing_behind(process: Process, tmp_path: Path) -> None:
    """What was started before the address that could not be had is stopped again."""
    (tmp_path / "authz.sock").mkdir()
    with pytest.raises(Unavailable, match="no socket is in the way"):
        process.start()
    assert _threads() == set()
    assert "policies_loaded" in (tmp_path / "records").read_text()


def test_it_says_where_it_serves(process: Process, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """The real ports, so that who started it on any can find it."""
    caplog.set_level(logging.INFO)
    process.start()
    process.stop(0.1)
    (serving,) = [record for record in caplog.records if record.getMessage() == "serving"]
    fields = serving.fields  # type: ignore[attr-defined]
    assert fields["listen"] == [f"unix://{tmp_path}/authz.sock"]
    assert fields["admin_port"] > 0
    assert fields["transport"] == "aio"
