"""What becomes of a store event: a log line, a number, a record."""

import gc
import logging
from collections.abc import Iterator

import pytest

from authz.errors import Fault
from authz.server.events import PolicyEvents
from authz.store import Loaded, Pinned, Refused, Unchanged

FAULT = Fault(file="a.yaml", line=1, column=2, message="wrong", text=" x", length=1)
REFUSED = {"event": "policies_refused", "faults": 1, "first": ["a.yaml:1:2: wrong"]}


def _loaded(generation: int) -> Loaded:
    return Loaded(generation=generation, digest="d", commit="c", files=3, at=5.0, seconds=0.01234)


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_every_event_is_a_line_and_a_number(caplog: pytest.LogCaptureFixture) -> None:
    """Those that change what is in force are records too."""
    caplog.set_level(logging.INFO)
    records: list[object] = []
    events = PolicyEvents(records.append)
    for event in (
        _loaded(1),
        Refused(faults=(FAULT,), generation=1),
        Refused(faults=(FAULT,), generation=0, tests_failed=True),
        Unchanged(generation=1),
        Pinned(paths=("/a.yaml",)),
    ):
        events(event)
    assert [(record.levelname, record.getMessage().partition(",")[0]) for record in caplog.records] == [
        ("INFO", "policies are in force"),
        ("ERROR", "policies can't be served"),
        ("ERROR", "policies do not pass their tests"),
        ("INFO", "policies are what they were"),
        ("WARNING", "these are mounted by themselves (subPath?) and will never change: mount their folder"),
    ]
    assert events.reloads == {("loaded",): 1, ("refused",): 1, ("tests_failed",): 1, ("unchanged",): 1}
    assert records == [
        {"event": "policies_loaded", "generation": 1, "digest": "d", "commit": "c", "files": 3},
        {**REFUSED, "generation": 1, "result": "refused"},
        {**REFUSED, "generation": 0, "result": "tests_failed"},
    ]


def test_a_refusal_carries_every_fault_with_its_caret(caplog: pytest.LogCaptureFixture) -> None:
    """The log line holds what `authz check` would show."""
    PolicyEvents(lambda _: None)(Refused(faults=(FAULT,), generation=0))
    (record,) = caplog.records
    assert record.getMessage().endswith("everything is denied")
    assert record.fields["faults"] == ["a.yaml:1:2: wrong\n     x\n     ^"]  # type: ignore[attr-defined]


def test_only_the_first_policies_are_frozen() -> None:
    """What a later generation leaves behind is collected (row L9)."""
    events = PolicyEvents(lambda _: None)
    events(_loaded(1))
    frozen = gc.get_freeze_count()
    assert frozen > 0
    events(_loaded(2))
    assert gc.get_freeze_count() <= frozen
