"""Keys outlive the policies that name them, from a server that misbehaves in every way."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from authz.errors import Unavailable
from authz.identity.credentials import InvalidCredential
from authz.identity.fetch import LARGEST, Rules
from authz.identity.jwks import Origin, RemoteKeys
from authz.identity.jwt import JwtRules, Verifier
from authz.identity.registry import KeyRegistry
from tests.identity.conftest import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Issuer

ISSUER = "https://login.example.com/"
LOCAL = Rules(timeout=0.3, allow_private=True, allow_plain_http=True)


class KeyServer(ThreadingHTTPServer):
    """Publishes `keys`, or misbehaves as `mood` says; counts how often it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.keys = b""
        self.mood = "good"
        self.asked = 0
        self.closing = threading.Event()

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/keys"

    def handle_error(self, *_: object) -> None:
        """Say nothing of a client that gave up: that is the point."""


class _Answer(BaseHTTPRequestHandler):
    server: KeyServer

    def do_GET(self) -> None:
        self.server.asked += 1
        getattr(self, self.server.mood)()

    def good(self) -> None:
        self._send(200, self.server.keys)

    def error(self) -> None:
        self._send(500, b"")

    def redirect(self) -> None:
        self._send(302, b"", location="http://127.0.0.1:1/keys")

    def html(self) -> None:
        self._send(200, b"<html>log in first</html>")

    def empty(self) -> None:
        self._send(200, b'{"keys": []}')

    def malformed(self) -> None:
        self._send(200, b'{"keys": [{"kty": "RSA", "n": "!!", "e": "AQAB"}]}')

    def large(self) -> None:
        self._send(200, b" " * (LARGEST + 1))

    def silent(self) -> None:
        self.server.closing.wait(10)

    def trickling(self) -> None:
        self.send_response(200)
        self.end_headers()
        while not self.server.closing.wait(0.02):
            self.wfile.write(b" ")
            self.wfile.flush()

    def hesitant(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
        while not self.server.closing.wait(0.02):
            self.wfile.write(b"x")
            self.wfile.flush()

    def _send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


MOODS = ("error", "redirect", "html", "empty", "malformed", "large", "silent", "trickling", "hesitant")


@pytest.fixture
def server(issuer: Issuer) -> Iterator[KeyServer]:
    """Publish the issuer's keys on loopback."""
    with KeyServer() as server:
        server.keys = issuer.jwks()
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def registry() -> Iterator[KeyRegistry]:
    """Return a registry whose threads end with the test."""
    registry = KeyRegistry()
    yield registry
    registry.stop()


def origin(server: KeyServer, **changes: float) -> Origin:
    """Return where the server publishes."""
    return Origin(uri=server.uri, issuer=ISSUER, rules=LOCAL, **changes)  # type: ignore[arg-type]


def test_reading_policies_asks_nobody(server: KeyServer, registry: KeyRegistry) -> None:
    """An origin that is only named is not fetched."""
    assert registry.keys(origin(server)) is registry.keys(origin(server))
    assert server.asked == 0
    assert registry.ready


def test_keys_are_there_before_the_policies_that_name_them(
    server: KeyServer, registry: KeyRegistry, issuer: Issuer
) -> None:
    """`follow` waits for the first fetch, so that nobody is told 503 at start."""
    keys = registry.keys(origin(server))
    registry.follow({"staff": keys}, patience=10)
    verifier = Verifier("staff", JwtRules(issuer=ISSUER, algorithms=("RS256",)), keys)
    now = time.time()
    assert verifier.verify(issuer.token(exp=now + 60, iat=now), now).subject == "alice"
    assert (registry.ready, registry.ages()["staff"] is not None) == (True, True)
    (status,) = registry.status().values()
    assert isinstance(status, dict)
    assert (status["uri"], status["keys"], status["fetches"], status["error"]) == (server.uri, 10, 1, "")


def test_a_reload_neither_forgets_keys_nor_fetches_them_again(server: KeyServer, registry: KeyRegistry) -> None:
    """L10: the same origin is the same keys, whatever else changed; a new one is fetched beside it."""
    keys = registry.keys(origin(server))
    registry.follow({"staff": keys}, patience=10)
    registry.follow({"renamed": registry.keys(origin(server)), "other": registry.keys(origin(server, refresh=9.0))}, 10)
    assert server.asked == 2
    assert registry.followed()["renamed"] is keys


def test_what_no_policy_names_is_fetched_no_more(server: KeyServer, registry: KeyRegistry) -> None:
    """Its thread ends; requests that are under way still find the keys; named again, it is fetched again."""
    keys = registry.keys(origin(server))
    registry.follow({"staff": keys}, patience=10)
    registry.follow({})
    wait_for(lambda: not keys._thread.is_alive())
    assert keys.current(time.time()).keys
    again = registry.keys(origin(server))
    registry.follow({"staff": again}, patience=10)
    assert (again is keys, server.asked) == (False, 2)


@pytest.mark.parametrize("mood", MOODS)
def test_a_server_that_misbehaves_costs_nobody_their_keys(
    mood: str, server: KeyServer, registry: KeyRegistry, issuer: Issuer
) -> None:
    """J6: whatever the issuer answers later, the last good keys go on, the failure shows, and it heals."""
    keys = registry.keys(origin(server, refresh=0.05))
    registry.follow({"staff": keys}, patience=10)
    server.mood = mood
    wait_for(lambda: keys.failing)
    verifier = Verifier("staff", JwtRules(issuer=ISSUER, algorithms=("RS256",)), keys)
    now = time.time()
    assert verifier.verify(issuer.token(exp=now + 60, iat=now), now).authenticated
    assert keys.error
    server.mood = "good"
    wait_for(lambda: not keys.failing)


@pytest.mark.parametrize("mood", MOODS)
def test_without_a_first_fetch_nobody_is_ready(mood: str, server: KeyServer, registry: KeyRegistry) -> None:
    """J6: at start there are no last good keys: the wait is bounded, nobody ready, and tokens are our fault."""
    server.mood = mood
    keys = registry.keys(origin(server))
    started = time.monotonic()
    registry.follow({"staff": keys}, patience=5)
    assert time.monotonic() - started < 4
    assert not registry.ready
    with pytest.raises(Unavailable):
        keys.current(time.time())


def test_readiness_without_keys_can_be_wanted(server: KeyServer) -> None:
    """`identity.require_keys: false`: what needs no keys is served."""
    server.mood = "error"
    registry = KeyRegistry(required=False)
    registry.follow({"staff": registry.keys(origin(server))}, patience=5)
    assert registry.ready
    registry.stop()


def test_one_bad_key_is_skipped_and_told(server: KeyServer, registry: KeyRegistry, issuer: Issuer) -> None:
    """CVE-2026-102274: a malformed key is left out of the set and does not take the others with it."""
    published = json.loads(issuer.jwks("RS256"))
    published["keys"].insert(0, {"kty": "RSA", "n": "!!", "e": "AQAB", "kid": "broken"})
    server.keys = json.dumps(published).encode()
    keys = registry.keys(origin(server))
    registry.follow({"staff": keys}, patience=10)
    assert len(keys.current(time.time()).keys) == 1
    assert "key 0" in keys.error


def test_a_flood_of_unknown_keys_reaches_the_issuer_once(
    server: KeyServer, registry: KeyRegistry, issuer: Issuer
) -> None:
    """J5: a thousand tokens with random kids within a second are one fetch more, and no good token waits."""
    keys = registry.keys(origin(server))
    registry.follow({"staff": keys}, patience=10)
    verifier = Verifier("staff", JwtRules(issuer=ISSUER, algorithms=("RS256",)), keys)
    now = time.time()
    forged = issuer.token("RS256", {"kid": "random"})
    head, rest = forged.split(".", 1)
    for number in range(1000):
        token = (
            issuer.forged({"alg": "RS256", "kid": f"random-{number}"}, {"iss": ISSUER}) if number else f"{head}.{rest}"
        )
        with pytest.raises(InvalidCredential):
            verifier.verify(token, now)
    wait_for(lambda: server.asked >= 2)
    assert verifier.verify(issuer.token(exp=now + 60, iat=now), now).authenticated
    assert (keys.fetches, server.asked) == (2, 2)


def test_a_set_that_is_followed_twice_has_one_thread(server: KeyServer, registry: KeyRegistry) -> None:
    """Two providers of one origin, and the same policies again, start nothing twice."""
    keys = registry.keys(origin(server))
    registry.follow({"a": keys, "b": keys}, patience=10)
    registry.follow({"b": keys}, patience=10)
    assert isinstance(registry.followed()["b"], RemoteKeys)
    assert server.asked == 1
