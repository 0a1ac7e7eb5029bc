"""Policies whose source is gone, and what becomes of requests then."""

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from authz.config import load
from authz.errors import SettingsFaults
from authz.server import aging
from authz.server.aging import Aging, OnAge
from authz.server.building import build
from authz.server.process import Process
from authz.testing.asking import Asked, Call, message

POLICY = """\
apiVersion: authz/v1
kind: Policy
metadata: {name: all}
spec:
  match: [{paths: ["/**"]}]
  rules: [{name: r, allow: "true"}]
"""


class Store:
    """A store whose policies are as old as a test says."""

    current = "policies"
    age: float | None = None


@pytest.mark.parametrize(
    ("action", "ready", "served"),
    [(OnAge.WARN, True, "policies"), (OnAge.NOT_READY, False, "policies"), (OnAge.DENY, False, None)],
)
def test_each_consequence_has_those_before_it(
    action: OnAge, ready: bool, served: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """It begins with the age and ends with it, and is told once each time."""
    caplog.set_level(logging.INFO)
    store, records = Store(), []
    watched: Any = Aging(store, most=60.0, action=action, record=records.append)  # type: ignore[arg-type]
    for age, expired in ((None, False), (60.0, False), (61.0, True), (62.0, True), (1.0, False)):
        store.age = age
        watched._look()
        assert watched.expired is expired
        assert (watched.ready, watched.snapshot()) == ((ready, served) if expired else (True, "policies"))
    assert [record["event"] for record in records] == ["policies_expired", "policies_confirmed"]
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]


def test_the_next_look_is_when_they_would_be_too_old() -> None:
    """Not much later, and often while they are."""
    store = Store()
    watched: Any = Aging(store, most=60.0, action=OnAge.WARN, record=lambda _: None)  # type: ignore[arg-type]
    looks = []
    for store.age in (None, 50.0, 60.0, 70.0):
        looks.append(watched._look())
    assert looks == [aging.OFTEN, 10.0, 0.01, aging.OFTEN]


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Process]]:
    """Start a process whose policies may be two seconds old."""
    monkeypatch.setattr(aging, "OFTEN", 0.05)
    monkeypatch.setattr("authz.store.store.POLL_SHARE", 1)
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "p.yaml").write_text(POLICY)
    started = []

    def make(action: str) -> Process:
        flags = {
            "policies": (str(folder),), "listen": (f"unix://{tmp_path}/s",), "transport": "aio", "admin": "off",
            "record.sink": str(tmp_path / "records"), "reload.interval": "50ms", "reload.settle": "0s",
            "reload.max_age": "2s", "reload.on_max_age": action,
        }  # fmt: skip
        process = build(load(environment={}, flags=flags).settings)
        process.start()
        started.append(process)
        return process

    yield make
    for process in started:
        process.stop(1.0)


def _answer(process: Process) -> bytes:
    call = Call()
    process._engine.check(message(Asked(method="GET", url="https://h/a", time=1.0)), call)
    return call.response


def test_a_source_that_is_gone_has_its_consequence(
    made: Callable[[str], Process], tmp_path: Path, until: Callable[..., None]
) -> None:
    """Everything is denied and health says so, until the folder holds what is in force again (row L3)."""
    process = made("deny")
    until(process.ready)
    assert b"allowed" in _answer(process)
    (tmp_path / "p").rename(tmp_path / "away")
    until(lambda: not process.ready())
    assert b"no_policy" in _answer(process)
    assert process._engine.health("") is False
    assert b"authz_policy_expired 1.0" in process.metrics()
    assert process.status()["policy_expired"] is True
    (tmp_path / "away").rename(tmp_path / "p")
    until(process.ready)
    assert b"allowed" in _answer(process)
    assert process.status()["generation"] == 1
    records = [json.loads(line) for line in (tmp_path / "records").read_text().splitlines()]
    assert "policies_expired" in [record.get("event") for record in records]


def test_an_age_that_no_look_could_keep_is_a_fault() -> None:
    """It would be exceeded between two looks."""
    flags = {"reload.max_age": "10s", "reload.interval": "5s"}
    with pytest.raises(SettingsFaults, match=r"reload.max_age must be at least twice"):
        load(environment={}, flags=flags)
