"""One connection to one Redis: redis-py makes it (TLS, login), hiredis reads it, this module owns its bytes.

Non-blocking, so the limiter thread can keep its timers while a server is silent. Replies come in the order of the
commands; whoever stops waiting for one closes the link, so a reply never meets another caller. No retries, and no
text of a server's error is kept beyond its code: some repeat what they were sent, a password among it.
"""

from __future__ import annotations

import re
import ssl
from typing import Any

import hiredis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from authz.errors import Unavailable

_NOT_YET = object()
_CHUNK = 65_536
_CODE = re.compile(r"^-?([A-Z]{2,})\b")
_INNER = re.compile(r"(?:^|[\s-])-?(READONLY|OOM|MISCONF|MASTERDOWN|CLUSTERDOWN|NOREPLICAS|NOPERM|WRONGTYPE)\b")
_SILENT = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

DROPS = frozenset({"READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "NOAUTH", "WRONGPASS"})
"""Errors of a server that is the wrong one, or not one yet: the connection is given up and its address asked again."""


def error_code(message: str) -> str:
    """Return the code of an error reply; of a script's error the one inside, where Redis before 7 puts it."""
    inner = _INNER.search(message)
    first = _CODE.match(message)
    if first and first[1] != "ERR":
        return first[1]
    return inner[1] if inner else "ERR"


class Link:
    """One open connection. `open` may block up to its timeout; afterwards nothing here blocks."""

    def __init__(self, connection: Any) -> None:  # noqa: ANN401 - an AbstractConnection, whose methods have no types
        self._connection = connection
        self._socket: Any = None
        self._decrypts = False
        self._reader = hiredis.Reader(notEnoughData=_NOT_YET)
        self._unsent = bytearray()

    def open(self, script: str) -> None:
        """Connect, log in and load the script."""
        try:
            self._connection.connect()
            self._connection.send_command("SCRIPT", "LOAD", script)
            self._connection.read_response()
        except (RedisError, OSError) as error:
            self.close()
            raise Unavailable(described(error)) from None
        self._socket = self._connection._sock  # noqa: SLF001 - redis-py has no other way to its socket
        self._socket.setblocking(False)
        self._decrypts = isinstance(self._socket, ssl.SSLSocket)

    def fileno(self) -> int:
        """Return the descriptor to poll."""
        return int(self._socket.fileno())

    @property
    def unsent(self) -> bool:
        """Whether `flush` has more to do when the socket takes more."""
        return bool(self._unsent)

    def send(self, commands: bytes) -> None:
        """Write commands as they travel."""
        self._unsent += commands
        self.flush()

    def flush(self) -> None:
        """Write what is left, as far as the socket takes it."""
        try:
            while self._unsent:
                del self._unsent[: self._socket.send(self._unsent)]
        except _SILENT:
            return
        except OSError as error:
            raise Unavailable(described(error)) from None

    def receive(self) -> list[Any]:
        """Return the replies that are there; an error reply is a `hiredis.ReplyError`."""
        try:
            while data := self._socket.recv(_CHUNK):
                self._reader.feed(data)
                if len(data) < _CHUNK and not self._decrypts:  # TLS may hold more than it hands out; poll sees no such
                    return self._replies()
        except _SILENT:
            return self._replies()
        except OSError as error:
            raise Unavailable(described(error)) from None
        raise Unavailable("connection closed by the server")

    def close(self) -> None:
        """Close; what was on its way is lost."""
        self._connection.disconnect()

    def _replies(self) -> list[Any]:
        replies = []
        try:
            while (reply := self._reader.gets()) is not _NOT_YET:
                if not isinstance(reply, hiredis.PushNotification):
                    replies.append(reply)
        except hiredis.ProtocolError:
            raise Unavailable("the server speaks no RESP") from None
        return replies


def described(error: Exception) -> str:
    """Return what may be shown of an error of redis-py or the socket."""
    if type(error) in {RedisConnectionError, RedisTimeoutError} or not isinstance(error, RedisError):
        return str(error) or type(error).__name__
    return type(error).__name__  # the text is the server's
