"""Peers that hold on to the socket: others are answered as if they were not there, and what they held is given back."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.faults.conftest import CHECKS, SERVING, eventually
from tests.transport.conftest import Peer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.faults.conftest import Load, Served

pytestmark = pytest.mark.slow

STREAMS = 1800  # more than max_in_flight, fewer than one connection may have
BEGUN = b"\0\0\0\x04\x00\x0a"  # of a message of a thousand bytes, the first
MESSAGE = CHECKS[0].payload(0)
WHOLE = b"\0" + len(MESSAGE).to_bytes(4, "big") + MESSAGE


@pytest.fixture(params=["fast", "aio"])
def served(request: pytest.FixtureRequest, serve: Callable[..., Served]) -> Served:
    """Return the service on each transport."""
    return serve("--transport", request.param)


@pytest.fixture
def peer(served: Served) -> Iterator[Callable[..., Peer]]:
    """Return a function that connects."""
    peers: list[Peer] = []

    def connect(**options: int) -> Peer:
        peers.append(Peer(served.socket, **options))
        return peers[-1]

    yield connect
    for each in peers:
        each.close()


def _open(peer: Peer, message: bytes, *, last: bool = False) -> list[int]:
    streams = []
    for _ in range(STREAMS):
        streams.append(peer.announce())
        if message:
            peer.say(streams[-1], message, last=last)
    peer.send()
    return streams


def _calm(served: Served) -> str | None:
    """Return the metrics once nothing counts as in flight behind a check that came later."""
    served.health()
    page = served.get("/metrics")[1].decode()
    return page if "authz_inflight 0.0" in page else None


@pytest.mark.parametrize("begun", [b"", BEGUN], ids=["headers", "a first byte"])
def test_streams_without_a_message_keep_nobody_out(
    begun: bytes, served: Served, peer: Callable[..., Peer], loaded: Callable[[Served], Load]
) -> None:
    """Rows G3 and G4: more of them than may be in flight; nobody else is denied, and they are, in words, in seconds."""
    hostile = peer()
    streams = _open(hostile, begun)
    whole = hostile.announce()
    hostile.say(whole, WHOLE, last=True)
    hostile.send()
    hostile.until(lambda: whole in hostile.ended)  # whatever it was told: all before it have arrived
    assert 'reason="malformed"' not in eventually(lambda: _calm(served))  # before they are refused
    calls = loaded(served)
    calls.more(400)
    calls.stop()
    assert (calls.failed, calls.lost, "overloaded" in calls.reasons) == ([], False, False)
    hostile.until(lambda: hostile.ended >= set(streams))
    assert {answer[:1] for answer in hostile.answers.values()} == {b"\0"}
    assert len(hostile.answers) == STREAMS + 1


def test_answers_that_nobody_takes_keep_nobody_out(
    served: Served, peer: Callable[..., Peer], loaded: Callable[[Served], Load]
) -> None:
    """Row G13: answers wait for a window that never opens, and others get theirs."""
    _open(peer(window=0), WHOLE, last=True)
    eventually(lambda: _calm(served))  # as many at once are an overload; what is asked here is what they leave
    calls = loaded(served)
    calls.more(400)
    calls.stop()
    assert (calls.failed, calls.lost) == ([], False)
    assert served.health() == SERVING


def test_connections_that_say_nothing_are_closed(served: Served) -> None:
    """Row G13: a peer that connects and is silent, or stops in the middle of the preface, has its file for seconds."""
    before = served.open_files()
    silent = [socket.socket(socket.AF_UNIX) for _ in range(50)]
    for number, each in enumerate(silent):
        each.connect(str(served.socket))
        each.sendall(b"PRI * HTTP/2.0\r\n"[: number % 16])
    eventually(lambda: served.open_files() > before + 40)
    eventually(lambda: served.open_files() < before + 10)
    assert served.health() == SERVING
    for each in silent:
        each.close()
