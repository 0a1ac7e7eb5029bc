"""A fetch goes where it was told, for as long as it was told, and nowhere else."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

import pytest

from authz.errors import Unavailable
from authz.identity.fetch import LARGEST, Rules, _Watchdog, fetch, is_public

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCAL = Rules(timeout=2.0, allow_private=True, allow_plain_http=True)


class Misbehaving(BaseHTTPRequestHandler):
    """Answers each path in its own bad way."""

    stopping: ClassVar[threading.Event] = threading.Event()

    def do_GET(self) -> None:
        getattr(self, self.path.strip("/").replace("-", "_"))()

    def good(self) -> None:
        self._answer(200, b'{"keys": []}')

    def missing(self) -> None:
        self._answer(404, b"")

    def error(self) -> None:
        self._answer(500, b"")

    def redirect(self) -> None:
        self.send_response(302)
        self.send_header("location", "/good")
        self.end_headers()

    def large(self) -> None:
        self._answer(200, b"x" * (LARGEST + 1))

    def endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        while not self.stopping.wait(0.05):
            self.wfile.write(b"x")
            self.wfile.flush()

    def silent(self) -> None:
        self.stopping.wait(10)

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    """Return the address of a server that misbehaves."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Misbehaving)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that gave up is the point
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    Misbehaving.stopping.set()
    server.shutdown()
    server.server_close()


def test_a_good_answer_is_its_body(base: str) -> None:
    """200 and a body within bounds."""
    assert fetch(f"{base}/good", LOCAL) == b'{"keys": []}'


@pytest.mark.parametrize(("path", "why"), [
    ("missing", "404"), ("error", "500"), ("redirect", "302, a redirect"), ("large", "larger than"),
    ("endless", "too long"), ("silent", "timed out|too long"),
])  # fmt: skip
def test_every_misbehaviour_is_unavailable_in_time(base: str, path: str, why: str) -> None:
    """J6: status, redirect, size, a trickle and silence all end within the bound, and say why."""
    started = time.monotonic()
    with pytest.raises(Unavailable, match=why):
        fetch(f"{base}/{path}", LOCAL)
    assert time.monotonic() - started < 3 * LOCAL.timeout


@pytest.mark.parametrize("uri", [
    "file:///etc/passwd", "ftp://login.example.com/keys", "https:///keys", "https://user:pw@login.example.com/", "keys",
    "",
])  # fmt: skip
def test_only_https_to_a_named_host_is_fetched(uri: str) -> None:
    """J4: no file, no other scheme, no credentials in the address."""
    with pytest.raises(Unavailable):
        fetch(uri, LOCAL)


def test_private_addresses_and_plain_http_need_permission(base: str) -> None:
    """A policy that says nothing fetches over TLS from public addresses only."""
    with pytest.raises(Unavailable, match="only https"):
        fetch(f"{base}/good", Rules())
    with pytest.raises(Unavailable, match="private"):
        fetch(f"{base}/good", Rules(allow_plain_http=True))
    with pytest.raises(Unavailable, match="private"):
        fetch("https://localhost/keys", Rules())


@pytest.mark.parametrize("address", [
    "127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "0.0.0.0", "::1", "fe80::1%eth0", "fd00::1",
    "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "::169.254.169.254", "ff0e::1",
])  # fmt: skip
def test_a_private_address_is_one_however_it_is_written(address: str) -> None:
    """J6: a gateway that translates (NAT64, 6to4) would make the cloud's metadata service of one on the internet."""
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"])
def test_what_is_on_the_internet_is_fetched(address: str) -> None:
    """Also through NAT64, where there is no other way."""
    assert is_public(address)


def test_no_socket_outlives_the_watch() -> None:
    """J6: finding the address can take all the time there is; what trickles in after that would have no end."""
    with suppress(TimeoutError), socket.socket() as late, _Watchdog(0) as watchdog:
        watchdog._timer.join()
        with pytest.raises(TimeoutError):
            watchdog.watched(late)
