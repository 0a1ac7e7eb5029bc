"""A watcher sees what is decided while it watches, each decision once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from authz.console.tail import KEPT, Tail
from authz.console.watching import SHOWN, Wanted, Watcher, watching
from authz.model import Identity
from tests.console.conftest import ALLOWED, outcome


def look(watcher: Watcher) -> Any:
    """Return what a watcher sees."""
    found = watcher.look()
    return None if found is None else json.loads(found)


def test_each_watcher_sees_every_decision_once() -> None:
    """What came before it watched is not shown, what it has seen is not shown again."""
    tail = Tail()
    with watching(tail, Wanted()) as first:
        tail(outcome(1))
        with watching(tail, Wanted()) as second:
            tail(outcome(2))
            assert [one["id"] for one in look(first)["decisions"]] == ["d-1", "d-2"]
            assert [one["id"] for one in look(second)["decisions"]] == ["d-2"]
            assert look(first) is None
            tail(outcome(3))
            assert look(first) == {"missed": 0, "decisions": [{**look(second)["decisions"][0]}]}


@pytest.mark.parametrize(("wanted", "ids"), [
    (Wanted(), ["d-1", "d-2", "d-3"]),
    (Wanted(decision="deny"), ["d-1", "d-3"]),
    (Wanted(decision="allow"), ["d-2"]),
    (Wanted(text="ORDERS/7"), ["d-1"]),
    (Wanted(text="no-writes"), ["d-1", "d-3"]),
    (Wanted(text="alice"), ["d-2"]),
    (Wanted(text="10.9"), ["d-3"]),
    (Wanted(text="d-2", decision="deny"), None),
])  # fmt: skip
def test_a_filter_shows_what_it_names(wanted: Wanted, ids: list[str] | None) -> None:
    """By effect, and by a text in any field that is shown, in any case."""
    tail = Tail()
    with watching(tail, wanted) as watcher:
        tail(outcome(1, path="/orders/7"))
        tail(outcome(2, ALLOWED, identity=Identity(authenticated=True, provider="staff", subject="alice")))
        tail(outcome(3, ip="10.9.9.9"))
        found = look(watcher)
        assert (found and [one["id"] for one in found["decisions"]]) == ids


def test_more_than_can_be_shown_is_counted() -> None:
    """O4: of a flood the newest are shown, and the rest is a number."""
    tail = Tail()
    with watching(tail, Wanted()) as watcher:
        for number in range(1, KEPT + 101):
            tail(outcome(number))
        found = look(watcher)
    assert [one["id"] for one in found["decisions"]][-1] == f"d-{KEPT + 100}"
    assert len(found["decisions"]) == SHOWN
    assert found["missed"] == KEPT + 100 - SHOWN


def test_what_a_client_sends_is_data() -> None:
    """O1: no text ends the event that carries it."""
    tail = Tail()
    with watching(tail, Wanted()) as watcher:
        tail(outcome(path="/a\n\ndata: <script>\u2028"))
        found = watcher.look()
    assert found is not None
    assert len(found.decode().splitlines()) == 1
    assert json.loads(found)["decisions"][0]["request"]["path"] == "/a\n\ndata: <script>\u2028"
