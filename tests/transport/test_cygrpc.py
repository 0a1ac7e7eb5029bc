"""The contract with `grpc._cython.cygrpc`: every call `transport/fast.py` and `calls.py` make, and what they rest on.

A failure here says that this grpcio is another one than the fast transport was written for: it falls back to `grpc.aio`
by itself (transport/opening.py) or must be adapted. The lowest grpcio that is claimed, beside the one installed:

    python -m pip install --no-deps --target build/grpcio-lowest grpcio==1.75.0
    PYTHONPATH=build/grpcio-lowest python -m pytest tests/transport
"""

from __future__ import annotations

import inspect
import threading
import time
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from grpc._cython import cygrpc

from authz.transport import calls, fast

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

METHOD = "/a.Service/Method"
PATIENCE = 10.0


class Bare:
    """A server of nothing but cygrpc, and a client of it."""

    def __init__(self, address: str) -> None:
        self.queue = cygrpc.CompletionQueue()
        self.server = cygrpc.Server((("grpc.so_reuseport", 0),), xds=False)
        self.server.register_completion_queue(self.queue)
        self.server.register_method(METHOD)
        self.port = self.server.add_http2_port(address.encode(), None)
        self.server.start()
        self.channel = grpc.insecure_channel(address)
        self.call = self.channel.unary_unary(METHOD)
        self.stopped = False

    def event(self, seconds: float = PATIENCE) -> Any:
        return self.queue.poll(time.time() + seconds)

    def taken(self, future_of: Any, *arguments: Any, **options: Any) -> tuple[Any, Any]:
        """Begin a call and return its future and its event."""
        self.server.request_registered_call(self.queue, self.queue, METHOD, "call")
        future = future_of(*arguments, **options)
        return future, self.event()

    def receive(self, call: Any) -> Any:
        assert call.start_server_batch((cygrpc.ReceiveMessageOperation(0),), "message") == 0
        return self.event()


def answer(message: bytes = b"answer", *, watched: bool = False) -> tuple[Any, ...]:
    """Return new operations that answer a call."""
    operations = (
        cygrpc.SendInitialMetadataOperation((), 0),
        cygrpc.SendMessageOperation(message, 0),
        cygrpc.SendStatusFromServerOperation((), cygrpc.StatusCode.ok, b"", 0),
    )
    return operations if watched else (*operations, cygrpc.ReceiveCloseOnServerOperation(0))


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Bare]:
    """Return the bare server, and end it the way `fast` does."""
    bare = Bare(f"unix:{tmp_path}/bare")
    yield bare
    bare.channel.close()
    bare.server.shutdown(bare.queue, "stopped")
    bare.server.cancel_all_calls()
    while not bare.stopped:
        bare.stopped = bare.event().tag == "stopped"
    bare.queue.shutdown()
    while bare.queue.poll().completion_type != cygrpc.CompletionType.queue_shutdown:
        pass
    bare.server.destroy()


def test_every_name_of_cygrpc_that_fast_uses_is_exercised_here() -> None:
    """What `fast` and `calls` import is what this file uses: a new name needs a new fact."""
    names = {**vars(fast), **vars(calls)}
    used = {name for name, value in names.items() if getattr(cygrpc, name, None) is value and name[0].isupper()}
    here = inspect.getsource(inspect.getmodule(Bare))
    assert {"CompletionQueue", "SendMessageOperation"} <= used
    assert {name for name in used if f"cygrpc.{name}" not in here} == set()
    assert fast.NativeServer is cygrpc.Server


def test_poll_with_a_time_in_the_past_does_not_wait(bare: Bare) -> None:
    """`poll(0)` says at once that there is nothing: an event without a tag."""
    before = time.monotonic()
    event = bare.queue.poll(0)
    assert time.monotonic() - before < PATIENCE / 2
    assert event.tag is None
    assert event.completion_type == cygrpc.CompletionType.queue_timeout


def test_a_call_arrives_with_deadline_and_metadata(bare: Bare) -> None:
    """The event of a new call carries our tag, the call, its deadline since the epoch, and its metadata."""
    _, event = bare.taken(bare.call.future, b"x", timeout=5, metadata=(("a", "b"), ("c-bin", b"\xff")))
    assert event.success
    assert event.tag == "call"
    assert time.time() + 4 < event.call_details.deadline < time.time() + 6
    assert {("a", "b"), ("c-bin", b"\xff")} <= {tuple(pair) for pair in event.invocation_metadata}


def test_no_deadline_is_far_in_the_future(bare: Bare) -> None:
    """A call without a deadline has one that no clock reaches."""
    _, event = bare.taken(bare.call.future, b"x")
    assert event.call_details.deadline > calls._NO_DEADLINE


def test_a_call_is_received_and_answered_in_two_batches(bare: Bare) -> None:
    """A message is received, and an answer with its status sent in one batch whose tag arrives when it is done."""
    future, event = bare.taken(bare.call.future, b"question", timeout=PATIENCE)
    received = bare.receive(event.call)
    assert received.tag == "message"
    assert received.batch_operations[0].message() == b"question"
    assert event.call.start_server_batch(answer(), "sent") == 0
    assert future.result() == b"answer"
    sent = bare.event()
    assert sent.tag == "sent"
    assert sent.success
    assert sent.batch_operations[-1].cancelled() is False


