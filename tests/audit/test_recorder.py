"""The recorder never holds up an answer, and counts what it could not keep."""

from __future__ import annotations

import json
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from authz.audit.chain import Chain, verify
from authz.audit.line import LineWriter
from authz.audit.recorder import BEHIND, HEAVIEST, TOGETHER, Recorder
from authz.audit.sampling import Sampling
from authz.model import Decision, Effect, Reason
from tests.audit.conftest import request

if TYPE_CHECKING:
    from collections.abc import Callable

    from authz.model import Outcome

WITHIN = 10.0
MANY = 3 * TOGETHER + 1
"""Records that are not written at once."""

HOSTILE = request(query="&".join(f"{number:02}{'k' * 500}=1" for number in range(32)))
"""A request whose record is as long as a caller can make it."""


class Lines:
    """A sink that keeps lines and can be held shut."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.entered = threading.Event()
        self.open = threading.Event()
        self.open.set()
        self.closed = False
        self.broken = False
        self.came = threading.Condition()

    def write(self, lines: bytes) -> None:
        self.entered.set()
        self.open.wait(WITHIN)
        if self.broken:
            raise OSError(28, "No space left on device")
        with self.came:
            self.lines += lines.splitlines()
            self.came.notify_all()

    def has(self, number: int) -> bool:
        """Wait until so many lines are there."""
        with self.came:
            return self.came.wait_for(lambda: len(self.lines) >= number, WITHIN)

    def close(self) -> None:
        self.closed = True


def test_close_writes_what_is_queued(outcome: Callable[..., Outcome]) -> None:
    """Nothing that was taken is lost at the end."""
    sink = Lines()
    recorder = Recorder(sink)
    for number in range(1000):
        recorder(outcome(id=f"d-{number}"))
    recorder.start()
    recorder.close()
    assert len(sink.lines) == recorder.written == 1000
    assert sink.closed


def test_no_record_waits_for_the_next(outcome: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch) -> None:
    """The last record before a quiet time is written at once, not when something happens again."""
    monkeypatch.setattr("authz.audit.recorder.GATHER", 0.0)  # so that it is quiet between two
    sink = Lines()
    recorder = Recorder(sink)
    recorder.start()
    for number in range(1, 301):
        recorder(outcome())
        assert sink.has(number)
    recorder.close()


def test_no_record_is_forgotten_among_threads(outcome: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch) -> None:
    """However threads come between each other, whoever puts the last record has it written."""
    monkeypatch.setattr("authz.audit.recorder.GATHER", 0.0)
    sink, threads, each = Lines(), 4, 50
    recorder = Recorder(sink)
    recorder.start()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for number in range(1, 41):
            workers = [
                threading.Thread(target=lambda: [recorder(outcome()) for _ in range(each)]) for _ in range(threads)
            ]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
            assert sink.has(number * threads * each)
    finally:
        sys.setswitchinterval(interval)
    recorder.close()


def test_what_a_sink_does_not_take_in_time_is_counted(outcome: Callable[..., Outcome]) -> None:
    """The end comes though standard output is stuck, and says how many records it costs (O4)."""
    sink = Lines()
    sink.open.clear()
    recorder = Recorder(sink)
    recorder.start()
    recorder(outcome(id="d-0"))
    assert sink.entered.wait(WITHIN)
    for number in range(100):
        recorder(outcome(id=f"d-{number}"))
    recorder.close(timeout=0.01)
    assert (recorder.written, recorder.dropped, sink.closed) == (0, 100, False)
    sink.open.set()
    recorder._writer.join(WITHIN)


def test_it_says_when_a_record_would_be_lost_and_when_no_more(outcome: Callable[..., Outcome]) -> None:
    """Who lets nobody in without a record asks: while the queue is full, and after a write that failed."""
    sink = Lines()
    recorder = Recorder(sink, capacity=2)
    recorder(outcome(id="d-0"))
    assert not recorder.stuck()
    recorder(outcome(id="d-1"))
    assert recorder.stuck()
    for broken in (True, False):
        sink.broken = broken
        recorder(outcome(id="d-2"))
        recorder._drain()
        assert recorder.stuck() == broken


def test_a_full_queue_drops_and_counts(outcome: Callable[..., Outcome]) -> None:
    """O4: a sink that is stuck costs records, never time: the call returns and the drop is counted."""
    sink = Lines()
    sink.open.clear()
    recorder = Recorder(sink, capacity=10)
    recorder.start()
    recorder(outcome())
    assert sink.entered.wait(WITHIN)
    for _ in range(15):
        recorder(outcome())
    assert recorder.dropped == 5
    sink.open.set()
    recorder.close()
    assert recorder.written == 11


def test_lines_that_wait_for_a_stuck_sink_take_bounded_memory(outcome: Callable[..., Outcome]) -> None:
    """O4: long queries can't fill the memory while a sink is stuck; the lines that fit are whole and in order."""
    sink = Lines()
    sink.open.clear()
    recorder = Recorder(sink)
    recorder.start()
    recorder(outcome())
    assert sink.entered.wait(WITHIN)
    for number in range(4 * BEHIND):
        recorder(outcome(id=f"d-{number}", request=HOSTILE))
    sink.open.set()
    recorder.close()
    lines = sink.lines[1:]
    assert BEHIND < len(lines) < 4 * BEHIND
    assert recorder.dropped == 4 * BEHIND - len(lines)
    assert [json.loads(line)["id"] for line in lines] == [f"d-{number}" for number in range(len(lines))]
    assert sum(map(len, lines[BEHIND:])) <= HEAVIEST


