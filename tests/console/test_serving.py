"""The admin port listens where it is told, and says so where it can't."""

from __future__ import annotations

import http.client
import socket

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from authz.console.serving import AdminServer
from authz.errors import Unavailable

APPLICATION = Starlette(routes=[Route("/livez", lambda _: PlainTextResponse("ok"))])


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
