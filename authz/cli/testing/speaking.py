"""One request over a socket of its own, byte for byte as a test says it, and the answer to it.

The connection begins with a line of the PROXY protocol (version 1), so that its peer has the address the test gives it.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
from typing import TYPE_CHECKING, NamedTuple

from authz.testing.stage import Skipped

if TYPE_CHECKING:
    from authz.testing.asking import Asked

PATIENCE = 10.0
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_FRAMING = frozenset({"content-length", "transfer-encoding"})


class Heard(NamedTuple):
    """An answer; header names are lower case, each with its values."""

    status: int
    headers: dict[str, tuple[str, ...]]
    body: str


def speak(port: int, asked: Asked) -> Heard:
    """Send a request to Envoy on loopback and return what it answers; raises `Skipped` where it says nothing."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(_peer(asked.ip) + _written(asked))
        response = http.client.HTTPResponse(connection, method=asked.method)
        try:
            response.begin()
            body = response.read()
        except (http.client.HTTPException, OSError) as error:
            raise Skipped(f"Envoy gave no answer: {type(error).__name__}") from None
    headers: dict[str, tuple[str, ...]] = {}
    for name, value in response.getheaders():
        headers[name.lower()] = (*headers.get(name.lower(), ()), value)
    return Heard(response.status, headers, body.decode(errors="replace"))


def _peer(ip: str) -> bytes:
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        raise Skipped(f"no peer has the address {ip!r}") from None
    local = "127.0.0.1" if address.version == 4 else "::1"
    return f"PROXY TCP{address.version} {address} {local} 50000 443\r\n".encode()


def _written(asked: Asked) -> bytes:
    _, host, target = asked.parts
    body = asked.body or b""
    fields = [("host", host), *asked.headers]
    if (asked.body is not None or asked.method not in _BODILESS) and not _FRAMING & {name for name, _ in fields}:
        fields.append(("content-length", str(len(body))))
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return f"{asked.method} {target} HTTP/1.1\r\n{head}\r\n".encode() + body
