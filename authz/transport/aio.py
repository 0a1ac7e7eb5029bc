"""The same server on `grpc.aio`, grpcio's public interface: the one to fall back to, five times slower.

A thread with an event loop of its own. Methods are served as streams of requests, of which one is read: the unary
form never tells of a client that closes its half without a message, and would leave it without an answer. Bytes in,
bytes out: there is nothing that could fail to deserialize before we see it.

A call whose message does not come is refused in words. An answer that is not taken stays until its connection ends:
`grpc.aio` has no way to cancel a call.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import grpc

from authz.errors import Unavailable
from authz.model import Reason
from authz.transport.address import TcpAddress
from authz.transport.room import Room
from authz.transport.service import Rejection, check, refuse

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence

    from authz.transport.address import Address
    from authz.transport.options import Setup
    from authz.transport.service import Method

_first = threading.Lock()  # held for one comparison: which answer of a call is the first
LAST = 5.0
"""Seconds that gRPC may take to end once every call is cancelled."""

DOUBT = 0.02
"""Seconds in which a reset shows itself as one."""

TURN = 0.1
"""Seconds in which a message that came with its headers is looked at, on a busy loop too (`room`)."""

MESSAGE_WITHIN = 5.0
"""Seconds that a call's message may take; Envoy sends it with the headers, and waits for 200 ms by default."""

T = TypeVar("T")

_log = logging.getLogger(__name__)

_STATUS = {status.value[0]: status for status in grpc.StatusCode}


class _Call:
    """One call. `response` is None until it is answered."""

    __slots__ = ("_context", "_last_resort", "_loop", "_waiting", "cancelled", "response")

    def __init__(self, context: grpc.aio.ServicerContext, last_resort: bytes) -> None:
        self._context = context
        self._last_resort = last_resort
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.Future[None] | None = None
        self.response: bytes | Rejection | None = None
        self.cancelled = False

    @property
    def deadline(self) -> float | None:
        remaining: float | None = self._context.time_remaining()
        return None if remaining is None else time.monotonic() + remaining

    @property
    def metadata(self) -> Sequence[tuple[str, str | bytes]]:
        metadata: Sequence[tuple[str, str | bytes]] = self._context.invocation_metadata() or ()
        return metadata

    def answer(self, response: bytes | Rejection) -> None:
        with _first:
            if self.response is not None:
                return
            self.response = response or self._last_resort
            waiting = self._waiting
        if waiting is not None:
            self._wake(waiting)

    reject = answer

    def _wake(self, waiting: asyncio.Future[None]) -> None:
        with suppress(RuntimeError):  # the server has stopped and closed its loop: nobody waits any more
            self._loop.call_soon_threadsafe(_resolve, waiting)

    async def answered(self) -> bytes | Rejection:
        """Wait for the answer; a cancel ends the wait and is seen in `cancelled`."""
        with _first:
            if self.response is None:
                self._waiting = self._loop.create_future()
        if self._waiting is not None:
            try:
                await self._waiting
            except asyncio.CancelledError:
                self.cancelled = True
                raise
        assert self.response is not None  # noqa: S101 - set before the future is resolved; says so to the type checker
        return self.response


