"""Who is calling, through a real Envoy: tokens verified with keys fetched from an issuer, API keys, and no secret told.

Row L10 too: what a reload does to keys and tokens.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from authz.cli.demo.stack import Stack

pytestmark = pytest.mark.slow

ISSUER = "https://login.example.com/"
KEY = "azk_canary-of-the-partners"
CANARY = "canary"
PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)

PROVIDERS = """
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: staff}
spec:
  jwt:
    issuer: https://login.example.com/
    audiences: [orders-api]
    jwks: {uri: URI, refresh: 200ms, allow_private_network: true, allow_plain_http: true}
    algorithms: [RS256]
    from: [{header: authorization, scheme: Bearer}, {cookie: session}, {query: access_token}]
---
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: partner}
spec:
  api_key: {from: [{header: x-api-key}], keys: partner-keys.yaml}
"""
POLICY = """
apiVersion: authz/v1
kind: Policy
metadata: {name: all}
spec:
  match: [{paths: ["/**"]}]
  identity: {providers: [staff, partner]}
  rules:
    - name: known
      allow: identity.authenticated
      request_headers: {set: {x-subject: "${identity.subject}"}, remove: [authorization, x-api-key]}
"""


class Issuer(ThreadingHTTPServer):
    """Publishes one key, unless it is `away`."""

    daemon_threads = True
    away = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.uri = f"http://127.0.0.1:{self.server_address[1]}/keys"
        key = RSAAlgorithm(RSAAlgorithm.SHA256).to_jwk(PRIVATE.public_key(), as_dict=True)
        self.keys = json.dumps({"keys": [{**key, "kid": "1", "alg": "RS256"}]}).encode()


class _Answer(BaseHTTPRequestHandler):
    server: Issuer

    def do_GET(self) -> None:
        body = b"" if self.server.away else self.server.keys
        self.send_response(500 if self.server.away else 200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def token(**claims: object) -> str:
    """Return a token that is good unless the claims say otherwise."""
    good = {
        "iss": ISSUER,
        "aud": "orders-api",
        "sub": "alice",
        "exp": int(time.time()) + 600,
        "note": f"{CANARY}-claim",
    }
    return jwt.encode(good | claims, PRIVATE, "RS256", {"kid": "1"})


class Shop(Stack):
    """The demo's processes over policies that name providers, and everything the service says."""

    def __init__(self, folder: Path, issuer: Issuer) -> None:
        self.issuer = issuer
        self.folder = folder
        self.said: list[str] = []
        self.policies = folder / "policies"
        self.policies.mkdir()
        digest = hashlib.sha256(KEY.encode()).hexdigest()
        (self.policies / "partner-keys.yaml").write_text(f"- {{id: one, sha256: {digest}, subject: acme}}\n")
        (self.policies / "providers.yaml").write_text(PROVIDERS.replace("URI", issuer.uri))
        (self.policies / "policy.yaml").write_text(POLICY)
        super().__init__(folder, self.policies, 0, self.said.append)

    def get(self, path: str = "/x", **headers: str) -> tuple[int, dict[str, Any], http.client.HTTPMessage]:
        """Ask Envoy; return the status, what came back as JSON, and the headers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response.status, json.loads(body), response.headers

    def admin(self, path: str) -> str:
        """Ask the admin port."""
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=10)
        connection.request("GET", path)
        body = connection.getresponse().read().decode()
        connection.close()
        return body


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """Start an issuer, an upstream, the service and a real Envoy."""
    monkeypatch.setenv("AUTHZ_RECORD_SINK", str(tmp_path / "records"))
    monkeypatch.setenv("AUTHZ_LOG_LEVEL", "debug")
    monkeypatch.setenv("AUTHZ_RELOAD_INTERVAL", "100ms")
    with Issuer() as issuer:
        thread = threading.Thread(target=issuer.serve_forever, args=(0.02,))
        thread.start()
        shop = Shop(tmp_path, issuer)
        try:
            shop.start()
            yield shop
        finally:
            shop.stop()
            issuer.shutdown()
            thread.join()


def test_callers_are_known_and_their_secrets_are_not(shop: Shop) -> None:
    """Every kind of credential, good and bad: the upstream learns who it is, and no output ever holds a secret."""
    good, bad = token(), token(aud="canary-audience", sub="canary-subject")
    status, seen, _ = shop.get(authorization=f"Bearer {good}", x_subject="root")
    assert (status, seen["headers"]["x-subject"]) == (200, "alice")
    assert "authorization" not in {name.lower() for name in seen["headers"]}
    assert shop.get(cookie=f"session={good}")[0] == 200
    assert shop.get(f"/x?access_token={good}")[0] == 200
    assert shop.get(x_api_key=KEY)[1]["headers"]["x-subject"] == "acme"

    secrets = [CANARY, KEY, *good.split("."), *bad.split(".")]
    told: list[str] = []
    wrong: list[tuple[str, dict[str, str]]] = [
        ("/x", {"authorization": f"Bearer {bad}"}), ("/x", {"authorization": f"Bearer {good}x"}),
        ("/x", {"authorization": f"Bearer {CANARY}"}), ("/x", {"x_api_key": f"azk_{CANARY}"}),
        ("/x", {"cookie": f"session={CANARY}"}), (f"/x?access_token={CANARY}", {}),
        ("/x", {"authorization": f"Bearer {good}", "x_api_key": KEY}),
        ("/x", {"authorization": "Bearer " + "c" * 20_000}),
    ]  # fmt: skip
    for path, headers in wrong:
        status, body, answered = shop.get(path, **headers)
        assert status == 401, (path, headers)
        assert answered["www-authenticate"] == 'Bearer realm="api", error="invalid_token", ApiKey realm="api"'
        told.append(json.dumps(body) + str(answered))
    status, body, answered = shop.get()
    assert (status, body["reason"]) == (401, "unauthenticated")
    assert answered["www-authenticate"] == 'Bearer realm="api", ApiKey realm="api"'

    metrics, state = shop.admin("/metrics"), shop.admin("/status")
    assert 'authz_api_key_used_timestamp_seconds{key="one",provider="partner"}' in metrics
    assert 'authz_identity_total{outcome="invalid_credentials",provider="staff"}' in metrics
    assert 'authz_jwks_age_seconds{provider="staff"}' in metrics
    assert json.loads(state)["jwks"]["staff"]["keys"] == 1
    shop.stop()
    records = (shop.folder / "records").read_text()
    assert '"invalid_credentials"' in records
    assert "the token is for another audience" in records
    for output in (*told, metrics, state, records, *shop.said, (shop.folder / "envoy.log").read_text()):
        assert not [secret for secret in secrets if secret in output], output


def test_an_issuer_that_is_away_costs_nobody_anything(shop: Shop) -> None:
    """J6: fetches fail, the state says so, tokens go on; a reload neither forgets the keys nor asks for them again."""
    assert shop.get(authorization=f"Bearer {token()}")[0] == 200
    shop.issuer.away = True
    wait_for(lambda: json.loads(shop.admin("/status"))["jwks"]["staff"]["error"] != "")
    generation = json.loads(shop.admin("/status"))["generation"]
    (shop.policies / "policy.yaml").write_text(POLICY + "    - {name: more, allow: 'false'}\n")
    wait_for(lambda: json.loads(shop.admin("/status"))["generation"] > generation)
    assert shop.get(authorization=f"Bearer {token(jti='new')}")[0] == 200
    assert 'authz_jwks_failing{provider="staff"} 1.0' in shop.admin("/metrics")
    assert sum("keys can't be fetched" in line for line in shop.said) == 1


def test_a_provider_that_gets_stricter_is_at_once(shop: Shop) -> None:
    """L10: a token that was verified by older rules is verified again by the new ones."""
    held = token()
    assert shop.get(authorization=f"Bearer {held}")[0] == 200
    stricter = PROVIDERS.replace("[orders-api]", "[another-api]").replace("URI", shop.issuer.uri)
    (shop.policies / "providers.yaml").write_text(stricter)
    wait_for(lambda: shop.get(authorization=f"Bearer {held}")[0] == 401)


def wait_for(condition: Callable[[], bool], within: float = 20.0) -> None:
    """Wait until a condition holds, with a deadline."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.05)
