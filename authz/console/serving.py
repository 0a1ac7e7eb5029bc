"""The admin port's server: one thread with an asyncio loop of its own, so that no page can hold up a decision.

Connections are bounded, and where there are too many the oldest goes, of those first that wait for no answer. Were the
new one refused instead, who opens some and says nothing would keep out the probes, and Kubernetes ends who is silent.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from authz.listening import tcp_refused

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from uvicorn.protocols.http.h11_impl import RequestResponseCycle

BACKLOG = 64

MOST_CONNECTIONS = 64


class _Connection(H11Protocol):
    """A connection that makes room for itself."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin, in place of another where there are too many."""
        super().connection_made(transport)
        self.begun = self.loop.time()
        others = [each for each in self.connections if isinstance(each, _Connection) and each is not self]
        if len(others) >= MOST_CONNECTIONS:
            others.sort(key=lambda each: (each.waits, each.begun))
            for each in others[: len(others) - MOST_CONNECTIONS + 1]:
                each.transport.abort()

    @property
    def waits(self) -> bool:
        """Whether a request is there that is not answered."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete


class AdminServer:
    """Serves an application on one TCP address from `start` to `stop`. `host` may be a name or an IP; port 0 is any."""

    def __init__(self, host: str, port: int, application: Starlette) -> None:
        self._address = (host, port)
        self._server = uvicorn.Server(
            uvicorn.Config(
                application,
                loop="asyncio",
                http=_Connection,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                limit_concurrency=2 * MOST_CONNECTIONS,  # requests: those that go are still there for a moment
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(target=self._run, name="admin", daemon=True)
        self.port = 0

    def start(self) -> None:
        """Listen and serve; raises `Unavailable` where the address can't be had."""
        self._socket = _listen(*self._address)
        self.port = int(self._socket.getsockname()[1])
        self._thread.start()

    def stop(self) -> None:
        """Finish the answers under way and close the port."""
        self._server.should_exit = True
        self._thread.join(5)
        self._socket.close()

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if _is_ipv6(host) else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise tcp_refused(f"{host}:{port} for the admin port", port, error) from error
    return listener


def _is_ipv6(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).version == 6
    except ValueError:
        return False
