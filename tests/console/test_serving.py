"""The admin port listens where it is told, and says so where it can't."""

from __future__ import annotations

import asyncio
import http.client
import socket
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from authz.console.serving import MOST_CONNECTIONS, AdminServer
from authz.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


async def endless() -> AsyncIterator[bytes]:
    """Begin to tell, and go on without anything to tell."""
    yield b": watching\n\n"
    await asyncio.Event().wait()


APPLICATION = Starlette(
    routes=[
        Route("/livez", lambda _: PlainTextResponse("ok")),
        Route("/events", lambda _: StreamingResponse(endless())),
    ]
)


def test_it_serves_from_start_to_stop() -> None:
    """Port 0 becomes a real port, which answers until `stop` and not after."""
    server = AdminServer("127.0.0.1", 0, APPLICATION)
    server.start()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", "/livez")
    assert connection.getresponse().read() == b"ok"
    connection.close()
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=1)


def test_an_address_in_use_is_named() -> None:
    """The error says which address and why."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        server = AdminServer("127.0.0.1", port, APPLICATION)
        with pytest.raises(Unavailable, match=rf"can't listen on 127\.0\.0\.1:{port} .*in use"):
            server.start()


@pytest.fixture
def server() -> Iterator[AdminServer]:
    """Serve a page, and events that do not end."""
    own = AdminServer("127.0.0.1", 0, APPLICATION)
    own.start()
    yield own
    own.stop()


def ask(server: AdminServer) -> bytes:
    """Ask whether it lives, on a connection of its own."""
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as connection:
        connection.request("GET", "/livez")
        return connection.getresponse().read()


@pytest.mark.parametrize(
    "said", [b"", b"GET /livez HTTP/1.1\r\nhost: a\r\n", b"GET /events HTTP/1.1\r\nhost: a\r\n\r\n"]
)
def test_connections_that_stay_open_do_not_keep_out_a_probe(server: AdminServer, said: bytes) -> None:
    """G8, G14: more of them than there may be, silent, with half a request or watching: the newest is answered."""
    with ExitStack() as opened:
        for _ in range(2 * MOST_CONNECTIONS):
            connection = opened.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=10))
            connection.sendall(said)
        for _ in range(3):
            assert ask(server) == b"ok"


def test_who_waits_for_an_answer_stays_where_others_can_go(server: AdminServer) -> None:
    """A watcher outlives connections that ask nothing, though it was there before them."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as watcher, ExitStack() as opened:
        watcher.sendall(b"GET /events HTTP/1.1\r\nhost: a\r\n\r\n")
        told = b""
        while not told.endswith(b": watching\n\n\r\n"):
            told += watcher.recv(4096)
        for _ in range(2 * MOST_CONNECTIONS):
            opened.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=10))
        assert ask(server) == b"ok"
        watcher.setblocking(False)
        with pytest.raises(BlockingIOError):
            watcher.recv(1)
