"""The application behind the demo's Envoy: it answers every request with what reached it."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Seen(NamedTuple):
    """One request as it came; header names as they were written, a name once per value."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.saw(Seen(self.command, self.path, tuple(self.headers.items())))
        seen = {"method": self.command, "path": self.path, "headers": dict(self.headers.items())}
        body = json.dumps(seen, indent=2).encode() + b"\n"
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Answer every method alike: `http.server` looks for `do_GET` and its like."""
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
        """Say nothing: the demo's terminal shows decisions."""


class _Server(ThreadingHTTPServer):
    saw: Callable[[Seen], object]


class Upstream:
    """An HTTP server on a free loopback port, in a thread of its own, from `start` to `stop`.

    `saw` is called with every request, from any thread.
    """

    def __init__(self, saw: Callable[[Seen], object] = lambda _: None) -> None:
        self._server = _Server(("127.0.0.1", 0), _Echo)
        self._server.saw = saw
        self._thread = threading.Thread(target=self._server.serve_forever, name="upstream", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
