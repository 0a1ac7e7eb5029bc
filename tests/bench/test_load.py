"""The load generator against a real grpc.aio server, and against sockets that misbehave."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import grpc
import load
import pytest
from headers import encode_headers
from hpack import Decoder
from http2 import ConnectionLostError
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SETTINGS_ACK = bytes(3) + b"\4\1" + bytes(4)
SETTINGS_AND_ACK = bytes(3) + b"\4\0" + bytes(4) + SETTINGS_ACK
TWO_AT_ONCE = b"\0\0\6\4\0" + bytes(4) + b"\0\3\0\0\0\2" + SETTINGS_ACK
GOAWAY = b"\0\0\x0b\7\0" + bytes(4) + bytes(4) + b"\0\0\0\x0b" + b"too"
STALL = 0.3


async def answer(message: bytes, context: grpc.aio.ServicerContext) -> bytes:
    """Behave as the message says: echo by default."""
    match message:
        case b"deny":
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, "no")
        case b"hang":
            await asyncio.Event().wait()
        case b"stall":
            time.sleep(STALL)  # noqa: ASYNC251 - the whole server is to stand still
        case b"when":
            return b"%d" % (context.time_remaining() or 0)
    return message


@contextmanager
def aio_server(address: str, options: tuple[tuple[str, int], ...] = ()) -> Iterator[str]:
    """Serve `answer` in a thread of its own and yield the target to call."""
    loop = asyncio.new_event_loop()
    handler = grpc.unary_unary_rpc_method_handler(answer)

    async def start() -> tuple[grpc.aio.Server, int]:
        server = grpc.aio.server(options=options)
        service = "envoy.service.auth.v3.Authorization"
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Check": handler}),))
        port = server.add_insecure_port(address)
        await server.start()
        return server, port

    server, port = loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield address if address.startswith("unix:") else f"127.0.0.1:{port}"
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(0), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def raw_server(answer: bytes, *, then_close: bool = True) -> Iterator[tuple[str, bytearray]]:
    """Accept one connection and send these bytes, whatever comes; yield the target and what came."""
    received = bytearray()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            accepted, _ = listener.accept()
            with accepted:
                accepted.sendall(answer)
                if then_close:
                    accepted.shutdown(socket.SHUT_WR)
                while fresh := accepted.recv(65536):
                    received.extend(fresh)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}", received
        thread.join()


def data_frames(received: bytes) -> list[tuple[int, bool]]:
    """Return length and END_STREAM of every DATA frame behind the client's preface."""
    frames, at = [], received.index(b"SM\r\n\r\n") + 6
    while at < len(received):
        length = int.from_bytes(received[at : at + 3], "big")
        if received[at + 3] == 0:
            frames.append((length, bool(received[at + 4] & 1)))
        at += 9 + length
    return frames


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Yield the target of one server for all tests that only call it."""
    with aio_server("127.0.0.1:0") as target:
        yield target


def test_every_call_is_answered_and_counted(server: str) -> None:
    """As many calls as asked for are answered, on every connection, each with its own payload's answer."""
    payloads = [b"a", b"bb", bytes(1100)]
    seen: list[tuple[int, int, bytes]] = []

    measured = load.run(
        server, payloads, calls=300, connections=2, in_flight=16, answered=lambda *answer: seen.append(answer)
    )

    assert (measured.calls, measured.errors, measured.cancelled) == (300, {}, 0)
    assert len(seen) == 300
    assert all(status == 0 and message == payloads[index] for index, status, message in seen)
    assert 0 < measured.p50 <= measured.p99 <= measured.p999 <= measured.maximum


def test_unix_socket(tmp_path: Path) -> None:
    """A Unix socket is called like a port."""
    with aio_server(f"unix:{tmp_path}/load.sock") as target:
        assert load.run(target, [b""], calls=20).calls == 20


def test_no_call_begins_once_it_is_enough(server: str) -> None:
    """What is in flight then is answered and counted."""
    seen: list[int] = []

    measured = load.run(
        server,
        [b"a"],
        calls=1000,
        in_flight=2,
        answered=lambda index, *_: seen.append(index),
        enough=lambda: len(seen) >= 10,
    )

    assert 10 <= measured.calls <= 12


def test_status_other_than_ok_is_an_error(server: str) -> None:
    """A call that ends in a gRPC status is answered and counted under that status."""
    measured = load.run(server, [b"deny", b"fine"], calls=50)

    assert measured.calls == 50
    assert measured.errors == {"status 7": 25}


def test_messages_larger_than_the_windows_arrive_whole(server: str) -> None:
    """Messages beyond frame, stream and connection window are sent piece by piece and echoed unchanged."""
    payloads = [bytes([index]) * (300_000 + index) for index in range(3)]
    seen: set[tuple[int, bool]] = set()

    def compare(index: int, status: int, message: bytes) -> None:
        seen.add((index, status == 0 and message == payloads[index]))

    assert load.run(server, payloads, calls=24, in_flight=8, answered=compare).errors == {}
    assert seen == {(0, True), (1, True), (2, True)}


