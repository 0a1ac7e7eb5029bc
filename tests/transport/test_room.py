"""Calls whose message does not come take nobody's place: the counting, and both transports with peers that do it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.model import Reason
from authz.transport import TransportName, aio, calls, rounds
from authz.transport.room import Room
from tests.transport.conftest import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 10.0
MESSAGE = b"\0\0\0\0\x05hello"
REFUSED = b"\0\0\0\0\x11refused malformed"


@given(st.lists(st.sampled_from(["arrives", "is heard", "turn"]), max_size=60))
def test_a_call_counts_once_at_most(steps: list[str]) -> None:
    """Whatever turns end between its arrival and its message: heard calls count, of the others those of this turn."""
    room = Room(1)
    silent: list[int] = []
    heard = 0
    for step in steps:
        if step == "arrives":
            silent.append(room.turn)
            room.arrived()
        elif step == "turn":
            room.end_turn()
        elif silent:
            room.heard(silent.pop(0))
            heard += 1
        assert room.taken == heard + room.due
        assert room.due <= len(silent)


@pytest.fixture
def impatient(transport: TransportName, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let calls and answers grow old in moments."""
    if transport is TransportName.AIO:
        monkeypatch.setattr(aio, "MESSAGE_WITHIN", 0.05)
    else:
        monkeypatch.setattr(rounds, "SWEEP", 0.01)


def test_streams_without_a_message_keep_nobody_out(
    serve: Callable[..., Any], connect: Callable[..., Any], peer: Callable[..., Any]
) -> None:
    """G3, G4: a peer that opens all the streams it may and says nothing takes no place of those who ask."""
    server = serve(max_in_flight=50)
    hostile = peer(server)
    for _ in range(99):
        hostile.say(hostile.announce(), MESSAGE[:7])
    last = hostile.announce()
    hostile.say(last, MESSAGE, last=True)
    hostile.send()
    hostile.until(lambda: last in hostile.ended)  # whatever it was told: all of them have arrived
    client = connect(server)
    eventually(lambda: client.check(b"x", timeout=PATIENCE) == b"answer to x")  # once the turn is over
    assert {client.check(b"%d" % i, timeout=PATIENCE) for i in range(50)} == {b"answer to %d" % i for i in range(50)}
    eventually(lambda: server.in_flight == 0)


@pytest.mark.usefixtures("impatient")
def test_a_message_that_does_not_come_is_refused_in_words(
    serve: Callable[..., Any], peer: Callable[..., Any], desk: Any
) -> None:
    """G1, G4: headers alone, or a message that drips, is answered as no message is, and no gRPC error ends it."""
    server = serve()
    slow = peer(server)
    streams = [slow.announce(), slow.announce()]
    slow.say(streams[1], MESSAGE[:7])
    slow.send()
    slow.until(lambda: slow.ended >= set(streams))
    assert slow.answers == dict.fromkeys(streams, REFUSED)
    assert desk.refused == [Reason.MALFORMED] * 2
    assert server.in_flight == 0


def test_a_message_in_parts_is_a_message(serve: Callable[..., Any], peer: Callable[..., Any]) -> None:
    """A large body takes several windows: the call has lost its place meanwhile, and gets one when it is there."""
    server = serve(max_in_flight=1)
    slow = peer(server)
    stream = slow.announce()
    for part in (MESSAGE[:3], MESSAGE[3:8]):
        slow.say(stream, part)
        slow.send()
        other = slow.announce()
        slow.say(other, MESSAGE, last=True)
        slow.send()
        slow.until(lambda other=other: other in slow.ended)
    slow.say(stream, MESSAGE[8:], last=True)
    slow.send()
    slow.until(lambda: stream in slow.ended)
    assert slow.answers[stream].endswith(b"answer to hello")


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("transport", [TransportName.FAST])
def test_an_answer_that_is_not_taken_is_given_up(
    serve: Callable[..., Any], peer: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """G13: a peer without a window for answers keeps none of them; what its own cancel would do, its age does."""
    monkeypatch.setattr(calls, "ANSWER_SWEEPS", 2)
    server = serve()
    deaf = peer(server, window=0)
    streams = [deaf.announce() for _ in range(20)]
    for stream in streams:
        deaf.say(stream, MESSAGE, last=True)
    deaf.send()
    deaf.until(lambda: deaf.ended | deaf.reset >= set(streams))
    assert deaf.answers == {}
    assert server.stop(PATIENCE) == 0
