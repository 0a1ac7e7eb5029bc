"""Where to listen: TCP (`127.0.0.1:9191`, `[::1]:9191`) or a Unix socket (`unix:///run/authz/authz.sock`).

gRPC binds, but it unlinks whatever socket stands at a path, also one that another server listens on, and says why
it couldn't bind only in its log. So a place is bound once before gRPC gets it: what can't be used is refused in words,
and a socket file is removed only if nobody answers behind it. Abstract sockets have no mode, so any local process
could connect to them: refused.
"""

from __future__ import annotations

import re
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from authz.config.values import too_long
from authz.errors import Fault, SettingsFaults, Unavailable
from authz.listening import socket_refused, tcp_refused

if TYPE_CHECKING:
    from collections.abc import Iterable

SOCKET_MODE = 0o660

_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^\[\]:/@\s]+):([0-9]{1,5})")
_UNIX = re.compile(r"unix:(?://(?=/))?(.+)")


class TcpAddress(msgspec.Struct, frozen=True):
    """A host, IPv6 in brackets, and a port; 0 is any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def target(self) -> str:
        """How gRPC names it."""
        return str(self)

    @property
    def exclusive(self) -> bool:
        """Whether it can be listened on only once: any free port can be had twice."""
        return self.port != 0

    def prepare(self, *, reuse_port: bool) -> None:
        """Raise Unavailable where it can't be bound."""
        try:
            for family, kind, protocol, _, place in socket.getaddrinfo(
                self.host.strip("[]"), self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            ):
                with socket.socket(family, kind, protocol) as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, reuse_port)
                    probe.bind(place)
        except OSError as error:
            raise tcp_refused(str(self), self.port, error) from error

    def bound(self, port: int) -> TcpAddress:
        """Return the address that is really listened on, and see to what binding left to do."""
        return TcpAddress(self.host, port)


class SocketAddress(msgspec.Struct, frozen=True):
    """The path of a Unix socket."""

    path: Path

    def __str__(self) -> str:
        return f"unix://{self.path}"

    @property
    def target(self) -> str:
        """How gRPC names it: a URI, so the path is escaped."""
        return "unix:" + quote(str(self.path))

    @property
    def exclusive(self) -> bool:
        """Whether it can be listened on only once."""
        return True

    def prepare(self, *, reuse_port: bool) -> None:  # noqa: ARG002 - ports only
        """Remove a socket nobody listens on; raise Unavailable where it can't be bound."""
        try:
            if self.path.is_symlink() or self.path.exists():
                self._clear()
            with socket.socket(socket.AF_UNIX) as probe:
                probe.bind(str(self.path))
            self.path.unlink()
        except OSError as error:
            raise socket_refused(self.path, error) from error

    def _clear(self) -> None:
        """Remove a socket that a crash has left; raise Unavailable for whatever else is there."""
        kind = self.path.lstat().st_mode
        if stat.S_ISDIR(kind):
            raise Unavailable(f"can't listen on {self}: that is a directory (name a socket in it: {self}/authz.sock)")
        if not stat.S_ISSOCK(kind):
            way = "a file that is no socket is in the way"
            raise Unavailable(f"can't listen on {self}: {way} (choose another path, or move it away)")
        if _listens(self.path):
            raise Unavailable(f"can't listen on {self}: another server does (end it, or choose another path)")
        self.path.unlink(missing_ok=True)

    def bound(self, port: int) -> SocketAddress:  # noqa: ARG002 - gRPC says 1
        """Let owner and group connect, nobody else, and return the address."""
        self.path.chmod(SOCKET_MODE)
        return self


Address = TcpAddress | SocketAddress


def read_addresses(texts: Iterable[str]) -> tuple[Address, ...]:
    """Read where to listen; raises SettingsFaults with every address that is none."""
    addresses: list[Address] = []
    faults = []
    for text in texts:
        try:
            address = _read(text)
            if address in addresses and address.exclusive:
                raise ValueError("is given twice")
            addresses.append(address)
        except ValueError as error:
            faults.append(Fault(file="listen", message=f'"{text}" {error}'))
    if faults or not addresses:
        raise SettingsFaults(faults or [Fault(file="listen", message="no address is given")])
    return tuple(addresses)


def _read(text: str) -> Address:
    if text.startswith(("unix-abstract:", "unix:@", "unix://@", "unix:\0")):
        raise ValueError("is an abstract socket, which any local process could connect to: give a path")
    if text.startswith("unix:"):
        return _socket(text)
    host_port = _HOST_PORT.fullmatch(text)
    if host_port is None or int(host_port[2]) > 65535:
        raise ValueError("is no address: write host:port, [ipv6]:port or unix:///path")
    return TcpAddress(host_port[1], int(host_port[2]))


def _socket(text: str) -> SocketAddress:
    unix = _UNIX.fullmatch(text)
    if unix is None or unix[1].startswith("//") or "\0" in text:
        raise ValueError("is no address: write unix:///path")
    path = Path(unix[1]).absolute()
    if long := too_long(str(path)):
        raise ValueError(long)
    return SocketAddress(path)


def _listens(path: Path) -> bool:
    """Whether somebody does; a full backlog or a missing permission means that somebody might."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            return True
        return True
