"""The first worker's admin port answers for all."""

from __future__ import annotations

import asyncio
import http.client
import json
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from authz.console.app import application
from authz.console.serving import AdminServer
from authz.console.workers import Workers, labelled, merged
from authz.telemetry import Metrics

from .test_app import FixedState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class Second(FixedState):
    """A worker that says which one it is."""

    def metrics(self) -> bytes:
        return b"# HELP authz_inflight Now.\n# TYPE authz_inflight gauge\nauthz_inflight 2.0\n"

    def status(self) -> Mapping[str, object]:
        return {
            "worker": 1, "admin_port": 1, "ready": True, "generation": 7, "jwks": {}, "in_flight": 2, "candidate": None,
        }  # fmt: skip

    def numbers(self) -> Mapping[str, object]:
        checks = [{"decision": "deny", "reason": "no_rule", "count": 3}]
        return {"checks": checks, "durations": {"bounds": [0.1], "counts": [2, 1], "sum": 0.5}}

    def policies(self) -> Sequence[Mapping[str, object]]:
        return [{"kind": "Policy", "name": "orders", "said": {"allow": 1}, "rules": [], "limits": []}]


OWN = b"# HELP authz_inflight Now.\n# TYPE authz_inflight gauge\nauthz_inflight 1.0\n"
FIRST = {"worker": 0, "admin_port": 0, "ready": True, "generation": 7, "jwks": {}}


@contextmanager
def worker(state: FixedState, workers: Workers | None = None) -> Iterator[int]:
    """Serve the admin port of a worker; yields the port."""
    server = AdminServer("127.0.0.1", 0, application(state, workers=workers or Workers(1, "127.0.0.1", {})))
    server.start()
    try:
        yield server.port
    finally:
        server.stop()


def probed(workers: Workers, state: FixedState | None = None) -> int:
    """Return what the first worker's port says to a probe."""
    with (
        worker(state or FixedState(), workers) as port,
        closing(http.client.HTTPConnection("127.0.0.1", port)) as asked,
    ):
        asked.request("GET", "/readyz")
        return asked.getresponse().status


@pytest.fixture
def other() -> Iterator[int]:
    """Serve another worker's admin port, and return it."""
    with worker(Second()) as port:
        yield port


def _numbers(workers: Workers) -> str:
    return asyncio.run(workers.numbers(OWN)).decode()


def _states(workers: Workers) -> list[dict[str, Any]]:
    return asyncio.run(workers.states(FIRST))


def test_numbers_and_states_are_of_all(other: int) -> None:
    """Who scrapes one port of a pod has the numbers of every worker in it, each with its worker."""
    workers = Workers(0, "127.0.0.1", {1: other})
    assert _numbers(workers) == (
        "# HELP authz_inflight Now.\n# TYPE authz_inflight gauge\n"
        'authz_inflight{worker="0"} 1.0\nauthz_inflight{worker="1"} 2.0\n'
    )
    assert [(one["worker"], one["ready"], one["generation"]) for one in _states(workers)] == [
        (0, True, 7),
        (1, True, 7),
    ]


def test_one_that_does_not_answer_costs_its_own_numbers_only() -> None:
    """A worker that is started anew has none yet, and is not ready."""
    workers = Workers(0, "127.0.0.1", {1: 1})
    assert 'authz_inflight{worker="0"} 1.0\n' in _numbers(workers)
    assert _states(workers)[1:] == [{"worker": 1, "admin_port": 1, "ready": False}]


def test_all_are_ready_or_none_is(other: int) -> None:
    """A probe of one port is a probe of all: Envoy asks a worker that is not ready, or not there, like the rest."""
    assert probed(Workers(0, "127.0.0.1", {1: other})) == 200
    assert probed(Workers(0, "127.0.0.1", {1: other, 2: 1})) == 503
    with worker(FixedState(ready=False)) as unready:
        assert probed(Workers(0, "127.0.0.1", {1: other, 2: unready})) == 503
    assert probed(Workers(0, "127.0.0.1", {1: other}), FixedState(ready=False)) == 503


def test_the_console_shows_all(other: int) -> None:
    """Every reading is of all that answer, and says how many those are."""
    with worker(Second(), Workers(0, "127.0.0.1", {1: other, 2: 1})) as port:
        state = json.loads(asked(port, "/api/state"))
        assert state["status"]["answering"] == {"workers": 2, "of": 3}
        assert (state["status"]["ready"], state["status"]["in_flight"]) == (False, 4)
        assert state["numbers"]["checks"] == [{"decision": "deny", "reason": "no_rule", "count": 6}]
        (orders,) = json.loads(asked(port, "/api/policies"))
        assert orders["said"] == {"allow": 2}
        assert json.loads(asked(port, "/api/denied")) == {"total": 0, "most": []}
        assert json.loads(asked(port, "/api/exceptions")) == [{"data": "blocked", "active": True}]
        assert json.loads(asked(port, "/api/candidate"))["groups"] == []


def asked(port: int, page: str) -> bytes:
    """Return a page."""
    with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        connection.request("GET", page)
        return connection.getresponse().read()


def test_what_is_merged_is_still_prometheus_text() -> None:
    """Every family once, samples with the labels they had and one more: Prometheus refuses a page with doubles."""
    pages = []
    for worker in (0, 1):
        metrics = Metrics()
        metrics.read("authz_test_total", "A test.", lambda: {('a{"}\\,\n', "y"): 2.0, ("c", "d e"): 3.0}, ("x", "z"))
        pages.append(labelled(metrics.page(), worker))
    families = list(text_string_to_metric_families(merged(pages).decode()))
    assert len({family.name for family in families}) == len(families)
    (test,) = (family for family in families if family.name == "authz_test")
    assert [(s.labels["worker"], s.labels["x"], s.labels["z"], s.value) for s in test.samples] == [
        (worker, *rest) for worker in "01" for rest in (('a{"}\\,\n', "y", 2.0), ("c", "d e", 3.0))
    ]
