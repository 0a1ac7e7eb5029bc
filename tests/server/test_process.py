"""A process starts whole or not at all, and ends in the other order."""

import json
import logging
import threading
from pathlib import Path

import pytest

from authz import __version__
from authz.build import build
from authz.config import load
from authz.errors import Unavailable
from authz.policy.explained import Counts, Explanation
from authz.server import building
from authz.server.process import Process
from authz.testing.asking import Asked, Call, message

POLICY = (
    "apiVersion: authz/v1\nkind: Policy\nmetadata: {name: a}\n"
    "spec: {match: [{paths: ['/**']}], rules: [{name: r, allow: 'true'}]}\n"
)


@pytest.fixture
def process(tmp_path: Path) -> Process:
    """Build one whose admin port is any."""
    (tmp_path / "a.yaml").write_text(POLICY)
    return built(tmp_path, tmp_path / "a.yaml")


def built(tmp_path: Path, policies: Path, **changes: str) -> Process:
    """Build a process whose socket and records are in a folder."""
    flags = {
        "policies": (str(policies),), "listen": (f"unix://{tmp_path}/authz.sock",), "transport": "aio",
        "admin": "127.0.0.1:0", "record.sink": str(tmp_path / "records"), **changes,
    }  # fmt: skip
    return building.build(load(environment={}, flags=flags).settings)


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


def test_it_is_not_ready_before_its_address_is_open(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    """L4: policies are loaded by then, and whoever is sent here for that would find the connection refused."""
    open_, said = process._server.start, list[object]()

    def start() -> None:
        said.extend((process.ready(), process.status()["generation"]))
        open_()

    monkeypatch.setattr(process._server, "start", start)
    process.start()
    said.append(process.ready())
    process.stop(0.1)
    assert said == [False, 1, True]


def test_one_that_cannot_start_leaves_nothing_behind(process: Process, tmp_path: Path) -> None:
    """What was started before the address that could not be had is stopped again."""
    (tmp_path / "authz.sock").mkdir()
    with pytest.raises(Unavailable, match="that is a directory"):
        process.start()
    assert _threads() == set()
    assert "policies_loaded" in (tmp_path / "records").read_text()


def test_it_says_what_serves_and_where(process: Process, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """The real ports, so that who started it on any can find it; log and status say how it was built."""
    caplog.set_level(logging.INFO)
    process.start()
    status = process.status()
    process.stop(0.1)
    (serving,) = [record for record in caplog.records if record.getMessage() == "serving"]
    fields = serving.fields  # type: ignore[attr-defined]
    assert fields["listen"] == [f"unix://{tmp_path}/authz.sock"]
    assert fields["admin_port"] > 0
    assert fields["transport"] == "aio"
    assert (fields["version"], fields["build"]) == (status["version"], status["build"]) == (__version__, build())


def test_what_was_not_recorded_is_told_at_the_end(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """Nobody can ask the metrics any more: the log says how many records were dropped, here to a disk that is full."""
    (tmp_path / "a.yaml").write_text(POLICY)
    process = built(tmp_path, tmp_path / "a.yaml", **{"record.sink": "/dev/full"})
    process.start()
    process.stop(1.0)
    (told,) = [record for record in caplog.records if "dropped" in record.getMessage()]
    assert told.fields == {"count": 1}  # type: ignore[attr-defined]


def test_records_and_status_name_the_commit(tmp_path: Path) -> None:
    """Of the policies that decided: from the file that was copied with them."""
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "a.yaml").write_text(POLICY)
    (folder / ".provenance.json").write_text('{"commit": "c1", "author": "Ann"}')
    process = built(tmp_path, folder)
    process.start()
    call = Call()
    process._engine.check(message(Asked(method="GET", url="https://h/a", time=1.0)), call)
    status = process.status()
    process.stop(1.0)
    assert status["policy_commit"] == "c1"
    assert status["policy_provenance"][str(folder)].author == "Ann"  # type: ignore[index]
    lines = [json.loads(line) for line in (tmp_path / "records").read_text().splitlines()]
    assert [line.get("commit", line.get("policy_commit")) for line in lines] == ["c1", "c1"]


def test_it_explains_by_what_it_has_counted(tmp_path: Path) -> None:
    """An operator sees what the caller has left now; explaining takes nothing of it."""
    policy = tmp_path / "a.yaml"
    policy.write_text(POLICY.replace("spec: {", "spec: {limits: [{name: l, key: client.ip, rate: 3/hour}], "))
    process = built(tmp_path, policy)
    process.start()
    process._engine.check(message(Asked(method="GET", url="https://h/a", time=1.0)), Call())
    for _ in range(2):
        explained = process.explain([("method", "GET"), ("url", "https://h/a")])
        assert isinstance(explained, Explanation)
        assert explained.counts is Counts.PEEKED
        assert explained.documents[0].limits[0].remaining == 2
    process.stop(1.0)