def test_an_unregistered_method_is_requested_apart(bare: Bare) -> None:
    """`request_call` brings what no registered method takes; a status alone ends it."""
    bare.server.request_call(bare.queue, bare.queue, "stray")
    future = bare.channel.unary_unary("/other/Method").future(b"x", timeout=PATIENCE)
    event = bare.event()
    assert event.tag == "stray"
    status = cygrpc.SendStatusFromServerOperation((), 12, b"no such method", 0)
    operations = (cygrpc.SendInitialMetadataOperation((), 0), status, cygrpc.ReceiveCloseOnServerOperation(0))
    assert event.call.start_server_batch(operations, "sent") == 0
    assert future.code() is grpc.StatusCode.UNIMPLEMENTED
    assert future.details() == "no such method"


def test_a_watched_call_tells_of_its_cancel(bare: Bare) -> None:
    """Watching is a batch of its own, done at the cancel; answering then still brings its tag."""
    future, event = bare.taken(bare.call.future, b"x", timeout=PATIENCE)
    bare.receive(event.call)
    assert event.call.start_server_batch((cygrpc.ReceiveCloseOnServerOperation(0),), "closed") == 0
    future.cancel()
    closed = bare.event()
    assert closed.tag == "closed"
    assert closed.batch_operations[0].cancelled() is True
    assert event.call.start_server_batch(answer(watched=True), "sent") == 0
    assert bare.event().tag == "sent"


def test_watching_twice_is_refused(bare: Bare) -> None:
    """A second operation of a kind is an error number, not an exception and not a crash."""
    future, event = bare.taken(bare.call.future, b"x", timeout=PATIENCE)
    bare.receive(event.call)
    assert event.call.start_server_batch((cygrpc.ReceiveCloseOnServerOperation(0),), "closed") == 0
    assert event.call.start_server_batch((cygrpc.ReceiveCloseOnServerOperation(0),), "again") != 0
    future.cancel()


def test_an_answer_that_is_not_taken_can_be_cancelled(bare: Bare) -> None:
    """`cancel` ends a call whose answer is in flight: the batch is done, and nothing of the call is left."""
    bare.server.request_registered_call(bare.queue, bare.queue, METHOD, "call")
    future = bare.call.future(b"x", timeout=PATIENCE)
    event = bare.event()
    bare.receive(event.call)
    event.call.start_server_batch((cygrpc.ReceiveCloseOnServerOperation(0),), "closed")
    event.call.cancel()
    closed = bare.event()
    assert closed.tag == "closed"
    assert event.call.start_server_batch(answer(watched=True), "sent") == 0
    assert bare.event().tag == "sent"
    event.call.cancel()
    assert future.exception() is not None


def test_no_message_is_none(bare: Bare) -> None:
    """A client that closes its half without a message brings None; it can be answered."""
    future, event = bare.taken(bare.channel.stream_unary(METHOD).future, iter(()), timeout=PATIENCE)
    assert bare.receive(event.call).batch_operations[0].message() is None
    event.call.start_server_batch(answer(), "sent")
    assert future.result() == b"answer"


def test_a_reset_call_tells_so_to_who_watches_it(bare: Bare) -> None:
    """No message, and only then a watch: a call that had been reset is known for one."""
    never = threading.Event()

    def messages() -> Iterator[bytes]:
        never.wait(PATIENCE)
        yield b"x"

    for _ in range(50):
        future, event = bare.taken(bare.channel.stream_unary(METHOD).future, messages(), timeout=PATIENCE)
        assert event.call.start_server_batch((cygrpc.ReceiveMessageOperation(0),), "message") == 0
        future.cancel()
        assert bare.event().batch_operations[0].message() is None
        event.call.start_server_batch((cygrpc.ReceiveCloseOnServerOperation(0),), "closed")
        closed = bare.event()
        assert closed.tag == "closed"
        assert closed.batch_operations[0].cancelled() is True
    never.set()


def test_a_place_that_cannot_be_bound_is_port_zero(bare: Bare, tmp_path: Path) -> None:
    """Binding says 1 for a socket, 0 for a failure."""
    assert bare.port == 1
    server = cygrpc.Server((), xds=False)
    assert server.add_http2_port(f"unix:{tmp_path}/nowhere/s".encode(), None) == 0
    server.destroy()


def test_credentials_are_taken_out_of_the_public_object(certificates: Any) -> None:
    """`grpc.ssl_server_credentials` holds what `add_http2_port` takes."""
    pair = (certificates.server_key.read_bytes(), certificates.server.read_bytes())
    assert isinstance(grpc.ssl_server_credentials((pair,))._credentials, cygrpc.ServerCredentials)


def test_shutdown_gives_requests_back_and_tells_its_end(bare: Bare) -> None:
    """A stopping server gives back what was requested, takes no more requests, and says when it is done."""
    future, event = bare.taken(bare.call.future, b"x", timeout=PATIENCE)
    bare.receive(event.call)
    bare.server.request_registered_call(bare.queue, bare.queue, METHOD, "unused")
    bare.server.shutdown(bare.queue, "stopped")
    returned = bare.event()
    assert returned.tag == "unused"
    assert not returned.success
    for request, arguments in [(bare.server.request_call, ()), (bare.server.request_registered_call, (METHOD,))]:
        with pytest.raises(ValueError, match="shutting down"):
            request(bare.queue, bare.queue, *arguments, "late")
    assert event.call.start_server_batch(answer(), "sent") == 0
    assert future.result() == b"answer"
    bare.channel.close()
    assert {bare.event().tag, bare.event().tag} == {"sent", "stopped"}
    bare.stopped = True
