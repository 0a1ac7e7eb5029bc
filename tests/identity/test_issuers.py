"""An introspection endpoint and an API server, asked over real HTTP, and read strictly."""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest

from authz.errors import Unavailable
from authz.identity.claims import ClaimRules
from authz.identity.credentials import InvalidCredential
from authz.identity.fetch import Rules
from authz.identity.issuers import REVIEWS, Introspection, TokenReviews

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = 1_790_000_000.0
NET = Rules(allow_private=True, allow_plain_http=True)
RULES = ClaimRules(issuer="https://login.example.com/", audiences=("orders",))
ALICE = {"active": True, "sub": "alice", "scope": "a b", "aud": "orders"}
REVIEW = {
    "authenticated": True,
    "user": {"username": "system:serviceaccount:shop:cart", "groups": ["g", 7]},
    "audiences": ["orders"],
}


class Endpoint(ThreadingHTTPServer):
    """Answers every POST with `answer`, and keeps what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.uri = f"http://127.0.0.1:{self.server_address[1]}"
        self.answer: Any = {}
        self.status = 200
        self.asked: list[tuple[str, dict[str, str], bytes]] = []


class _Answer(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        answer = (
            self.server.answer if isinstance(self.server.answer, bytes) else json.dumps(self.server.answer).encode()
        )
        self.send_response(self.server.status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """Serve on loopback."""
    with Endpoint() as endpoint:
        thread = threading.Thread(target=endpoint.serve_forever, args=(0.02,))
        thread.start()
        yield endpoint
        endpoint.shutdown()
        thread.join()


def introspection(endpoint: Endpoint) -> Introspection:
    """Return what asks the endpoint."""
    return Introspection("staff", RULES, f"{endpoint.uri}/introspect", NET, "auth z", lambda: "s:ecret")


def reviews(endpoint: Endpoint) -> TokenReviews:
    """Return what asks the API server."""
    return TokenReviews("cluster", endpoint.uri + "/", NET, lambda: "our-own", ["orders"])


def test_an_active_token_names_its_holder(endpoint: Endpoint) -> None:
    """RFC 7662, section 2.1: the token in a form, the client by its secret; what is not said about time is no end."""
    endpoint.answer = ALICE
    said = introspection(endpoint)("opaque&token", NOW, 2.0)
    assert said is not None
    assert (said.at(NOW).subject, said.at(NOW).scopes, said.at(NOW).provider) == ("alice", ("a", "b"), "staff")
    ((path, headers, body),) = endpoint.asked
    assert (path, parse_qs(body.decode())["token"]) == ("/introspect", ["opaque&token"])
    assert base64.b64decode(headers["authorization"].removeprefix("Basic ")) == b"auth%20z:s%3Aecret"


@pytest.mark.parametrize("changes", [{"active": False}, {"active": "true"}, {"active": 1}, {"active": None}])
def test_only_true_is_active(endpoint: Endpoint, changes: dict[str, object]) -> None:
    """Anything else is a token that is not good."""
    endpoint.answer = ALICE | changes
    assert introspection(endpoint)("t", NOW, 2.0) is None


@pytest.mark.parametrize("changes", [
    {"aud": "others"}, {"iss": "https://other.example.com/"}, {"sub": ""}, {"exp": "soon"},
])  # fmt: skip
def test_a_token_for_somebody_else_is_refused(endpoint: Endpoint, changes: dict[str, object]) -> None:
    """J4, J8 (CVE-2026-33496): what the endpoint says is checked like a token's claims, before anything is kept."""
    endpoint.answer = ALICE | changes
    with pytest.raises(InvalidCredential):
        introspection(endpoint)("t", NOW, 2.0)


@pytest.mark.parametrize(("status", "answer"), [
    (500, {}), (302, {}), (200, b"<html>"), (200, b"[]"), (200, b'{"active": true, "active": false}'), (401, {}),
])  # fmt: skip
def test_an_answer_that_is_none_proves_nothing(endpoint: Endpoint, status: int, answer: object) -> None:
    """Neither good nor bad: we are at fault, or they are."""
    endpoint.status, endpoint.answer = status, answer
    for asking in (introspection(endpoint), reviews(endpoint)):
        with pytest.raises(Unavailable) as away:
            asking("canary-token", NOW, 2.0)
        assert "canary" not in str(away.value)


def test_a_service_account_is_known_by_its_name(endpoint: Endpoint) -> None:
    """TokenReview (authentication.k8s.io/v1): our own token asks, the audiences are named and looked at."""
    endpoint.status, endpoint.answer = 201, {"status": REVIEW}
    said = reviews(endpoint)("theirs", NOW, 2.0)
    assert said is not None
    identity = said.at(NOW)
    assert (identity.subject, identity.groups) == ("system:serviceaccount:shop:cart", ("g",))
    ((path, headers, body),) = endpoint.asked
    assert (path, headers["authorization"]) == (REVIEWS, "Bearer our-own")
    assert json.loads(body)["spec"] == {"token": "theirs", "audiences": ["orders"]}


@pytest.mark.parametrize("changes", [{"authenticated": False}, {"authenticated": "true"}])
def test_only_true_is_authenticated(endpoint: Endpoint, changes: dict[str, object]) -> None:
    """Anything else is a token that is not good."""
    endpoint.answer = {"status": REVIEW | changes}
    assert reviews(endpoint)("t", NOW, 2.0) is None


@pytest.mark.parametrize("changes", [{"audiences": ["others"]}, {"audiences": None}, {"user": {}}, {"user": None}])
def test_a_review_that_does_not_mean_us_is_refused(endpoint: Endpoint, changes: dict[str, object]) -> None:
    """J8: an API server that does not know audiences confirms tokens for anybody; those are not for us."""
    endpoint.answer = {"status": REVIEW | changes}
    with pytest.raises(InvalidCredential):
        reviews(endpoint)("t", NOW, 2.0)
