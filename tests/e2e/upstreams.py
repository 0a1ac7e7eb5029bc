"""What stands behind Envoy for requests that are more than one question and one answer: gRPC, WebSocket, a tunnel.

Each yields its port and notes what reached it. `Http2` is the caller's side of HTTP/2, over one connection.
"""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

import grpc
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded, StreamReset, TrailersReceived

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PATIENCE = 20.0


class Behind:
    """Something behind Envoy: its port, and what reached it, in order."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.seen: list[str] = []


class _Orders(grpc.GenericRpcHandler):
    """Every method of `shop.Orders`: `Watch` sends back each message as it comes, all others the one they get."""

    def __init__(self, behind: Behind) -> None:
        self._behind = behind

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        metadata = dict(handler_call_details.invocation_metadata)
        self._behind.seen.append(f"{handler_call_details.method} {metadata.get('x-decided-path')}")
        if handler_call_details.method.endswith("/Watch"):
            return grpc.stream_stream_rpc_method_handler(lambda messages, _: messages)
        return grpc.unary_unary_rpc_method_handler(lambda message, _: message)


@contextmanager
def grpc_server() -> Iterator[Behind]:
    """Run a gRPC server until the block ends."""
    server = grpc.server(ThreadPoolExecutor(4))
    behind = Behind(server.add_insecure_port("127.0.0.1:0"))
    server.add_generic_rpc_handlers((_Orders(behind),))
    server.start()
    yield behind
    server.stop(None).wait()


@contextmanager
def switching_server() -> Iterator[Behind]:
    """Run a server that switches protocols whenever it is asked to, and then sends back whatever comes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        behind = Behind(listener.getsockname()[1])
        threading.Thread(target=_serve, args=(listener, behind), daemon=True).start()
        yield behind


def _serve(listener: socket.socket, behind: Behind) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_switch, args=(connection, behind), daemon=True).start()


def _switch(connection: socket.socket, behind: Behind) -> None:
    with connection, connection.makefile("rb") as lines:
        head = [line.decode().strip() for line in iter(lines.readline, b"\r\n") if line]
        behind.seen.append("\n".join(head))
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n")
        while data := lines.read1():
            connection.sendall(data)


class Http2:
    """One HTTP/2 connection of a caller that knows beforehand that HTTP/2 is spoken, with one request at a time."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._connection = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self._connection.initiate_connection()
        self.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def flush(self) -> None:
        """Send what waits."""
        self._socket.sendall(self._connection.data_to_send())

    def open(self, fields: Sequence[tuple[str, str]], *, end: bool) -> int:
        """Begin a request with these fields, and return its stream."""
        stream = self._connection.get_next_available_stream_id()
        self._connection.send_headers(stream, fields, end_stream=end)
        self.flush()
        return stream

    def send(self, stream: int, data: bytes, *, end: bool = False) -> None:
        """Send a part of a request's body."""
        self._connection.send_data(stream, data, end_stream=end)
        self.flush()

    def receive(self, *, until: int = 0, whole: bool = True) -> tuple[dict[str, str], bytes]:
        """Return the fields, trailers among them, and the body: all, the first `until` bytes, or until fields came."""
        fields: dict[str, str] = {}
        body, done = b"", False
        while not done:
            for event in self._connection.receive_data(self._socket.recv(65536)):
                if isinstance(event, ResponseReceived | TrailersReceived):
                    fields.update(dict(event.headers))
                elif isinstance(event, DataReceived):
                    body += event.data
                    self._connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                done |= isinstance(event, StreamEnded | StreamReset)
            self.flush()
            done |= not whole and len(body) >= until and (until > 0 or ":status" in fields)
        return fields, body