def test_a_sink_that_catches_up_has_room_again(outcome: Callable[..., Outcome]) -> None:
    """O4: what was written out no longer counts as waiting."""
    sink = Lines()
    recorder = Recorder(sink)
    for _ in range(4 * BEHIND):
        recorder(outcome(request=HOSTILE))
    dropped = recorder.dropped
    recorder._drain()
    for _ in range(BEHIND + 10):
        recorder(outcome(request=HOSTILE))
    recorder._drain()
    assert 0 < dropped == recorder.dropped
    assert len(sink.lines) == 5 * BEHIND + 10 - dropped


def test_a_sink_that_fails_is_told_and_survived(outcome: Callable[..., Outcome]) -> None:
    """A full disk is reported, counted as dropped, and recording goes on when there is room again."""
    sink = Lines()
    sink.broken = True
    faults: list[BaseException] = []
    told = threading.Event()
    recorder = Recorder(sink, fault=lambda error: (faults.append(error), told.set())[0])
    recorder.start()
    recorder(outcome())
    assert told.wait(WITHIN)
    sink.broken = False
    recorder(outcome())
    recorder.close()
    assert (recorder.dropped, recorder.written) == (1, 1)
    assert "No space left" in str(faults[0])


def test_events_are_records_too() -> None:
    """A policy swap stands in the same file as the decisions it changed."""
    sink = Lines()
    recorder = Recorder(sink, lines=LineWriter(worker=2))
    recorder.event({"event": "policies_loaded"})
    recorder.start()
    recorder.close()
    (line,) = map(json.loads, sink.lines)
    assert (line["format"], line["worker"], line["event"]) == ("authz.event/v1", 2, "policies_loaded")


@pytest.mark.parametrize(("share", "least", "most"), [(0.0, 0, 0), (0.1, 60, 140), (1.0, 1000, 1000)])
def test_sampling_keeps_a_share_of_allows_and_all_denials(
    outcome: Callable[..., Outcome], share: float, least: int, most: int
) -> None:
    """Every denial is kept; of the allows the share that was asked for, chosen by id."""
    sampling = Sampling(allow=share)
    allows = [outcome(id=f"d-{number}") for number in range(1000)]
    assert least <= sum(map(sampling.keeps, allows)) <= most
    denied = Decision(effect=Effect.DENY, reason=Reason.NO_RULE, status=403)
    assert all(sampling.keeps(outcome(id=f"d-{number}", decision=denied)) for number in range(100))


def test_records_are_chained_where_they_are_written(outcome: Callable[..., Outcome]) -> None:
    """Piles follow each other; what the sink did not take is not linked to, so the chain stays whole."""
    sink = Lines()
    recorder = Recorder(sink, chain=Chain())
    recorder.start()
    for number in range(100):
        recorder(outcome(id=f"d-{number}"))
        if number == 50:
            recorder.event({"event": "loaded"})
    recorder.close()
    verdict = verify([line + b"\n" for line in sink.lines])
    assert (verdict.records, verdict.wrong) == (101, None)
    assert recorder.status() == {"written": 101, "dropped": 0, "last_hash": verdict.last}


def test_a_chain_outlives_a_sink_that_fails(outcome: Callable[..., Outcome]) -> None:
    """Records that were dropped are counted, and the next follows the last that was written."""
    sink = Lines()
    failed = threading.Event()
    recorder = Recorder(sink, chain=Chain(), fault=lambda _: failed.set())
    recorder.start()
    sink.broken = True
    recorder(outcome(id="lost"))
    assert failed.wait(WITHIN)
    sink.broken = False
    recorder(outcome(id="kept"))
    recorder.close()
    assert verify([line + b"\n" for line in sink.lines]).wrong is None
    assert recorder.status()["dropped"] == 1


@pytest.mark.parametrize("broken", [{"started": float("nan")}, {"trace_id": "\ud800"}])
def test_an_outcome_that_cannot_be_written_costs_its_own_record_only(
    outcome: Callable[..., Outcome], broken: dict[str, Any]
) -> None:
    """Those around it are written, whether it can't be gathered or JSON can't hold it; it is told and counted."""
    sink = Lines()
    faults: list[BaseException] = []
    recorder = Recorder(sink, fault=faults.append)
    for number in range(32):
        recorder(outcome(id=f"d-{number}", **(broken if number == 7 else {})))
    recorder.start()
    recorder.close()
    assert (recorder.written, recorder.dropped, len(faults)) == (31, 1, 1)
    assert [json.loads(line)["id"] for line in sink.lines] == [f"d-{n}" for n in range(32) if n != 7]


def test_records_stand_in_the_order_in_which_they_were_made(outcome: Callable[..., Outcome]) -> None:
    """Events among decisions stand where they happened, in however many pieces they are written."""
    sink = Lines()
    recorder = Recorder(sink)
    for number in range(MANY):
        if number % 10:
            recorder(outcome(id=str(number)))
        else:
            recorder.event({"id": str(number)})
    recorder.start()
    recorder.close()
    assert [json.loads(line)["id"] for line in sink.lines] == [str(n) for n in range(MANY)]


def test_a_recorder_says_that_it_is_stuck_before_bytes_are_too_many(outcome: Callable[..., Outcome]) -> None:
    """O4: with `record.fail_closed` no allow is given whose record is dropped because those that wait are long."""
    recorder = Recorder(Lines(), capacity=10**6)
    number = 0
    while not recorder.stuck():
        recorder(outcome(id=f"d-{number}", detail="\x00" * 512, trace_id="t" * 10_000))
        assert recorder.dropped == 0
        number += 1
    assert number < 10_000
    recorder.start()
    recorder.close()
    assert not recorder.stuck()
    assert recorder.written == number
