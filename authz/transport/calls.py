"""Calls on grpcio's completion queue: what arrives of each, its one answer, and what is sent of it.

With `fast`, which runs the queue, the only module that meets `cygrpc`. What it rests on:

* An event carries the tag of what is done. Tags here are objects with `arrived(event)`.
* A batch is done when its last operation is: receiving, watching for a cancel and answering are three batches.
* Operations hold C memory until their batch is done, so every batch gets new ones: an operation shared by two batches
  in flight is freed twice, and the process ends.
* No message means that the client closed its half or reset the call, and nothing in the event says which. A reset is
  told to who watches for it, sooner or later.
* gRPC keeps a call whose message never comes, and an answer that is never taken, for as long as the connection lives.
  The one is refused in words, the other is cancelled: nobody reads them.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from grpc._cython.cygrpc import (
    ReceiveCloseOnServerOperation,
    ReceiveMessageOperation,
    SendInitialMetadataOperation,
    SendMessageOperation,
    SendStatusFromServerOperation,
    StatusCode,
)

from authz.model import Reason
from authz.transport.service import Rejection, check, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from authz.transport.rounds import Rounds
    from authz.transport.service import Method

_first = threading.Lock()  # held for a comparison: which answer of a call is the first, and whether it came late
_NO_METADATA = ()
_NO_DEADLINE = 1e15  # seconds since the epoch; gRPC's infinite deadline is later, any real one is earlier

MESSAGE_SWEEPS = 5
"""Sweeps (seconds) that a call's message may take; Envoy sends it with the headers, and waits for 200 ms by default."""

ANSWER_SWEEPS = 20
"""Sweeps (seconds) that a client may leave an answer where it is; as long as it may leave a ping."""

Event = Any  # cygrpc has no types


class _Call:
    """One call, and the tag of its message and of its answer: `_events` says how many of the two have yet to arrive."""

    __slots__ = (
        "_age", "_event", "_events", "_heard", "_method", "_native", "_response", "_rounds", "_turn", "_waits",
        "_watched", "cancelled",
    )  # fmt: skip

    def __init__(self, event: Event, method: Method, rounds: Rounds) -> None:
        self._event = event
        self._native = event.call
        self._method = method
        self._rounds = rounds
        self._response: bytes | Rejection | None = None
        self._waits = False
        self._watched = False
        self._heard = False
        self._events = 1
        self._turn = rounds.room.turn
        self._age = 0  # in sweeps, until it is heard; then from when its answer is sent
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
        self._events = 2
        self._native.start_server_batch((ReceiveMessageOperation(0),), self)

    def arrived(self, event: Event) -> None:
        self._events -= 1
        if not self._heard:
            self._hear(event)
        elif not self._events:
            self._rounds.finish(self)

    def _hear(self, event: Event) -> None:
        self._heard = True
        room = self._rounds.hear(self._turn)
        message = event.batch_operations[0].message()
        if message is None:
            self.watch()
            self._rounds.doubt(self)
        elif room or not self._method.bounded:
            self.check(message)
        else:
            self._refuse()

    def check(self, message: bytes | None) -> None:
        check(self._method, message, self)
        self._rounds.settle(self)

    def settle_doubt(self) -> None:
        if self.cancelled:
            self._rounds.drop(self)
        else:
            self.check(None)

    def turn_away(self) -> None:
        """Refuse a call at its arrival."""
        self._heard = True
        self._rounds.hear(self._turn)
        self._refuse()

    def _refuse(self) -> None:
        refuse(self._method, Reason.OVERLOADED, self)
        self._rounds.settle(self)

    def grow_older(self) -> None:
        self._age += 1
        if not self._heard:
            if self._age > MESSAGE_SWEEPS:
                self._heard = True
                self._rounds.hear(self._turn)
                self.check(None)
        elif self._response is None:
            self._age = 0
        elif self._age > ANSWER_SWEEPS:
            self._native.cancel()

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
        self._event = None  # what came with the call need not wait for its answer to be taken
        self._native.start_server_batch(operations, self)


class _Closed:
    """The tag of watching one call."""

    __slots__ = ("_call",)

    def __init__(self, call: _Call) -> None:
        self._call = call

    def arrived(self, event: Event) -> None:
        self._call.cancelled = event.batch_operations[0].cancelled()


class Arrival:
    """The tag of a new call of one method; `request` asks gRPC for one more, and is given the tag."""

    __slots__ = ("_method", "_request", "_rounds")

    def __init__(self, request: Callable[[Arrival], object], method: Method, rounds: Rounds) -> None:
        self._request = request
        self._method = method
        self._rounds = rounds

    def request(self) -> None:
        """Ask for one call."""
        try:
            self._request(self)
        except ValueError:  # gRPC stops: there are no more calls to ask for
            return

    def arrived(self, event: Event) -> None:
        """Take the call, and ask for the next; refuse it where there is no room."""
        if not event.success:  # given back by gRPC at the stop
            return
        self.request()
        method, rounds = self._method, self._rounds
        call = _Call(event, method, rounds)
        if rounds.take(call) or not method.bounded:
            call.receive()
        else:
            call.turn_away()


class Stopped:
    """The tag of gRPC having no more calls."""

    __slots__ = ("_rounds",)

    def __init__(self, rounds: Rounds) -> None:
        self._rounds = rounds

    def arrived(self, _event: Event) -> None:
        """End the rounds."""
        self._rounds.stopped = True