def test_oversized_message_is_refused_and_the_rest_goes_on(server: str) -> None:
    """A message above the server's limit gets RESOURCE_EXHAUSTED; calls behind it are answered."""
    measured = load.run(server, [bytes(5_000_000), b"fine"], calls=10, in_flight=4)

    assert measured.calls == 10
    assert measured.errors == {"status 8": 5}


def test_cancelled_calls_are_neither_answered_nor_errors(server: str) -> None:
    """Every call is either answered or cancelled, whatever the moment of the cancel."""
    measured = load.run(server, [bytes(1100)], calls=600, cancel_share=0.5)

    assert measured.errors == {}
    assert measured.calls + measured.cancelled == 600
    assert 200 < measured.cancelled <= 400


def test_open_loop_charges_the_server_for_calls_it_kept_waiting(server: str) -> None:
    """When one call stalls the server, an open loop sees every call due meanwhile as late, a closed loop one."""
    payloads = [b"stall"] + [b"fine"] * 59

    closed = load.run(server, payloads, calls=60, in_flight=1)
    open_ = load.run(server, payloads, calls=60, in_flight=1, rate=200)

    assert closed.maximum >= STALL
    assert closed.p50 < STALL / 10
    assert open_.p50 > STALL / 10


def test_open_loop_keeps_its_rate(server: str) -> None:
    """A server that keeps up is called as often as asked, no faster."""
    measured = load.run(server, [b"x"], seconds=0.3, rate=500)

    assert measured.calls == 150
    assert measured.seconds >= 149 / 500


def test_server_settings_bound_the_calls_in_flight(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes two calls at once gets no third until those are over."""
    monkeypatch.setattr(load, "GRACE", 0.1)
    monkeypatch.setattr(load, "TURN", 0.01)
    with raw_server(TWO_AT_ONCE, then_close=False) as (target, _):
        measured = load.run(target, [b"x"], calls=4, in_flight=64)

    assert measured.errors == {"unanswered": 4}
    assert measured.seconds > 2 * load.GRACE


@pytest.mark.parametrize("size", [1000, 60_000])
def test_flow_control_bounds_what_is_sent(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that never widens its windows gets no more than the 65,535 bytes of RFC 9113, section 6.9.2."""
    monkeypatch.setattr(load, "GRACE", 0.1)
    with raw_server(SETTINGS_AND_ACK, then_close=False) as (target, received):
        load.run(target, [b"\xff" * size], calls=100, in_flight=100)

    frames = data_frames(bytes(received))
    sent = sum(length for length, _ in frames)
    assert 60_000 <= sent <= 65_535
    assert sum(ended for _, ended in frames) == sent // (size + 5)


def test_deadline_is_sent(server: str) -> None:
    """The server sees the deadline that the caller gave."""
    seen = []
    load.run(server, [b"when"], calls=1, timeout="100S", answered=lambda _index, _status, message: seen.append(message))
    assert 98 <= int(seen[0]) <= 100


def test_unanswered_calls_are_counted(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that nobody answers is given up after the grace, as an error."""
    monkeypatch.setattr(load, "GRACE", 0.1)
    measured = load.run(server, [b"hang", b"fine"], calls=2)

    assert measured.errors == {"unanswered": 1}
    assert measured.calls == 1


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (SETTINGS_AND_ACK + GOAWAY, "goes away: code 11, 'too'"),
        (SETTINGS_AND_ACK, "closed by the server"),
        (b"", "closed by the server"),
    ],
)
def test_lost_connection_is_one_clean_error(sent: bytes, message: str) -> None:
    """GOAWAY and a closed socket end the run with an error that says what happened."""
    with raw_server(sent) as (target, _), pytest.raises(ConnectionLostError, match=message):
        load.run(target, [b"x"], calls=1)


def test_run_needs_an_end(server: str) -> None:
    """A run without seconds or calls is refused."""
    with pytest.raises(ValueError, match="when to stop"):
        load.run(server, [b""])


@given(st.dictionaries(st.from_regex(r"x-[a-z]{1,8}", fullmatch=True), st.text("abc ", max_size=20_000), max_size=3))
def test_headers_decode_to_themselves(fields: dict[str, str]) -> None:
    """What is encoded is what any HPACK decoder reads, at every length."""
    decoded = dict(Decoder(max_header_list_size=1 << 20).decode(encode_headers("/a/B", "host", fields)))

    assert decoded[":path"] == "/a/B"
    assert {name: value for name, value in decoded.items() if name.startswith("x-")} == fields


def test_percentile_is_nearest_rank() -> None:
    """A percentile is one of the values, the smallest that the share does not exceed."""
    values = [float(value) for value in range(1, 101)]

    assert [load.percentile(values, share) for share in (0.0, 0.5, 0.99, 0.999, 1.0)] == [1, 50, 99, 100, 100]


def test_script_prints_json_and_fails_on_errors(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The script's exit code says whether every answer was OK."""
    payload = tmp_path / "payload"
    payload.write_bytes(b"deny")

    assert load.main([server, "--calls", "10", "--warm-up", "0"]) == 0
    assert json.loads(capsys.readouterr().out)["calls"] == 10
    assert load.main([server, "--calls", "10", "--warm-up", "0", "--payload", str(payload)]) == 1
    assert json.loads(capsys.readouterr().out)["errors"] == {"status 7": 10}
    assert load.main(["unix:/nowhere"]) == 1