def _resolve(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


async def _message(context: grpc.aio.ServicerContext) -> bytes | None:
    """Read the call's message, `None` where the client closed its half without one or keeps it.

    Of a call that was reset the end may come before the cancel: it is left a moment to arrive.
    """
    try:
        async with asyncio.timeout(MESSAGE_WITHIN):
            message = await context.read()
    except TimeoutError:
        return None
    if message is grpc.aio.EOF:
        await asyncio.sleep(DOUBT)
        return None
    whole: bytes = message
    return whole


class _Handlers:
    """The routing table as grpc.aio asks for it; a method that is not there is UNIMPLEMENTED."""

    def __init__(self, handlers: Mapping[str, grpc.RpcMethodHandler]) -> None:
        self._handlers = handlers

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        return self._handlers.get(details.method)


class AioServer:
    """Serves methods at addresses, from `start` to `stop`; `addresses` are the real ones once it has started."""

    def __init__(self, setup: Setup) -> None:
        self.addresses = setup.listen
        self._setup = setup
        self._room = Room(setup.max_in_flight)  # the loop's thread alone writes it
        self._turning = False
        self._lifecycle = threading.Lock()
        self._cancelled: int | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def in_flight(self) -> int:
        """How many calls are not answered yet, of those whose message is there or due."""
        return self._room.taken

    def start(self) -> None:
        """Bind every address and serve. Raises Unavailable."""
        credentials = self._setup.prepare()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="authz-aio", daemon=True)
        self._thread.start()
        try:
            self._run(self._loop, self._start(credentials))
        except BaseException:
            self.stop(0)
            raise

    def stop(self, grace: float) -> int:
        """Take no more calls, finish those in flight, cancel the rest after `grace` seconds; return how many.

        A second stop, from whichever thread, waits for the first and returns the same.
        """
        with self._lifecycle:
            if self._cancelled is None:
                self._cancelled = 0 if self._loop is None else self._end(self._loop, grace)
            return self._cancelled

    def _end(self, loop: asyncio.AbstractEventLoop, grace: float) -> int:
        cancelled = self._run(loop, self._stop(grace))
        loop.call_soon_threadsafe(loop.stop)
        self._thread.join()
        loop.close()
        return cancelled

    def _run(self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result()

    async def _start(self, credentials: grpc.ServerCredentials | None) -> None:
        self._server = grpc.aio.server(options=self._setup.options())
        handlers = {
            method.path: grpc.stream_unary_rpc_method_handler(partial(self._serve, method))
            for method in self._setup.methods
        }
        self._server.add_generic_rpc_handlers((_Handlers(handlers),))
        try:
            self.addresses = tuple(self._bind(address, credentials) for address in self._setup.listen)
        finally:  # gRPC aborts if a server that has bound and never started is destroyed
            await self._server.start()

    def _bind(self, address: Address, credentials: grpc.ServerCredentials | None) -> Address:
        try:
            if credentials is not None and isinstance(address, TcpAddress):
                port = self._server.add_secure_port(address.target, credentials)
            else:
                port = self._server.add_insecure_port(address.target)
        except RuntimeError as error:
            raise Unavailable(f"can't listen on {address}, which was free: gRPC's log says why") from error
        return address.bound(port)

    async def _serve(self, method: Method, _messages: object, context: grpc.aio.ServicerContext) -> bytes:
        call = _Call(context, method.last_resort)
        try:
            await self._decide(method, context, call)
            response = await call.answered()
        finally:
            self._room.taken -= 1
        if isinstance(response, bytes):
            return response
        aborted: bytes = await context.abort(_STATUS[response.code], response.details)  # raises
        return aborted

    async def _decide(self, method: Method, context: grpc.aio.ServicerContext, call: _Call) -> None:
        """Hand the call's message over, or refuse it where there is no room; it counts as in flight afterwards."""
        room, turn = self._room, self._room.turn
        if not self._turning:
            self._turning = True
            asyncio.get_running_loop().call_later(TURN, self._end_turn)
        room.arrived()
        message, full = None, self._full(method)
        try:
            if not full:
                message = await _message(context)
        finally:
            kept = room.heard(turn)
        if full or (not kept and self._full(method)):
            refuse(method, Reason.OVERLOADED, call)
        else:
            check(method, message, call)

    def _full(self, method: Method) -> bool:
        return method.bounded and self._room.taken > self._room.size

    def _end_turn(self) -> None:
        self._turning = False
        self._room.end_turn()

    async def _stop(self, grace: float) -> int:
        finished = asyncio.ensure_future(self._server.stop(grace + LAST))
        await asyncio.wait((finished,), timeout=grace)
        cancelled = 0 if finished.done() else self.in_flight
        ended = asyncio.ensure_future(self._server.stop(None))  # a smaller grace than the first: ends it now
        if (await asyncio.wait((finished, ended), timeout=LAST))[1]:
            _log.error("a client keeps gRPC: the server is left as it is")
        return cancelled
