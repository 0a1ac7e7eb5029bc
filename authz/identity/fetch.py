"""Getting a document over HTTP from a place that a policy names, and from nowhere else.

Redirects are refused, and so are private addresses unless the policy permits them: what answers must be what was
named (CVE-2026-102267 was a redirect followed). The address that is checked is the address that is connected to.
Time and size are bounded: one deadline for connecting, TLS, headers and body together, however they trickle.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
from contextlib import suppress
from typing import Self
from urllib.parse import SplitResult, urlsplit

import msgspec

from authz.errors import Unavailable

LARGEST = 512 * 1024
"""Bytes of an answer."""

CHUNK = 16 * 1024

_TRANSLATED = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))
"""Whose last bytes are an IPv4 address: NAT64's (RFC 6052), and what was IPv6 for IPv4 once (RFC 4291)."""


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What a fetch may do: `timeout` is seconds for all of it; `ca` is the path of a file of PEM certificates."""

    timeout: float = 5.0
    allow_private: bool = False
    allow_plain_http: bool = False
    ca: str | None = None


def trusted(ca: str | None) -> ssl.SSLContext:
    """Return what verifies a server: by this file of PEM certificates, or by the system's; raises `OSError`."""
    return ssl.create_default_context(cafile=ca)


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent where something is asked rather than fetched; `authorization` is that header, if any."""

    body: bytes
    content_type: str
    authorization: str | None = None


def fetch(uri: str, rules: Rules, post: Post | None = None) -> bytes:
    """Return the body of a 200 or 201 answer to GET, or to a POST; raises `Unavailable` for anything else, in time."""
    try:
        parts = _permitted(uri, rules)
        with _Watchdog(rules.timeout) as watchdog:
            return _exchange(_open(parts, rules, watchdog), parts, post)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unavailable(f"cannot fetch {_shown(uri)}: {str(error) or type(error).__name__}") from error


def _shown(uri: str) -> str:
    """Return a URI as it may be shown: without what stands before the host and behind the path."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _permitted(uri: str, rules: Rules) -> SplitResult:
    parts = urlsplit(uri)
    if parts.scheme != "https" and not (parts.scheme == "http" and rules.allow_plain_http):
        raise ValueError("only https is fetched")
    if not parts.hostname or parts.username is not None:
        raise ValueError("no host, or credentials in the address")
    return parts


def _open(parts: SplitResult, rules: Rules, watchdog: _Watchdog) -> http.client.HTTPConnection:
    host = str(parts.hostname)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    connection = http.client.HTTPConnection(host, port, timeout=rules.timeout)
    sock = socket.create_connection((_resolve(host, port, rules), port), rules.timeout)
    if parts.scheme == "https":
        sock = trusted(rules.ca).wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    connection.sock = watchdog.watched(sock)
    if isinstance(sock, ssl.SSLSocket):
        sock.do_handshake()
    return connection


class _Watchdog:
    """Hangs up in time: a socket's own timeout begins anew with every byte that trickles in."""

    def __init__(self, seconds: float) -> None:
        self._socket: socket.socket | None = None
        self._barked = False
        self._timer = threading.Timer(seconds, self._bark)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        if self._socket is not None:
            self._socket.close()
        self._check()

    def watched(self, sock: socket.socket) -> socket.socket:
        """Watch over a socket; where finding and reaching its address took all the time, nobody would hang it up."""
        self._socket = sock
        self._check()
        return sock

    def _check(self) -> None:
        if self._barked:
            raise TimeoutError("the answer took too long")

    def _bark(self) -> None:
        self._barked = True
        with suppress(OSError):
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)


def _resolve(host: str, port: int, rules: Rules) -> str:
    """Return the first address of a host; raises `ValueError` where one of them is private and may not be."""
    addresses = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not rules.allow_private and not all(map(is_public, addresses)):
        raise ValueError("the address is private; permit it with allow_private_network: true")
    return addresses[0]


def is_public(text: str) -> bool:
    """Say whether an address is anybody's on the internet, and so is the one that a gateway would make of it."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not address.is_multicast
    inside = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if any(address in network for network in _TRANSLATED):
        inside.append(ipaddress.IPv4Address(address.packed[-4:]))
    return address.is_global and not address.is_multicast and all(each.is_global for each in inside if each is not None)


def _exchange(connection: http.client.HTTPConnection, parts: SplitResult, post: Post | None) -> bytes:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"accept": "application/json", "connection": "close"}
    if post is None:
        connection.request("GET", target, headers=headers)
    else:
        headers |= {"content-type": post.content_type}
        headers |= {} if post.authorization is None else {"authorization": post.authorization}
        connection.request("POST", target, post.body, headers)
    with connection.getresponse() as response:
        if response.status not in {200, 201}:
            redirect = ", a redirect" if 300 <= response.status < 400 else ""
            raise ValueError(f"the answer was {response.status}{redirect}")
        body = b""
        while chunk := response.read1(CHUNK):
            body += chunk
            if len(body) > LARGEST:
                raise ValueError(f"the answer is larger than {LARGEST} bytes")
        return body
