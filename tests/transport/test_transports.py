"""What both transports do, each test over both: bytes in and out, and everything that may go wrong with a call."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from authz.model import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from authz.transport import Server

PATIENCE = 10.0
THREADS = {"authz-poll", "authz-write", "authz-aio"}


def eventually(holds: Callable[[], object]) -> None:
    """Wait until `holds()`; fail after PATIENCE."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.002)


def test_bytes_come_back_as_the_service_answers_them(client: Any) -> None:
    """A message reaches the service as it is, and its answer the client."""
    assert client.check(b"\x00\xffhello", timeout=PATIENCE) == b"answer to \x00\xffhello"


def test_garbage_reaches_the_service(client: Any, desk: Any) -> None:
    """Bytes that are no message of any schema are the service's to refuse (G1): gRPC's layer parses nothing."""
    for message in (b"", b"\xff" * 100, b"\x0a\xff\xff\xff\xff\x0f"):
        assert client.check(message, timeout=PATIENCE) == b"answer to " + message
    assert desk.checked == 3


def test_many_calls_in_flight(client: Any) -> None:
    """Sixty-four calls at once, ten times over, each get their own answer."""
    for turn in range(10):
        futures = {i: client.check.future(b"%d %d" % (turn, i), timeout=PATIENCE) for i in range(64)}
        for i, future in futures.items():
            assert future.result() == b"answer to %d %d" % (turn, i)


def test_a_call_that_waits_is_answered_from_another_thread(client: Any, desk: Any) -> None:
    """An answer may come later and from any thread; those before it are not held up."""
    waiting = [client.check.future(b"wait %d" % i, timeout=PATIENCE) for i in range(20)]
    assert client.check(b"now", timeout=PATIENCE) == b"answer to now"
    calls = [desk.waiting.get(timeout=PATIENCE) for _ in waiting]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda call: call.answer(b"late"), calls))
    assert [future.result() for future in waiting] == [b"late"] * 20


