"""A gRPC server on grpcio's own completion queue: one thread decides, one sends. The only module that meets `cygrpc`.

`grpc._cython.cygrpc` is not a public API: `tests/transport/test_cygrpc.py` exercises every call used here, and
`opening` proves the whole at start. What this module rests on, true of grpcio 1.75.0 to 1.85.1:

* An event carries the tag of what is done. Tags here are objects with `arrived(event)`.
* A batch is done when its last operation is: receiving, watching for a cancel and answering are three batches.
* Operations hold C memory until their batch is done, so every batch gets new ones: an operation shared by two batches
  in flight is freed twice, and the process ends. So it does when a batch is started on a queue that is shut down.
* No message means that the client closed its half or reset the call, and nothing in the event says which.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from grpc._cython.cygrpc import (
    CompletionQueue,
    CompletionType,
    ReceiveCloseOnServerOperation,
    ReceiveMessageOperation,
    SendInitialMetadataOperation,
    SendMessageOperation,
    SendStatusFromServerOperation,
    StatusCode,
)
from grpc._cython.cygrpc import Server as NativeServer

from authz.errors import Unavailable
from authz.model import Reason
from authz.threads import give_way
from authz.transport.address import TcpAddress
from authz.transport.rounds import Rounds, Writer
from authz.transport.service import Method, Rejection, check, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
_first = threading.Lock()  # held for a comparison: which answer of a call is the first, and whether it came late
_NO_METADATA = ()
_NO_DEADLINE = 1e15  # seconds since the epoch; gRPC's infinite deadline is later, any real one is earlier

Event = Any  # cygrpc has no types


class _Call:
    """One call, and the tag of its message."""

    __slots__ = ("_event", "_method", "_native", "_response", "_rounds", "_waits", "_watched", "cancelled")

    def __init__(self, event: Event, method: Method, rounds: Rounds) -> None:
        self._event = event
        self._native = event.call
        self._method = method
        self._rounds = rounds
        self._response: bytes | Rejection | None = None
        self._waits = False
        self._watched = False
        self.cancelled = False

    @property
    def deadline(self) -> float | None:
        deadline: float = self._event.call_details.deadline
        return None if deadline > _NO_DEADLINE else deadline - time.time() + time.monotonic()

    @property
    def metadata(self) -> Sequence[tuple[str, str | bytes]]:
        metadata: Sequence[tuple[str, str | bytes]] = self._event.invocation_metadata
        return metadata

    def answer(self, response: bytes | Rejection) -> None:
        with _first:
            if self._response is not None:
                return
            self._response = response or self._method.last_resort
            waited = self._waits
        if waited:
            self._rounds.writer.leave(self)

    def reject(self, rejection: Rejection) -> None:
        self.answer(rejection)

    def waits(self) -> bool:
        if self._response is not None:
            return False
        with _first:
            if self._response is None:
                self._waits = True
            return self._response is None

    def receive(self) -> None:
        self._native.start_server_batch((ReceiveMessageOperation(0),), self)

    def arrived(self, event: Event) -> None:
        message = event.batch_operations[0].message()
        if message is None:
            self.watch()
            self._native.start_server_batch((), _Doubt(self, self._rounds))
        else:
            self.check(message)

    def check(self, message: bytes | None) -> None:
        check(self._method, message, self)
        self._rounds.settle(self)

    def watch(self) -> None:
        """Learn of a cancel while the answer is awaited; otherwise sending does, in its own batch."""
        with _first:
            if self._watched or self._response is not None:
                return
            self._watched = True
        self._native.start_server_batch((ReceiveCloseOnServerOperation(0),), _Closed(self))

    def send(self) -> None:
        response = self._response
        if isinstance(response, Rejection):
            status = SendStatusFromServerOperation(_NO_METADATA, response.code, response.details.encode(), 0)
            operations: tuple[Any, ...] = (SendInitialMetadataOperation(_NO_METADATA, 0), status)
        else:
            operations = (
                SendInitialMetadataOperation(_NO_METADATA, 0),
                SendMessageOperation(response, 0),
                SendStatusFromServerOperation(_NO_METADATA, StatusCode.ok, b"", 0),
            )
        if not self._watched:
            operations = (*operations, ReceiveCloseOnServerOperation(0))
        self._native.start_server_batch(operations, self._rounds)


class _Closed:
    """The tag of watching one call."""

    __slots__ = ("_call",)

    def __init__(self, call: _Call) -> None:
        self._call = call

    def arrived(self, event: Event) -> None:
        self._call.cancelled = event.batch_operations[0].cancelled()


class _Doubt:
    """The tag of an empty batch behind the watch of a call without a message.

    It is done at once, and events arrive in order: of a call that had been reset, `cancelled` is known by then.
    """

    __slots__ = ("_call", "_rounds")

    def __init__(self, call: _Call, rounds: Rounds) -> None:
        self._call = call
        self._rounds = rounds

    def arrived(self, _event: Event) -> None:
        if self._call.cancelled:
            self._rounds.drop()
        else:
            self._call.check(None)


class _Arrival:
    """The tag of a new call of one method. `request` asks gRPC for one more, and is given the tag."""

    __slots__ = ("_method", "_request", "_rounds")

    def __init__(self, request: Callable[[_Arrival], object], method: Method, rounds: Rounds) -> None:
        self._request = request
        self._method = method
        self._rounds = rounds

    def request(self) -> None:
        try:
            self._request(self)
        except ValueError:  # gRPC stops: there are no more calls to ask for
            return

    def arrived(self, event: Event) -> None:
        if not event.success:  # given back by gRPC at the stop
            return
        self.request()
        method, rounds = self._method, self._rounds
        call = _Call(event, method, rounds)
        if rounds.take() or not method.bounded:
            call.receive()
        else:
            refuse(method, Reason.OVERLOADED, call)
            rounds.settle(call)


class _Stopped:
    """The tag of gRPC having no more calls."""

    __slots__ = ("_rounds",)

    def __init__(self, rounds: Rounds) -> None:
        self._rounds = rounds

    def arrived(self, _event: Event) -> None:
        self._rounds.stopped = True


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
        arrivals = [_Arrival(partial(native.request_call, queue, queue), _STRAY, self._rounds)] * FEW
        for method in self._setup.methods:
            request = partial(native.request_registered_call, queue, queue, method.path)
            arrivals += [_Arrival(request, method, self._rounds)] * (ahead if method.bounded else FEW)
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
        self._native.shutdown(self._queue, _Stopped(self._rounds))
        if not self._finished.wait(grace):
            cancelled = self._rounds.live
            self._native.cancel_all_calls()
        self._polling.join(LAST)
        if self._polling.is_alive():
            _log.error("a check keeps the polling thread: its server is left as it is")
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
