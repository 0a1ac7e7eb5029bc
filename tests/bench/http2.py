"""One HTTP/2 connection that makes unary gRPC calls, written by hand for speed.

A request's headers are HPACK literals, the same bytes on every stream. Our SETTINGS forbid the server a dynamic
table, so an answer's trailers mean the same wherever they stand and are decoded once per distinct bytes: every
answer's status is read, at the price of a dictionary look-up. Both sides' flow control is honoured (RFC 9113, section
5.2): a message that fits the windows leaves in one piece, one that does not waits as an upload. What we never need is
refused, not guessed at: padding, priorities, continuation. When to call is for `load` to say.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from array import array
from collections import Counter
from typing import TYPE_CHECKING

from headers import read_status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PADDED_OR_PRIORITY = 0x28
CANCEL = 8
LARGEST = 2**31 - 1  # of a window and of a stream's number
HANDSHAKE = 5.0  # seconds

_HEADER = struct.Struct(">BHBBI")  # 24 bits of length in two parts, type, flags, stream
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_RECEIVE = 1 << 18


class ConnectionLostError(Exception):
    """The connection is gone, or the peer speaks no HTTP/2 that we read: what was measured until then means nothing."""


class Tally:
    """What has come back so far: seconds per answered call, errors by name, calls given up."""

    __slots__ = ("cancelled", "errors", "latencies")

    def __init__(self) -> None:
        self.latencies = array("d")
        self.errors: Counter[str] = Counter()
        self.cancelled = 0


class _Upload:
    """What is left of a message that did not fit the windows at once, and its stream's window."""

    __slots__ = ("rest", "window")

    def __init__(self, message: bytes, window: int) -> None:
        self.rest = memoryview(message)
        self.window = window


