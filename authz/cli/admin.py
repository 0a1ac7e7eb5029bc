"""The admin port of a running service, or of Envoy, asked for one page."""

from __future__ import annotations

import http.client
from typing import Any
from urllib.parse import urlsplit

import msgspec

from authz.errors import Unavailable

WAIT = 10.0
"""Seconds that an answer may take."""

PORT = 9192


def page(admin: str, path: str, port: int = PORT) -> tuple[int, bytes]:
    """Return status and content of a page; `admin` is `host:port` or `http://host:port`. Raises `Unavailable`."""
    url = urlsplit(admin if "://" in admin else f"http://{admin}")
    try:
        connection = http.client.HTTPConnection(url.hostname or "127.0.0.1", url.port or port, timeout=WAIT)
    except ValueError as error:
        raise Unavailable(f"{admin} is no address: write host:port") from error
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(f"can't ask the admin port {admin}: {_cause(error)}") from error
    finally:
        connection.close()


def _cause(error: Exception) -> str:
    """Say what went wrong without its number."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def data(admin: str, path: str) -> Any:  # noqa: ANN401 - what a page holds is its own
    """Return what a page of JSON says; raises `Unavailable` where there is none."""
    status, content = page(admin, path)
    if status == http.client.MISDIRECTED_REQUEST:
        raise Unavailable(f"the admin port {admin} does not answer to this name: use its address, or set admin_hosts")
    if status != http.client.OK:
        raise Unavailable(f"the admin port {admin} answers {status}")
    try:
        return msgspec.json.decode(content)
    except msgspec.DecodeError as error:
        raise Unavailable(f"what answers at {admin} is no admin port of authz: {error}") from error
