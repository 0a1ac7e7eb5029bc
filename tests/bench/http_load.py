"""A load generator for HTTP/1.1: what a crowd of clients with kept connections does to an Envoy.

    python tests/bench/http_load.py 127.0.0.1:10000 --path /v1/orders/7 --connections 64 --seconds 5

Closed loop: one request in flight per connection, the next as soon as the answer is whole. Requests are encoded once
and sent in turn; of an answer only the status and the end of the body are looked for. Bodies need a Content-Length, as
Envoy's own answers have one; anything else is refused, not guessed at.
"""

from __future__ import annotations

import argparse
import select
import sys
import time
from array import array
from collections import Counter
from contextlib import ExitStack, closing
from itertools import count
from typing import TYPE_CHECKING

import msgspec
from http2 import ConnectionLostError, connect
from load import Timing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PATIENCE = 5.0  # seconds without any answer after which the run has failed


class HttpMeasurement(Timing, frozen=True, kw_only=True):
    """What a run of HTTP requests saw: how many answers had which status."""

    statuses: Mapping[int, int]


class Client:
    """One kept connection with at most one request in flight."""

    def __init__(self, target: str) -> None:
        self._socket = connect(target)
        self._received = b""
        self._sent = 0.0

    def fileno(self) -> int:
        """Return the socket's descriptor, for `epoll`."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close the connection as it is."""
        self._socket.close()

    def send(self, request: bytes, now: float) -> None:
        """Send one request, in one piece: it is far smaller than a socket's buffer."""
        self._sent = now
        try:
            whole = self._socket.send(request) == len(request)
        except OSError as error:
            raise ConnectionLostError(f"connection lost: {error}") from error
        if not whole:
            raise ConnectionLostError("the socket takes no whole request")

    def receive(self, now: float) -> tuple[int, float] | None:
        """Read what has come; return status and latency once the answer is whole."""
        fresh = self._socket.recv(65536)
        if not fresh:
            raise ConnectionLostError(f"closed by the server after {self._received[:40]!r}")
        self._received += fresh
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator or len(body) < content_length(head):
            return None
        self._received = b""
        return int(head[9:12]), now - self._sent


def content_length(head: bytes) -> int:
    """Return the length of the body behind this head; an answer without one has none (204, 304)."""
    lower = head.lower()
    if b"\r\ntransfer-encoding:" in lower:
        raise ConnectionLostError("chunked bodies are not read here")
    _, _, behind = lower.partition(b"\r\ncontent-length:")
    return int(behind.split(b"\r\n", 1)[0]) if behind else 0


def encode(method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """Return one HTTP/1.1 request as bytes; a Content-Length is added for a body."""
    fields = dict(headers) | ({"content-length": str(len(body))} if body else {})
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def run(target: str, requests: Sequence[bytes], *, seconds: float, connections: int = 64) -> HttpMeasurement:
    """Send `requests` in turn to `target` (`host:port`) for `seconds`. Raises ConnectionLostError."""
    latencies = array("d")
    statuses: Counter[int] = Counter()
    turn = count()
    with ExitStack() as stack:
        poller = stack.enter_context(closing(select.epoll()))
        clients = {}
        begun = now = time.perf_counter()
        for _ in range(connections):
            client = stack.enter_context(closing(Client(target)))
            clients[client.fileno()] = client
            poller.register(client, select.EPOLLIN)
            client.send(requests[next(turn) % len(requests)], begun)
        waiting = len(clients)
        while waiting:
            events = poller.poll(PATIENCE)
            if not events:
                raise ConnectionLostError(f"no answer within {PATIENCE:g} s")
            now = time.perf_counter()
            for descriptor, _ in events:
                client = clients[descriptor]
                answer = client.receive(now)
                if answer is None:
                    continue
                statuses[answer[0]] += 1
                latencies.append(answer[1])
                if now < begun + seconds:
                    client.send(requests[next(turn) % len(requests)], now)
                else:
                    waiting -= 1
    return HttpMeasurement.of(latencies, now - begun, statuses=dict(statuses))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one load of GET requests from the command line and print the measurement as JSON."""
    parser = argparse.ArgumentParser(description="Load an HTTP/1.1 server over kept connections.")
    parser.add_argument("target", help="host:port")
    parser.add_argument("--path", action="append", help="path to GET; repeatable")
    parser.add_argument("--host", default="load", help="the Host header")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--connections", type=int, default=64)
    options = parser.parse_args(arguments)
    requests = [encode("GET", path, {"host": options.host}) for path in options.path or ["/"]]
    try:
        measured = run(options.target, requests, seconds=options.seconds, connections=options.connections)
    except (ConnectionLostError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(msgspec.json.format(msgspec.json.encode(measured)).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
