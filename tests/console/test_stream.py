"""The live tail over HTTP: events as they come, a bound on watchers, and an end that is noticed."""

from __future__ import annotations

import http.client
import json
import time
from contextlib import ExitStack

import pytest

from authz.console.tail import MOST_WATCHERS
from authz.console.workers import Workers
from tests.console.conftest import ALLOWED, outcome
from tests.console.test_app import FixedState, served

WITHIN = 10.0


def until(holds: object) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + WITHIN
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.01)


def watch(port: int, query: str = "") -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    """Begin to watch."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WITHIN)
    connection.request("GET", f"/api/decisions{query}")
    return connection, connection.getresponse()


def test_decisions_arrive_as_events_while_somebody_watches() -> None:
    """The filter of the query holds, and when the browser goes nobody watches any more."""
    state = FixedState()
    with served(state) as server:
        connection, answer = watch(server.port, "?decision=deny&text=orders")
        assert answer.getheader("content-type", "").startswith("text/event-stream")
        assert answer.readline() == b": watching\n"
        assert answer.readline() == b"\n"
        state.tail(outcome(1, ALLOWED))
        state.tail(outcome(2))
        event = answer.readline()
        assert event.startswith(b"data: ")
        assert [one["id"] for one in json.loads(event[6:])["decisions"]] == ["d-2"]
        answer.close()
        connection.close()
        until(lambda: state.tail.watchers == 0)


def test_decisions_of_other_workers_arrive_too() -> None:
    """Those that are wanted, from whichever worker; one that is not there is no loss, and all stop with the browser."""
    mine, other = FixedState(), FixedState()
    with served(other) as there:
        workers = Workers(0, "127.0.0.1", {1: there.port, 2: 1})
        with served(mine, workers=workers) as server:
            connection, answer = watch(server.port, "?decision=deny&text=10.0.0.1")
            until(lambda: other.tail.watchers == 1)
            other.tail(outcome(1, ALLOWED))
            other.tail(outcome(2, ip="10.0.0.2"))
            other.tail(outcome(3))
            assert told(answer) == ["d-3"]
            mine.tail(outcome(4))
            assert told(answer) == ["d-4"]
            answer.close()
            connection.close()
            until(lambda: mine.tail.watchers == other.tail.watchers == 0)


def told(answer: http.client.HTTPResponse) -> list[str]:
    """Return the decisions of the next event."""
    while not (line := answer.readline()).startswith(b"data: "):
        assert line
    return [one["id"] for one in json.loads(line[6:])["decisions"]]


def test_watchers_have_a_bound() -> None:
    """One more than may watch is told so; the others go on."""
    state = FixedState()
    with served(state) as server, ExitStack() as open_:
        for _ in range(MOST_WATCHERS):
            connection, answer = watch(server.port)
            open_.callback(connection.close)
            open_.callback(answer.close)
            assert answer.readline() == b": watching\n"
        connection, answer = watch(server.port)
        assert answer.status == 503
        answer.close()
        connection.close()


def test_a_watcher_does_not_hold_up_the_end(caplog: pytest.LogCaptureFixture) -> None:
    """The port closes within its grace though somebody watches, and nothing is cut off."""
    state = FixedState()
    with served(state) as server:
        connection, answer = watch(server.port)
        assert answer.readline() == b": watching\n"
        begun = time.monotonic()
        state.tail.end()
    assert caplog.messages == []
    assert time.monotonic() - begun < WITHIN / 2
    answer.close()
    connection.close()
