"""Candidates are asked about real requests, and nobody but their operator ever notices."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest

from authz.audit import in_share
from authz.config import load
from authz.server import candidate as module
from authz.server import deciding
from authz.server.building import build
from authz.server.process import Process
from authz.testing.asking import Asked, Call, message

LIVE = """\
apiVersion: authz/v1
kind: Policy
metadata: {name: all}
spec:
  match: [{paths: ["/**"]}]
  rules:
    - name: reads
      allow: request.method == "GET"
      response_headers: {set: {x-read: "${request.path}"}}
    - {name: secret, deny: request.path == "/secret", message: Not for you.}
    - {name: old, redirect: "/new", when: request.path == "/old"}
  limits:
    - {name: few, key: [request.path], rate: 2/day, algorithm: fixed-window, when: 'request.path == "/few"'}
    - {name: bad, key: [request.path], rate: 1/day, algorithm: fixed-window, count: all, when: request.path == "/bad"}
"""
NARROW = LIVE.replace('allow: request.method == "GET"', 'allow: request.method == "GET" && request.path != "/a"')
WIDE = LIVE.replace('allow: request.method == "GET"', 'allow: request.method != "DELETE"')
OTHER = LIVE.replace("${request.path}", "other")
ERRING = LIVE.replace('allow: request.method == "GET"', 'allow: request.headers["nobody-sends-this"] == "1"')

Candidates = Callable[..., Process]


def ask(process: Process, path: str = "/a", method: str = "GET", **more: Any) -> bytes:
    """Have a request decided by the engine of a process."""
    call = Call()
    asked = Asked(method=method, url=f"https://api.example.com{path}", time=1.0, **more)
    process._engine.check(message(asked), call)
    return call.response


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Candidates]:
    """Make processes, each with ids that count from 1, that compare with a candidate or with none."""
    monkeypatch.setattr(deciding, "ids", lambda: map("{:032x}".format, count(1)).__next__)
    started: list[Process] = []

    def make(candidate: str | None = None, live: str = LIVE, **more: str) -> Process:
        folder = tmp_path / str(len(started))
        (folder / "live").mkdir(parents=True)
        (folder / "live" / "a.yaml").write_text(live)
        flags: dict[str, Any] = {
            "policies": (str(folder / "live"),), "listen": (f"unix://{folder}/s",), "transport": "aio", "admin": "off",
            "record.sink": str(folder / "records"), "reload.interval": "50ms", "reload.settle": "0s",
            "limits.headers": ("off",), **more,
        }  # fmt: skip
        if candidate is not None:
            (folder / "next").mkdir()
            (folder / "next" / "a.yaml").write_text(candidate)
            flags["candidate.policies"] = (str(folder / "next"),)
        process = build(load(environment={}, flags=flags).settings)
        process.folder = folder  # type: ignore[attr-defined]
        process.start()
        started.append(process)
        return process

    yield make
    for process in started:
        process.stop(1.0)


def outcomes(process: Process) -> Mapping[str, int]:
    """Return what was counted, without what was not."""
    counted: dict[str, int] = process.status()["candidate"]["outcomes"]  # type: ignore[index]
    return {outcome: number for outcome, number in counted.items() if number}


def there(process: Process) -> bool:
    """Say whether a candidate is compared, or can't be."""
    status: Any = process.status()["candidate"]
    return bool(status["generation"] or status["policy_faults"])


TRAFFIC = [
    ("/a", "GET"), ("/b", "POST"), ("/secret", "GET"), ("/old", "GET"), ("/few", "GET"), ("/few", "GET"),
    ("/few", "GET"), ("/bad", "PUT"), ("/bad", "PUT"), ("/%2e%2e/a", "GET"), ("/c?x=1", "GET"), ("/a", "OPTIONS"),
]  # fmt: skip


@pytest.mark.parametrize("candidate", [LIVE, NARROW, WIDE, ERRING, "apiVersion: nonsense\n"])
def test_answers_are_those_of_the_live_policies_alone(
    candidate: str, made: Candidates, until: Callable[..., None]
) -> None:
    """Byte by byte, with limits charged once, whatever the candidate says or is (row L11)."""
    alone, compared = made(), made(candidate)
    until(lambda: there(compared))
    answers = [(ask(alone, *each), ask(compared, *each)) for each in TRAFFIC]
    assert all(one == other for one, other in answers)
    assert len({one for one, _ in answers}) == len(TRAFFIC)
    if "nonsense" not in candidate:
        until(lambda: sum(outcomes(compared).values()) == len(TRAFFIC) - 1)  # one was no request that policies decide