class Connection:
    """One connection and its calls in flight; never blocks once it is open.

    Payloads are sent in turn. `answered(payload, status, message)` is called for every answer, with the index of the
    payload that it answers; messages are collected only if it is given.
    """

    def __init__(
        self,
        target: str,
        headers: bytes,
        payloads: Sequence[bytes],
        answered: Callable[[int, int, bytes], None] | None = None,
    ) -> None:
        self.started: dict[int, float] = {}  # stream -> when its call was due
        self.concurrent = LARGEST  # how many calls the server takes at once
        self.tally = Tally()
        self._answered = answered
        self._received: dict[int, bytes] = {}
        self._messages = [b"\0" + struct.pack(">I", len(payload)) + payload for payload in payloads]
        self._open = _start(HEADERS, END_HEADERS, len(headers))
        self._headers = headers
        self._heads = [headers + _start(DATA, END_STREAM, len(message)) for message in self._messages]
        self._uploads: dict[int, _Upload] = {}
        self._window = self._stream_window = 65535  # RFC 9113, section 6.9.2
        self._frame_size = 16384
        self._unacknowledged = 0
        self._stream = 1
        self._rest = b""
        self._socket = connect(target)
        self._out: list[bytes] = []
        self._unsent = memoryview(b"")
        self._agreed = False
        try:
            self._shake_hands()
        except ConnectionLostError:
            self.close()
            raise

    def _shake_hands(self) -> None:
        settings = b"".join(struct.pack(">HI", *pair) for pair in ((1, 0), (2, 0), (4, LARGEST)))
        update = struct.pack(">I", LARGEST - 65535)
        self._out += (_PREFACE, _frame(SETTINGS, 0, 0, settings), _frame(WINDOW_UPDATE, 0, 0, update))
        deadline = time.monotonic() + HANDSHAKE
        while not self._agreed:
            self.flush()
            if not select.select([self], [], [], max(0, deadline - time.monotonic()))[0]:
                raise ConnectionLostError(f"no HTTP/2 settings within {HANDSHAKE:g} s")
            self.receive(0.0)
        self.flush()

    def fileno(self) -> int:
        """Return the socket's descriptor, for `select`."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close the socket as it is; calls in flight are lost."""
        self._socket.close()

    @property
    def unsent(self) -> bool:
        """Whether bytes wait for the socket to take them."""
        return bool(self._out or self._unsent)

    def call(self, due: float) -> int:
        """Begin one call, whose latency counts from `due`, and return its stream."""
        stream = self._stream
        self._advance()
        self.started[stream] = due
        index = (stream >> 1) % len(self._messages)
        message = self._messages[index]
        number = stream.to_bytes(4, "big")
        size = len(message)
        if size <= self._window and size <= self._frame_size and size <= self._stream_window and not self._uploads:
            self._window -= size
            self._out += (self._open, number, self._heads[index], number, message)
        else:
            self._out += (self._open, number, self._headers)
            self._uploads[stream] = _Upload(message, self._stream_window)
            self._upload()
        return stream

    def announce(self, due: float) -> int:
        """Begin one call without sending its message, to be cancelled, and return its stream."""
        stream = self._stream
        self._advance()
        self.started[stream] = due
        self._out += (self._open, stream.to_bytes(4, "big"), self._headers)
        return stream

    def cancel(self, stream: int) -> None:
        """Give up a call with RST_STREAM; one that has been answered by now stays answered."""
        if stream in self.started:
            self.tally.cancelled += 1
            self._reset(stream)

    def abandon(self) -> None:
        """Give up every call in flight as unanswered."""
        for stream in list(self.started):
            self.tally.errors["unanswered"] += 1
            self._reset(stream)

    def flush(self) -> None:
        """Write what waits, as far as the socket takes it."""
        while self._out or self._unsent:
            if not self._unsent:
                self._unsent = memoryview(b"".join(self._out))
                self._out.clear()
            try:
                self._unsent = self._unsent[self._socket.send(self._unsent) :]
            except BlockingIOError:
                return
            except OSError as error:
                raise ConnectionLostError(f"connection lost: {error}") from error

    def receive(self, now: float) -> None:
        """Read what has come, at `now`, and conclude the calls that it answers."""
        data = self._rest + self._read()
        at, size, started = 0, len(data), self.started
        while at + 9 <= size:
            high, low, kind, flags, stream = _HEADER.unpack_from(data, at)
            end = at + 9 + (high << 16 | low)
            if end > size:
                break
            if kind == HEADERS:
                if flags & END_STREAM and stream in started:
                    self._conclude(stream, flags, data[at + 9 : end], now)
            elif kind == DATA:
                self._unacknowledged += end - at - 9
                if self._answered and stream in started:
                    self._received[stream] = self._received.get(stream, b"") + data[at + 9 : end]
            else:
                self._control(kind, flags, stream, data[at + 9 : end])
            at = end
        self._rest = data[at:]
        if self._unacknowledged > LARGEST >> 1:
            self._out.append(_frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", self._unacknowledged)))
            self._unacknowledged = 0

    def _read(self) -> bytes:
        try:
            fresh = self._socket.recv(_RECEIVE)
        except OSError as error:
            raise ConnectionLostError(f"connection lost: {error}") from error
        if not fresh:
            raise ConnectionLostError(f"closed by the server with {len(self.started)} calls in flight")
        return fresh

    def _conclude(self, stream: int, flags: int, trailers: bytes, now: float) -> None:
        if flags & PADDED_OR_PRIORITY or not flags & END_HEADERS:
            raise ConnectionLostError(f"trailers with flags {flags:#x} are not read here")
        self.tally.latencies.append(now - self.started.pop(stream))
        status = read_status(trailers)
        if status:
            self.tally.errors[f"status {status}"] += 1
        if self._answered:
            message = self._received.get(stream, b"")[5:]
            self._answered((stream >> 1) % len(self._messages), status, message)
        self._forget(stream)

    def _control(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == SETTINGS:
            self._settle(flags, payload)
        elif kind == PING and not flags & ACK:
            self._out.append(_frame(PING, ACK, 0, payload))
        elif kind == WINDOW_UPDATE:
            self._widen(stream, int.from_bytes(payload, "big"))
        elif kind == RST_STREAM and self.started.pop(stream, None) is not None:
            self._forget(stream)
            self.tally.errors[f"reset {int.from_bytes(payload, 'big')}"] += 1
        elif kind == GOAWAY:
            code = int.from_bytes(payload[4:8], "big")
            raise ConnectionLostError(f"the server goes away: code {code}, {payload[8:].decode(errors='replace')!r}")
        elif kind == CONTINUATION:
            raise ConnectionLostError("continuation frames are not read here")

    def _settle(self, flags: int, payload: bytes) -> None:
        if flags & ACK:
            self._agreed = True
            return
        for name, value in struct.iter_unpack(">HI", payload):  # RFC 9113, section 6.5.2
            if name == 3:
                self.concurrent = value
            elif name == 4:
                for upload in self._uploads.values():
                    upload.window += value - self._stream_window
                self._stream_window = value
            elif name == 5:
                self._frame_size = value
        self._out.append(_frame(SETTINGS, ACK, 0))
        self._upload()

    def _widen(self, stream: int, size: int) -> None:
        if not stream:
            self._window += size
        elif stream in self._uploads:
            self._uploads[stream].window += size
        if self._uploads:
            self._upload()

    def _upload(self) -> None:
        for stream, upload in list(self._uploads.items()):
            while (size := min(len(upload.rest), self._window, upload.window, self._frame_size)) > 0:
                last = size == len(upload.rest)
                self._out.append(_frame(DATA, END_STREAM if last else 0, stream, bytes(upload.rest[:size])))
                upload.rest = upload.rest[size:]
                upload.window -= size
                self._window -= size
            if not upload.rest:
                del self._uploads[stream]

    def _advance(self) -> None:
        self._stream += 2
        if self._stream > LARGEST:
            raise ConnectionLostError("no stream numbers left")

    def _reset(self, stream: int) -> None:
        del self.started[stream]
        self._forget(stream)
        self._out.append(_frame(RST_STREAM, 0, stream, struct.pack(">I", CANCEL)))

    def _forget(self, stream: int) -> None:
        self._uploads.pop(stream, None)
        self._received.pop(stream, None)


def connect(target: str) -> socket.socket:
    """Open a non-blocking socket to `host:port`, `unix:PATH` or `unix:///PATH`."""
    if target.startswith("unix:"):
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            opened.connect(target.removeprefix("unix:").removeprefix("//"))
        except OSError:
            opened.close()
            raise
    else:
        host, _, port = target.rpartition(":")
        opened = socket.create_connection((host.strip("[]"), int(port)))
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    opened.setblocking(False)
    return opened


def _frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return _HEADER.pack(len(payload) >> 16, len(payload) & 0xFFFF, kind, flags, stream) + payload


def _start(kind: int, flags: int, size: int) -> bytes:
    """Return a frame's first five bytes; the stream's four follow."""
    return _HEADER.pack(size >> 16, size & 0xFFFF, kind, flags, 0)[:5]
