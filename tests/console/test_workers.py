"""The first worker's admin port answers for all."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from authz.console.app import application
from authz.console.serving import AdminServer
from authz.console.workers import Workers, labelled, merged
from authz.telemetry import Metrics

from .test_app import FixedState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Second(FixedState):
    """A worker that says which one it is."""

    def metrics(self) -> bytes:
        return b"# HELP authz_inflight Now.\n# TYPE authz_inflight gauge\nauthz_inflight 2.0\n"

    def status(self) -> Mapping[str, object]:
        return {"worker": 1, "admin_port": 1, "ready": True, "generation": 7, "jwks": {}}


OWN = b"# HELP authz_inflight Now.\n# TYPE authz_inflight gauge\nauthz_inflight 1.0\n"
FIRST = {"worker": 0, "admin_port": 0, "ready": True, "generation": 7, "jwks": {}}


@pytest.fixture
def other() -> Iterator[int]:
    """Serve another worker's admin port, and return it."""
    with ExitStack() as stack:
        server = AdminServer("127.0.0.1", 0, application(Second(), workers=Workers(1, "127.0.0.1", {})))
        server.start()
        stack.callback(server.stop)
        yield server.port


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