@pytest.mark.parametrize(
    ("candidate", "path", "method", "outcome"),
    [
        (LIVE, "/a", "GET", "same"),
        (NARROW, "/a", "GET", "newly_denied"),
        (ERRING, "/a", "GET", "newly_denied"),
        (WIDE, "/a", "POST", "newly_allowed"),
        (OTHER, "/a", "GET", "changed"),
        (LIVE.replace("name: secret", "name: hidden"), "/secret", "GET", "changed"),
    ],
)
def test_a_disagreement_is_counted_by_its_kind(
    candidate: str, path: str, method: str, outcome: str, made: Candidates, until: Callable[..., None]
) -> None:
    """A metric says how often, by what a caller would notice (row L11)."""
    process = made(candidate)
    until(lambda: there(process))
    ask(process, path, method)
    until(lambda: outcomes(process) == {outcome: 1})
    assert f'authz_candidate_total{{outcome="{outcome}"}} 1.0'.encode() in process.metrics()


def test_a_disagreement_is_an_event_beside_the_record(made: Candidates, until: Callable[..., None]) -> None:
    """It has the decision's id and what either side says; the record of the decision says nothing of it."""
    process = made(ERRING)
    until(lambda: there(process))
    ask(process)
    until(lambda: outcomes(process) == {"newly_denied": 1})
    records = process.folder / "records"  # type: ignore[attr-defined]
    until(lambda: "candidate_disagrees" in records.read_text())
    lines = [json.loads(line) for line in records.read_text().splitlines()]
    (event,) = [line for line in lines if line.get("event") == "candidate_disagrees"]
    (record,) = [line for line in lines if line["format"] == "authz.record/v1"]
    assert (event["id"], event["outcome"]) == (record["id"], "newly_denied")
    assert (event["live"]["decision"], event["live"]["rule"]) == ("allow", "reads")
    assert (event["candidate"]["decision"], event["candidate"]["reason"]) == ("deny", "no_rule")
    assert event["candidate"]["errors"] == ["all/reads: no such key"]
    assert record["decision"] == "allow"


def test_a_limit_is_no_disagreement(made: Candidates, until: Callable[..., None]) -> None:
    """A request that is let through and then limited was let through by the policies, on both sides."""
    process = made(LIVE)
    until(lambda: there(process))
    for _ in range(5):
        ask(process, "/few")
    until(lambda: outcomes(process) == {"same": 5})


PROVIDER = """\
---
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: mesh}
spec: {peer_certificate: {trust_domains: [%s]}}
"""
KNOWN = LIVE.replace("  rules:\n", "  identity: {providers: [mesh], required: false}\n  rules:\n")


@pytest.mark.parametrize(
    ("live", "candidate", "outcome"),
    [
        (KNOWN + PROVIDER % "a", KNOWN + PROVIDER % "a", "same"),
        (KNOWN + PROVIDER % "a", KNOWN + PROVIDER % "b", "undetermined"),
        (LIVE, KNOWN + PROVIDER % "a", "undetermined"),
        (KNOWN + PROVIDER % "a", LIVE, "same"),
    ],
    ids=["alike", "other proof", "asked anew", "asked no more"],
)
def test_callers_are_those_that_the_answer_knew(
    live: str, candidate: str, outcome: str, made: Candidates, until: Callable[..., None]
) -> None:
    """Nobody is asked a second time who is calling; where a candidate asks others, or for more, nothing is claimed."""
    process = made(candidate, live)
    until(lambda: there(process))
    ask(process)
    until(lambda: outcomes(process) == {outcome: 1})


NAMED = (KNOWN + PROVIDER % "a").replace(
    'allow: request.method == "GET"', 'allow: identity.subject == "spiffe://a/ann"'
)


def test_a_candidate_decides_about_the_same_caller(made: Candidates, until: Callable[..., None]) -> None:
    """Whom the live policies found: here it is only she who is let in, by both."""
    process = made(NAMED, NAMED)
    until(lambda: there(process))
    assert b"allowed" in ask(process, principal="spiffe://a/ann")
    assert b"allowed" not in ask(process, principal="spiffe://a/bob")
    until(lambda: outcomes(process) == {"same": 2})


