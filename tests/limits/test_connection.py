"""One link: what it reads in pieces, which errors it tells apart, and that no secret leaves it."""

from __future__ import annotations

import socket
from itertools import pairwise
from typing import TYPE_CHECKING

import hiredis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.errors import Unavailable
from authz.limits.connection import Link, error_code

if TYPE_CHECKING:
    from collections.abc import Iterator


class Wire:
    """A connection in the form redis-py gives it, over a pair of sockets; no server behind it."""

    def __init__(self) -> None:
        self._sock, self.far = socket.socketpair()

    def connect(self) -> None: ...

    def send_command(self, *_: str) -> None: ...

    def read_response(self) -> bytes:
        return b"loaded"

    def disconnect(self) -> None:
        self._sock.close()


@pytest.fixture
def wire() -> Iterator[tuple[Link, socket.socket]]:
    """Open a link and hold the far end of its socket."""
    ends = Wire()
    link = Link(ends)
    link.open("return 1")
    yield link, ends.far
    link.close()
    ends.far.close()


@given(cuts=st.lists(st.integers(0, 70), max_size=6))
def test_replies_arrive_whole_however_they_are_cut(cuts: list[int]) -> None:
    """Bytes may come in any pieces; a reply is there when it is complete, and in order."""
    data = b"*5\r\n:1\r\n:3\r\n:2\r\n:60\r\n:0\r\n-OOM no memory\r\n$2\r\nok\r\n*1\r\n:0\r\n"
    ends = Wire()
    link = Link(ends)
    link.open("return 1")
    replies: list[object] = []
    try:
        places = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
        for begin, end in pairwise(places):
            ends.far.sendall(data[begin:end])
            replies += link.receive()
    finally:
        link.close()
        ends.far.close()
    assert replies[0] == [1, 3, 2, 60, 0]
    assert isinstance(replies[1], hiredis.ReplyError)
    assert replies[2:] == [b"ok", [0]]


def test_silence_is_no_reply(wire: tuple[Link, socket.socket]) -> None:
    """Reading where nothing is returns at once."""
    assert wire[0].receive() == []


def test_a_closed_connection_is_unavailable(wire: tuple[Link, socket.socket]) -> None:
    """End of stream is a fault, never an empty answer."""
    link, far = wire
    far.close()
    with pytest.raises(Unavailable, match="closed by the server"):
        link.receive()


def test_bytes_that_are_no_protocol_are_unavailable(wire: tuple[Link, socket.socket]) -> None:
    """A web server on the port is told from Redis."""
    link, far = wire
    far.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(Unavailable, match="RESP"):
        link.receive()


def test_what_the_socket_does_not_take_waits(wire: tuple[Link, socket.socket]) -> None:
    """Nothing blocks: the rest is sent as the far end reads, in order and complete."""
    link, far = wire
    far.settimeout(5)
    link.send(b"x" * 5_000_000 + b"\r\n")
    assert link.unsent
    got = bytearray()
    while link.unsent or not got.endswith(b"x\r\n"):
        got += far.recv(1_000_000)
        link.flush()
    assert len(got) == 5_000_002


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("OOM command not allowed when used memory > 'maxmemory'.", "OOM"),
        ("READONLY You can't write against a read only replica. script: 1f, on @user_script:80.", "READONLY"),
        ("ERR Error running script (call to f_1): @user_script:3: -READONLY You can't write", "READONLY"),
        ("ERR Error running script (call to f_1): @user_script:3: @user_script: 3: -OOM command", "OOM"),
        ("ERR unknown command 'HELLO', with args beginning with: 'AUTH' 'default' 'canary'", "ERR"),
        ("NOSCRIPT No matching script. Please use EVAL.", "NOSCRIPT"),
        ("BUSY Redis is busy running a script.", "BUSY"),
        ("MOVED 3999 127.0.0.1:6381", "MOVED"),
        ("canary in lower case", "ERR"),
        ("", "ERR"),
    ],
)
def test_errors_are_told_apart_by_their_code(message: str, code: str) -> None:
    """R7: the code alone is kept; what Redis before 7 wraps is found inside."""
    assert error_code(message) == code
