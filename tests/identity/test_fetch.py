"""A fetch goes where it was told, for as long as it was told, and nowhere else."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

import pytest

from authz.errors import Unavailable
from authz.identity.fetch import LARGEST, Rules, fetch

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
