"""The admin port's pages say what the state says."""

from __future__ import annotations

import http.client
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from authz.console.app import State, application
from authz.console.serving import AdminServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class FixedState:
    """A state that says what it was told to."""

    def __init__(self, *, live: bool = True, ready: bool = True) -> None:
        self._live = live
        self._ready = ready

    def live(self) -> bool:
        return self._live

    def ready(self) -> bool:
        return self._ready

    def metrics(self) -> bytes:
        return b"authz_policy_generation 7\n"

    def status(self) -> Mapping[str, object]:
        return {"generation": 7}


@contextmanager
def served(state: State) -> Iterator[http.client.HTTPConnection]:
    """Serve the pages over a state on loopback."""
    server = AdminServer("127.0.0.1", 0, application(state))
    server.start()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        yield connection
    finally:
        connection.close()
        server.stop()


def get(state: State, page: str, method: str = "GET") -> tuple[int, bytes, Mapping[str, str]]:
    """Ask for one page: status, body, headers by lower-case name."""
    with served(state) as connection:
        connection.request(method, page)
        answer = connection.getresponse()
        return answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}


@pytest.mark.parametrize(("page", "state", "code"), [
    ("/livez", FixedState(), 200),
    ("/livez", FixedState(live=False), 503),
    ("/readyz", FixedState(), 200),
    ("/readyz", FixedState(ready=False), 503),
])  # fmt: skip
def test_a_probe_is_200_when_fine_and_503_when_not(page: str, state: FixedState, code: int) -> None:
    """Kubernetes reads the status alone."""
    assert get(state, page)[0] == code


def test_metrics_are_prometheus_text() -> None:
    """The page is what the state renders, with the content type Prometheus asks for."""
    _, body, headers = get(FixedState(), "/metrics")
    assert body == b"authz_policy_generation 7\n"
    assert headers["content-type"].startswith("text/plain; version=0.0.4")


def test_status_is_json_and_never_cached() -> None:
    """A status is of this moment."""
    _, body, headers = get(FixedState(), "/status")
    assert json.loads(body) == {"generation": 7}
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed(method: str) -> None:
    """The admin port only reads."""
    assert get(FixedState(), "/status", method)[0] == 405
