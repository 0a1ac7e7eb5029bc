"""One connection to one Redis: redis-py makes it (URL, TLS, login), hiredis reads it, this module owns its bytes.

Non-blocking, so the limiter thread can keep its timers while a server is silent. Replies come in the order of the
commands; whoever stops waiting for one closes the link, so a reply never meets another caller. No retries, and no
text of a server's error is kept beyond its code: some repeat what they were sent, a password among it.
"""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import hiredis
from redis.connection import AbstractConnection, Connection, parse_url
from redis.credentials import CredentialProvider
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from authz.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

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


def redacted(url: str) -> str:
    """Return a URL without user, password and query, for logs and status."""
    parts = urlsplit(url)
    hosts = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{hosts}{parts.path}"


class PasswordFile(CredentialProvider):
    """A login whose password is read from its file at every connect, so it may rotate."""

    def __init__(self, path: Path, username: str = "") -> None:
        self._path = path
        self._username = username

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        """Return the user, if one is named, and the password."""
        password = self._path.read_text(encoding="utf-8").strip()
        return (self._username, password) if self._username else (password,)


def connector(url: str, *, timeout: float, password_file: Path | None = None) -> Callable[[], Link]:
    """Return what opens a link to `redis://`, `rediss://` or `unix://`; the address is resolved at every call.

    Raises ValueError for a URL that is none. The link raises `Unavailable`.
    """
    options = _options(url, timeout=timeout, password_file=password_file)
    kind: type[AbstractConnection] = options.pop("connection_class", Connection)
    return lambda: Link(kind(**options))


def _options(url: str, *, timeout: float, password_file: Path | None) -> dict[str, Any]:
    parse: Callable[[str], dict[str, Any]] = parse_url
    options = {"protocol": 2, **parse(url)}
    for ours in ("retry_on_timeout", "retry_on_error", "health_check_interval", "max_connections", "timeout"):
        options.pop(ours, None)
    options |= {"socket_timeout": timeout, "socket_connect_timeout": timeout}
    if password_file is not None:
        options.pop("password", None)
        options["credential_provider"] = PasswordFile(password_file, options.pop("username", ""))
    return options


class Link:
    """One open connection. `open` may block up to its timeout; afterwards nothing here blocks."""

    def __init__(self, connection: Any) -> None:  # noqa: ANN401 - an AbstractConnection, whose methods have no types
        self._connection = connection
        self._socket: Any = None
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
            raise Unavailable(_described(error)) from None
        self._socket = self._connection._sock  # noqa: SLF001 - redis-py has no other way to its socket
        self._socket.setblocking(False)

    def fileno(self) -> int:
        """Return the descriptor to poll."""
        return int(self._socket.fileno())

    @property
    def unsent(self) -> bool:
        """Whether `flush` has more to do when the socket takes more."""
        return bool(self._unsent)

    def send(self, commands: Iterable[tuple[str | int, ...]]) -> None:
        """Write commands in one piece."""
        pack: Any = hiredis.pack_command  # its stub allows a single argument
        self._unsent += b"".join([pack(command) for command in commands])
        self.flush()

    def flush(self) -> None:
        """Write what is left, as far as the socket takes it."""
        try:
            while self._unsent:
                del self._unsent[: self._socket.send(self._unsent)]
        except _SILENT:
            return
        except OSError as error:
            raise Unavailable(_described(error)) from None

    def receive(self) -> list[Any]:
        """Return the replies that are there; an error reply is a `hiredis.ReplyError`."""
        try:
            while data := self._socket.recv(_CHUNK):
                self._reader.feed(data)
        except _SILENT:
            return self._replies()
        except OSError as error:
            raise Unavailable(_described(error)) from None
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


def _described(error: Exception) -> str:
    if type(error) in {RedisConnectionError, RedisTimeoutError} or not isinstance(error, RedisError):
        return str(error) or type(error).__name__
    return type(error).__name__  # the text is the server's
