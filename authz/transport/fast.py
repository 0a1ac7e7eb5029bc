"""A gRPC server on grpcio's own completion queue, from its start to its end: one thread decides, one sends.

`grpc._cython.cygrpc` is not a public API, and is met here and in `calls` only: `tests/transport/test_cygrpc.py`
exercises every call of it, and `opening` proves the whole at start. What both rest on is true of grpcio 1.75.0 to
1.85.1. Here: a batch that is started on a queue that is shut down ends the process, and so does the end of a server
that has bound and never started.
"""

from __future__ import annotations

import logging
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from grpc._cython.cygrpc import CompletionQueue, CompletionType
from grpc._cython.cygrpc import Server as NativeServer

from authz.errors import Unavailable
from authz.threads import give_way
from authz.transport.address import TcpAddress
from authz.transport.calls import Arrival, Stopped
from authz.transport.rounds import Rounds, Writer
from authz.transport.service import Method, Rejection

if TYPE_CHECKING:
    import grpc

    from authz.transport.address import Address
    from authz.transport.options import Setup
    from authz.transport.service import GrpcCall

AHEAD = 4096
"""The most calls asked of gRPC in advance. One more than may be in flight are: what arrives beyond would wait inside
gRPC, where `max_in_flight` can't see it, and a burst would be answered too late instead of refused."""

FEW = 16
"""Calls asked for in advance of methods that are called now and then."""

SWITCH_INTERVAL = 0.001
"""Seconds a thread may keep the interpreter while another wants it. Python's own 5 ms would be the writer's delay."""

LAST = 5.0
"""Seconds that gRPC and our threads may take to end once every call is cancelled."""

UNIMPLEMENTED = Rejection(12, "no such method")

_log = logging.getLogger(__name__)


class FastServer:
    """Serves methods at addresses, from `start` to `stop`; `addresses` are the real ones once it has started."""

    def __init__(self, setup: Setup) -> None:
        self.addresses = setup.listen
        self._setup = setup
        self._native: Any = None
        self._queue = CompletionQueue()
        self._writer = Writer()
        self._rounds = Rounds(self._queue.poll, self._writer, setup.max_in_flight)
        self._lifecycle = threading.Lock()
        self._cancelled: int | None = None
        self._finished = threading.Event()

    @property
    def in_flight(self) -> int:
        """How many calls are not answered yet."""
        return self._rounds.in_flight

    def start(self) -> None:
        """Bind every address and serve. Raises Unavailable."""
        credentials = self._setup.prepare()
        self._native = NativeServer(self._setup.options(), xds=False)
        self._native.register_completion_queue(self._queue)
        for method in self._setup.methods:
            self._native.register_method(method.path)
        try:
            self.addresses = tuple(self._bind(address, credentials) for address in self._setup.listen)
        except BaseException:  # gRPC aborts if a server that has bound and never started is destroyed
            self._serve()
            self.stop(0)
            raise
        self._serve()

    def _bind(self, address: Address, credentials: grpc.ServerCredentials | None) -> Address:
        secure = credentials if isinstance(address, TcpAddress) else None
        # The inner credentials are what grpcio's own server takes out of the public object too.
        port = self._native.add_http2_port(address.target.encode(), secure and secure._credentials)  # noqa: SLF001
        if not port:
            raise Unavailable(f"can't listen on {address}, which was free: gRPC's log says why")
        return address.bound(port)

    def _serve(self) -> None:
        self._native.start()
        self._request_calls()
        sys.setswitchinterval(SWITCH_INTERVAL)
        self._writing = threading.Thread(target=self._write, name="authz-write", daemon=True)
        self._polling = threading.Thread(target=self._poll, name="authz-poll", daemon=True)
        self._writing.start()
        self._polling.start()

    def _request_calls(self) -> None:
        queue, native = self._queue, self._native
        ahead = min(AHEAD, self._setup.max_in_flight + 1)
        arrivals = [Arrival(partial(native.request_call, queue, queue), _STRAY, self._rounds)] * FEW
        for method in self._setup.methods:
            request = partial(native.request_registered_call, queue, queue, method.path)
            arrivals += [Arrival(request, method, self._rounds)] * (ahead if method.bounded else FEW)
        for arrival in arrivals:
            arrival.request()

    def _write(self) -> None:
        give_way()
        self._writer.run()

    def _poll(self) -> None:
        """Run the polling thread. It ends the writer and the queue too: no batch may begin on a queue that is shut."""
        self._rounds.run()
        self._finished.set()
        self._writer.end()
        self._writing.join()
        self._queue.shutdown()
        while self._queue.poll().completion_type != CompletionType.queue_shutdown:
            pass

    def stop(self, grace: float) -> int:
        """Take no more calls, finish those in flight, cancel the rest after `grace` seconds; return how many.

        A second stop, from whichever thread, waits for the first and returns the same.
        """
        with self._lifecycle:
            if self._cancelled is None:
                self._cancelled = self._stop(grace)
            return self._cancelled

    def _stop(self, grace: float) -> int:
        if self._native is None:
            return 0
        cancelled = 0
        self._native.shutdown(self._queue, Stopped(self._rounds))
        if not self._finished.wait(grace):
            cancelled = len(self._rounds.live)
            self._native.cancel_all_calls()
        self._polling.join(LAST)
        if self._polling.is_alive():
            _log.error("a check keeps the polling thread, or a client gRPC: the server is left as it is")
        else:
            self._native.destroy()
        return cancelled


def _no_such_method(_given: object, call: GrpcCall) -> None:
    call.reject(UNIMPLEMENTED)


_STRAY = Method(
    path="",
    check=_no_such_method,
    refuse=_no_such_method,
    last_resort=b"",
    max_message_bytes=0,
    bounded=False,
)