def test_the_first_answer_counts(client: Any, desk: Any) -> None:
    """Of several answers to one call, from several threads, the first is sent and the rest are nothing."""
    for _ in range(50):
        future = client.check.future(b"wait", timeout=PATIENCE)
        call = desk.waiting.get(timeout=PATIENCE)
        call.answer(b"first")
        threads = [threading.Thread(target=call.answer, args=(b"later",)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert future.result() == b"first"


def test_an_answer_that_races_with_the_end_of_check_is_sent(serve: Any, connect: Any, desk: Any) -> None:
    """Whether another thread answers before `check` returns, while it does, or after: the client is answered."""
    answering = ThreadPoolExecutor(2)

    def check(_message: bytes, call: Any) -> None:
        answering.submit(call.answer, b"raced")
        for _ in range(int(call.deadline * 1e6) % 50):  # a moment that varies
            pass

    desk.check = check
    client = connect(serve())
    for _ in range(20):
        futures = [client.check.future(b"x", timeout=PATIENCE) for _ in range(50)]
        assert {future.result() for future in futures} == {b"raced"}
    answering.shutdown()


def test_deadline_and_metadata(client: Any, desk: Any) -> None:
    """A call says when its client gives up, on the monotonic clock, and what metadata came with it."""
    before = time.monotonic()
    client.check(b"look", timeout=5, metadata=(("x-a", "b"), ("x-raw-bin", b"\xff")))
    seen = desk.seen.pop()
    assert before + 4.5 < seen["deadline"] < time.monotonic() + 5.1  # gRPC rounds what it sends up
    assert seen["metadata"]["x-a"] == "b"
    assert seen["metadata"]["x-raw-bin"] == b"\xff"
    assert seen["cancelled"] is False


def test_no_deadline_is_none(client: Any, desk: Any) -> None:
    """A client that sets no time limit gets `None`, not a time in the far future."""
    client.check(b"look")
    assert desk.seen.pop()["deadline"] is None


@pytest.mark.parametrize("message", [b"raise", b"raise exit"])
def test_what_check_raises_is_a_refusal(client: Any, desk: Any, message: bytes, caplog: Any) -> None:
    """An exception, even one that ends programs, is answered INTERNAL_ERROR, and its text is not logged (G2, G10)."""
    assert client.check(message, timeout=PATIENCE) == b"refused internal_error"
    assert client.check(b"next", timeout=PATIENCE) == b"answer to next"
    assert "canary-secret" not in caplog.text
    assert "raised at" in caplog.text
    assert desk.refused == [Reason.INTERNAL_ERROR]


def test_the_last_resort(client: Any, desk: Any) -> None:
    """Where the refusal raises too, a constant answer leaves (I1)."""

    def refuse(reason: Reason, call: Any) -> None:
        raise RuntimeError(f"{reason} {call}")

    desk.refusing = refuse
    assert client.check(b"raise", timeout=PATIENCE) == b"last resort"


def test_an_empty_answer_is_never_sent(client: Any) -> None:
    """An empty CheckResponse is an allow to Envoy (I2): the last resort leaves instead."""
    assert client.check(b"empty", timeout=PATIENCE) == b"last resort"


def test_a_large_message_is_refused_in_words(serve: Any, connect: Any, desk: Any) -> None:
    """A message above the bound is answered BODY_TOO_LARGE, not with gRPC's RESOURCE_EXHAUSTED (B4)."""
    client = connect(serve(max_message_bytes=1000))
    assert client.check(b"x" * 1000, timeout=PATIENCE).startswith(b"answer")
    assert client.check(b"x" * 1001, timeout=PATIENCE) == b"refused body_too_large"
    assert client.check(b"x" * 20_000_000, timeout=PATIENCE) == b"refused body_too_large"
    assert desk.checked == 1


def test_large_answers_arrive_whole(serve: Any, connect: Any, desk: Any) -> None:
    """An answer larger than any flow-control window arrives."""
    client = connect(serve())
    future = client.check.future(b"wait", timeout=PATIENCE)
    desk.waiting.get(timeout=PATIENCE).answer(b"y" * 10_000_000)
    assert len(future.result()) == 10_000_000


def test_compressed_messages(serve: Any, connect: Any) -> None:
    """A client may compress, and the service sees the message as it was."""
    client = connect(serve(), compression=grpc.Compression.Gzip)
    assert client.check(b"z" * 10_000, timeout=PATIENCE) == b"answer to " + b"z" * 10_000


def test_no_message_is_malformed(client: Any, desk: Any) -> None:
    """A client that closes its half without a message is answered, too."""
    assert client.stream(iter(()), timeout=PATIENCE) == b"refused malformed"
    assert desk.refused == [Reason.MALFORMED]
    assert desk.checked == 0


def test_the_first_of_several_messages_counts(client: Any) -> None:
    """A client that sends more than one message is answered to the first."""
    assert client.stream(iter((b"one", b"two", b"three")), timeout=PATIENCE) == b"answer to one"


@pytest.mark.parametrize("method", ["/no.such.Service/Check", "/grpc.health.v1.Health/Watch", "/x"])
def test_other_methods_are_unimplemented(client: Any, method: str) -> None:
    """What we do not serve is UNIMPLEMENTED; `Watch` is among it (transport/health.py says why)."""
    with pytest.raises(grpc.RpcError) as raised:
        client.channel.unary_unary(method)(b"x", timeout=PATIENCE)
    assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_large_metadata_is_bounded(client: Any, desk: Any) -> None:
    """Metadata as large as Envoy lets headers be (60 KiB) passes, every time; far more is refused (G4)."""
    for _ in range(20):
        client.check(b"look", timeout=PATIENCE, metadata=(("tracestate", "x" * 61_440),))
    assert len(desk.seen) == 20
    with pytest.raises(grpc.RpcError) as raised:
        client.check(b"look", timeout=PATIENCE, metadata=(("tracestate", "x" * 400_000),))
    assert raised.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


# Cancelled calls


def test_a_waiting_call_learns_that_it_is_cancelled(client: Any, desk: Any) -> None:
    """After the client's reset `cancelled` becomes true; an answer then is nothing, and nobody minds (G11)."""
    future = client.check.future(b"wait", timeout=PATIENCE)
    call = desk.waiting.get(timeout=PATIENCE)
    assert not call.cancelled
    future.cancel()
    eventually(lambda: call.cancelled)
    call.answer(b"too late")
    assert client.check(b"next", timeout=PATIENCE) == b"answer to next"


def test_a_deadline_that_passes_cancels(client: Any, desk: Any) -> None:
    """A client's deadline is a cancel."""
    future = client.check.future(b"wait", timeout=0.5)  # long enough to get there where much else is done
    call = desk.waiting.get(timeout=PATIENCE)
    assert future.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    eventually(lambda: call.cancelled)
    call.answer(b"too late")


def test_a_call_reset_before_its_message_is_no_check(serve: Any, connect: Any, desk: Any) -> None:
    """It reaches neither `check` nor `refuse`, and leaves nothing in flight."""
    server = serve()
    client = connect(server)
    never = threading.Event()

    def messages() -> Any:
        never.wait(PATIENCE)
        yield b"x"

    future = client.stream.future(messages())
    assert client.check(b"behind", timeout=PATIENCE) == b"answer to behind"  # on the same connection
    future.cancel()
    eventually(lambda: server.in_flight == 0 and not _unfinished(server))
    never.set()
    assert client.check(b"next", timeout=PATIENCE) == b"answer to next"
    assert desk.checked == 2
    assert desk.refused == []


def _unfinished(server: Any) -> int:
    """Return how many calls gRPC has not finished, where the transport knows."""
    rounds = getattr(server._serving, "_rounds", None)
    return len(rounds.live) if rounds else 0


def test_a_storm_of_resets(serve: Any, connect: Any, desk: Any) -> None:
    """After 2 000 calls cancelled at every moment, some answered late, the server is as healthy as before."""
    server = serve(max_in_flight=4096)
    clients = [connect(server) for _ in range(4)]
    for turn in range(20):
        futures = [clients[i % 4].check.future(b"wait" if i % 2 else b"%d" % i, timeout=PATIENCE) for i in range(100)]
        if turn % 2:
            eventually(lambda: not desk.waiting.empty())
        for future in futures:
            future.cancel()
    eventually(lambda: _answer_all(desk) == 0 and server.in_flight == 0)
    for client in clients:
        assert client.check(b"after", timeout=PATIENCE) == b"answer to after"


def _answer_all(desk: Any) -> int:
    answered = 0
    while not desk.waiting.empty():
        desk.waiting.get().answer(b"late")
        answered += 1
    return answered


def test_a_connection_that_breaks_cancels_its_calls(serve: Any, connect: Any, desk: Any) -> None:
    """Calls of a client that is gone are cancelled; other clients see nothing."""
    server = serve()
    client, other = connect(server), connect(server)
    futures = [client.check.future(b"wait", timeout=PATIENCE) for _ in range(8)]
    calls = [desk.waiting.get(timeout=PATIENCE) for _ in range(8)]
    client.channel.close()
    assert {future.code() for future in futures} == {grpc.StatusCode.CANCELLED}
    eventually(lambda: all(call.cancelled for call in calls))
    assert other.check(b"x", timeout=PATIENCE) == b"answer to x"
    for call in calls:
        call.answer(b"late")
    eventually(lambda: server.in_flight == 0)


# Overload


def test_above_the_bound_calls_are_refused_in_words(serve: Any, connect: Any, desk: Any) -> None:
    """Work in flight is bounded; above it OVERLOADED is answered, never RESOURCE_EXHAUSTED (G3), in wave after wave."""
    server = serve(max_in_flight=4)
    client = connect(server)
    for _ in range(3):
        waiting = [client.check.future(b"wait", timeout=PATIENCE) for _ in range(4)]
        calls = [desk.waiting.get(timeout=PATIENCE) for _ in range(4)]
        refused = [client.check.future(b"more", timeout=PATIENCE) for _ in range(50)]
        assert {future.result() for future in refused} == {b"refused overloaded"}
        assert client.health() == b"\x08\x01"
        for call in calls:
            call.answer(b"done")
        assert [future.result() for future in waiting] == [b"done"] * 4
        eventually(lambda: server.in_flight == 0)
    assert client.check(b"again", timeout=PATIENCE) == b"answer to again"


def test_calls_that_wait_inside_grpc_are_not_refused_by_it(serve: Any, connect: Any, desk: Any) -> None:
    """While a check keeps the thread, thousands may pile up inside gRPC: it refuses none (by default above 1 000)."""
    going_on = threading.Event()
    desk.check = lambda message, call: (going_on.wait(PATIENCE), call.answer(message))
    client = connect(serve(max_in_flight=10_000))
    futures = [client.check.future(b"%d" % i, timeout=60) for i in range(3500)]
    going_on.set()
    assert [future.result() for future in futures] == [b"%d" % i for i in range(3500)]


def test_a_client_that_pings_often_stays(serve: Any) -> None:
    """Envoy's keepalive may ping as often as its operator likes: no GOAWAY, ENHANCE_YOUR_CALM (G4)."""
    address = serve().addresses[0]
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(PATIENCE)
        peer.connect(str(address.path))
        peer.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000040000000000"))
        received = b""
        for number in range(30):
            peer.sendall(bytes.fromhex("000008060000000000") + number.to_bytes(8, "big"))
            pong = bytes.fromhex("000008060100000000") + number.to_bytes(8, "big")
            while pong not in received:
                received += peer.recv(4096)
        assert b"too_many_pings" not in received


# Health, drain, stop


def test_health(client: Any, desk: Any) -> None:
    """Health says what the service says of a name: SERVING, NOT_SERVING, or NOT_FOUND (G8)."""
    assert client.health() == b"\x08\x01"
    assert client.health("envoy.service.auth.v3.Authorization") == b"\x08\x01"
    desk.serving[""] = False
    assert client.health() == b"\x08\x02"
    with pytest.raises(grpc.RpcError) as raised:
        client.health("nope")
    assert raised.value.code() is grpc.StatusCode.NOT_FOUND


def test_drain_says_so_and_goes_on_answering(serve: Any, connect: Any) -> None:
    """After `drain` health is NOT_SERVING and checks are still answered (G6)."""
    server = serve()
    client = connect(server)
    server.drain()
    assert client.health() == b"\x08\x02"
    assert client.health("envoy.service.auth.v3.Authorization") == b"\x08\x02"
    assert client.check(b"x", timeout=PATIENCE) == b"answer to x"


def test_drain_under_load_fails_no_call(serve: Any, connect: Any) -> None:
    """Clients that leave once health says so lose no call while the server drains and stops (G6)."""
    server = serve()
    failed, answered = [], []

    def load(client: Any) -> None:
        while client.health() == b"\x08\x01":
            for future in [client.check.future(b"x", timeout=PATIENCE) for _ in range(20)]:
                (answered if future.exception() is None else failed).append(future)

    with ThreadPoolExecutor(4) as pool:
        loads = [pool.submit(load, connect(server)) for _ in range(4)]
        eventually(lambda: len(answered) > 200)
        server.drain()
        for each in loads:
            each.result(PATIENCE)
    assert server.stop(PATIENCE) == 0
    assert failed == []


def test_stop_finishes_what_is_in_flight(serve: Any, connect: Any, desk: Any) -> None:
    """A call taken before `stop` is answered within the grace, and none is cancelled."""
    server = serve()
    client = connect(server)
    future = client.check.future(b"wait", timeout=PATIENCE)
    call = desk.waiting.get(timeout=PATIENCE)
    with ThreadPoolExecutor(1) as pool:
        stopping = pool.submit(server.stop, PATIENCE)
        eventually(lambda: _refuses(client))
        call.answer(b"in time")
        assert future.result() == b"in time"
        assert stopping.result(PATIENCE) == 0


def _refuses(client: Any) -> bool:
    return client.check.future(b"new", timeout=PATIENCE).exception() is not None


def test_stop_cancels_the_rest_and_says_how_many(serve: Any, connect: Any, desk: Any) -> None:
    """Calls not answered within the grace are cancelled and counted, no others; answers after that are nothing."""
    server = serve()
    client = connect(server)
    for _ in range(5):
        client.check(b"x", timeout=PATIENCE)
    futures = [client.check.future(b"wait", timeout=PATIENCE) for _ in range(3)]
    calls = [desk.waiting.get(timeout=PATIENCE) for _ in range(3)]
    assert server.stop(0.05) == 3
    for call in calls:
        call.answer(b"late")
    assert all(future.exception() is not None for future in futures)


def test_stop_is_idempotent(serve: Any, connect: Any) -> None:
    """A second stop, from whichever thread, says the same as the first."""
    server = serve()
    connect(server).check(b"x", timeout=PATIENCE)
    with ThreadPoolExecutor(3) as pool:
        assert [future.result() for future in [pool.submit(server.stop, 1) for _ in range(3)]] == [0, 0, 0]


def test_stop_ends_the_threads_and_removes_the_socket(serve: Any) -> None:
    """After `stop` there is no thread of ours, and no socket file for a client to wait at."""
    server = serve()
    path = server.addresses[0].path
    assert path.is_socket()
    server.stop(1)
    assert not path.exists()
    assert not [thread for thread in threading.enumerate() if thread.name in THREADS]


def test_a_server_that_never_started_can_be_stopped(transport: Any, desk: Any) -> None:
    """Stopping before starting is nothing, so that a failed start needs no special case."""
    from authz.transport import open_server  # noqa: PLC0415 - only here

    server: Server = open_server(desk, listen=["127.0.0.1:0"], last_resort=b"x", transport=transport)
    assert server.stop(1) == 0
    assert server.in_flight == 0