def test_policies_that_changed_meanwhile_are_not_compared(made: Candidates, until: Callable[..., None]) -> None:
    """What was decided by others than those in force says nothing of these."""
    process = made(LIVE)
    until(lambda: there(process))
    taken: list[Any] = []
    process._engine._parts = msgspec.structs.replace(process._engine._parts, observers=(taken.append,))
    ask(process)
    process.candidate(msgspec.structs.replace(taken[0], generation=7))  # type: ignore[misc]
    assert outcomes(process) == {"skipped": 1}


def test_bodies_that_wait_have_a_bound(
    made: Candidates, until: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them together; when one was looked at there is room for another (row L9)."""
    monkeypatch.setattr(module, "MOST_BYTES", 10)
    process = made(LIVE)
    until(lambda: there(process))
    for number in range(1, 4):
        ask(process, method="POST", body=b"12345678")
        until(lambda number=number: outcomes(process) == {"same": number})
    ask(process, method="POST", body=b"12345678901")
    assert outcomes(process) == {"same": 3, "skipped": 1}


def test_a_candidate_is_looked_at_when_asked(made: Candidates, until: Callable[..., None]) -> None:
    """SIGHUP is for both sides."""
    process = made(NARROW, **{"reload.interval": "1h"})
    until(lambda: there(process))
    process.candidate._store._hints._stop.set()  # type: ignore[union-attr]
    (process.folder / "next" / "a.yaml").write_text(WIDE)  # type: ignore[attr-defined]
    process.reload()
    until(lambda: process.status()["candidate"]["generation"] == 2)  # type: ignore[index]


def test_a_share_is_the_same_share_whenever(made: Candidates, until: Callable[..., None]) -> None:
    """Which requests are compared depends on the ids of their decisions alone."""
    process = made(LIVE, **{"candidate.share": "0.3"})
    until(lambda: there(process))
    for _ in range(100):
        ask(process)
    expected = sum(in_share(f"{number:032x}", 0.3) for number in range(1, 101))
    assert 20 < expected < 40
    until(lambda: outcomes(process) == {"same": expected})


def test_what_finds_no_room_is_let_go(
    made: Candidates, until: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However slow a candidate is, what waits for it has a bound, and answers come as they always do (row L9)."""
    monkeypatch.setattr(module, "MOST_WAITING", 3)
    process = made(LIVE)
    until(lambda: there(process))
    let = threading.Event()
    compared = process.candidate._compared  # type: ignore[union-attr]
    process.candidate._compared = lambda *given: let.wait(20) and compared(*given)  # type: ignore[union-attr, method-assign]
    for _ in range(10):
        assert ask(process)
    skipped = outcomes(process)["skipped"]
    assert 6 <= skipped <= 7  # three wait, and one is being looked at or is one of the three
    let.set()
    until(lambda: outcomes(process) == {"skipped": skipped, "same": 10 - skipped})


def test_one_that_raises_would_deny(
    made: Candidates, until: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours in a candidate's policies is what it would be to a caller: a denial; nobody was denied."""
    process = made(LIVE)
    until(lambda: there(process))
    plan = process.candidate._store.current.policies.governing("api.example.com", "/a", "GET").plan  # type: ignore[union-attr]
    monkeypatch.setattr(plan, "denials", (None,))
    ask(process)
    until(lambda: outcomes(process) == {"newly_denied": 1})
    assert process.disagreements()["groups"][0]["candidate"].reason == "internal_error"  # type: ignore[index]


def test_a_candidate_that_changes_is_compared_anew(made: Candidates, until: Callable[..., None]) -> None:
    """The table is of what is compared now; a broken candidate is shown, and the last good one goes on."""
    process = made(NARROW)
    until(lambda: there(process))
    ask(process)
    until(lambda: len(process.disagreements()["groups"]) == 1)  # type: ignore[arg-type]
    file = process.folder / "next" / "a.yaml"  # type: ignore[attr-defined]
    file.write_text("apiVersion: nonsense\n")
    until(lambda: process.status()["candidate"]["policy_faults"])  # type: ignore[index]
    assert b"authz_candidate_failing 1.0" in process.metrics()
    assert process.status()["policy_faults"] == []
    ask(process)
    until(lambda: outcomes(process) == {"newly_denied": 2})
    file.write_text(LIVE)
    until(lambda: process.status()["candidate"]["generation"] == 2)  # type: ignore[index]
    ask(process)
    until(lambda: outcomes(process) == {"newly_denied": 2, "same": 1})
    assert process.disagreements()["groups"] == []
    assert process.status()["generation"] == 1
