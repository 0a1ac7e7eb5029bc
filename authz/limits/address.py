"""Where Redis is: from a URL to links, the address resolved anew for each.

`redis://`, `rediss://` and `unix://` are redis-py's. Of ours are, with the same user, password and query as they have,

    redis+sentinel://host:port,host:port/master-name?db=0&sentinel_password=...   the master the sentinels name
    redis+cluster://host:port,host:port                                           any of the cluster's nodes

where `tls=true` speaks TLS to every server. Retries and time limits in a query are ignored: those are the limiter's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from redis.connection import AbstractConnection, Connection, parse_url
from redis.credentials import CredentialProvider
from redis.exceptions import RedisError

from authz.errors import Unavailable
from authz.files import whole
from authz.limits.connection import Link, described

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_OURS = ("retry_on_timeout", "retry_on_error", "health_check_interval", "max_connections", "timeout")
_FOR_SENTINELS = ("sentinel_username", "sentinel_password")

Address = tuple[str, int]


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
        password = whole(self._path).decode().strip()
        return (self._username, password) if self._username else (password,)


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """How to get in: the seconds an attempt may take, and where the password is if it is in a file."""

    timeout: float
    password_file: Path | None = None


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Several servers behind one URL: their addresses, the path, and how to write the URL of any one of them."""

    addresses: tuple[Address, ...]
    path: str
    login: str
    query: dict[str, str]

    def url(self, address: Address) -> str:
        """Return the `redis://` URL of one server of the group."""
        query = {name: value for name, value in self.query.items() if name not in {"tls", *_FOR_SENTINELS}}
        return self._written(address, self.login, query)

    def sentinel_url(self, address: Address) -> str:
        """Return the `redis://` URL of one sentinel, which has a login of its own."""
        query = {name: value for name, value in self.query.items() if name not in {"tls", "db", *_FOR_SENTINELS}}
        for name in _FOR_SENTINELS:
            if name in self.query:
                query[name.removeprefix("sentinel_")] = self.query[name]
        return self._written(address, "", query)

    def _written(self, address: Address, login: str, query: dict[str, str]) -> str:
        scheme = "rediss" if self.query.get("tls", "").lower() in {"true", "1", "yes"} else "redis"
        host = f"[{address[0]}]" if ":" in address[0] else address[0]
        return f"{scheme}://{login}{host}:{address[1]}?{urlencode(query)}"


def group(url: str, default_port: int) -> Group:
    """Read the URL of several servers; raises ValueError, without repeating it."""
    parts = urlsplit(url)
    login, at, hosts = parts.netloc.rpartition("@")
    addresses = tuple(_address(host, default_port) for host in hosts.split(",") if host)
    if not addresses:
        raise ValueError("the URL names no host")
    query = dict(parse_qsl(parts.query))
    return Group(addresses=addresses, path=parts.path.strip("/"), login=login + at, query=query)


def connector(url: str, access: Access) -> Callable[[], Link]:
    """Return what opens a link to the one server a URL means; raises ValueError for a URL that means none.

    Opening asks the sentinels, reads the password file and resolves the name anew; it raises `Unavailable`.
    """
    if not url.startswith("redis+sentinel://"):
        connection(url, access)
    elif not group(url, 26_379).path:
        raise ValueError("the URL names no master: redis+sentinel://host:port/master-name")
    return lambda: Link(connection(server_url(url, access), access))


def server_url(url: str, access: Access) -> str:
    """Return the URL of the one server a URL means, the master where it names sentinels; raises `Unavailable`."""
    if not url.startswith("redis+sentinel://"):
        return url
    sentinels = group(url, 26_379)
    return sentinels.url(_master(sentinels, access))


def connection(url: str, access: Access) -> AbstractConnection:
    """Return a connection that is not open yet, under our time limits and without retries."""
    parse: Callable[[str], dict[str, Any]] = parse_url
    options = {"protocol": 2, **parse(url)}
    for ours in _OURS:
        options.pop(ours, None)
    options |= {"socket_timeout": access.timeout, "socket_connect_timeout": access.timeout}
    if access.password_file is not None:
        options.pop("password", None)
        options["credential_provider"] = PasswordFile(access.password_file, options.pop("username", ""))
    kind: type[AbstractConnection] = options.pop("connection_class", Connection)
    return kind(**options)


def asked(url: str, access: Access, *command: str) -> Any:  # noqa: ANN401 - a reply is whatever the server says
    """Ask one server one thing over a connection of its own; raises `Unavailable`."""
    once: Any = connection(url, access)
    try:
        once.connect()
        once.send_command(*command)
        return once.read_response()
    except (RedisError, OSError) as error:
        raise Unavailable(described(error)) from None
    finally:
        once.disconnect()


def _master(sentinels: Group, access: Access) -> Address:
    silent = Unavailable("no sentinel was asked")
    for sentinel in sentinels.addresses:
        try:
            found = asked(
                sentinels.sentinel_url(sentinel),
                Access(timeout=access.timeout / len(sentinels.addresses)),
                "SENTINEL",
                "GET-MASTER-ADDR-BY-NAME",
                sentinels.path,
            )
        except Unavailable as error:
            silent = error
            continue
        if found:
            return found[0].decode(), int(found[1])
        silent = Unavailable("the sentinels know no such master")
    raise silent


def _address(text: str, default_port: int) -> Address:
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, port = text, str(default_port)
    if not port.isdecimal():
        raise ValueError("the URL has a port that is no number")
    return host.strip("[]"), int(port)
