"""A service behind a real Envoy verifies who we say is calling, with the keys that the admin port publishes."""

from __future__ import annotations

import json
import signal
import urllib.request
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from authz.identity.api_keys import digest
from tests.e2e.conftest import eventually, manager_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.conftest import Edge

pytestmark = pytest.mark.slow

HEADER = "x-authz-identity"
POLICIES = """
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: partner}
spec:
  api_key: {from: [{header: x-api-key}], keys: keys.json}
---
apiVersion: authz/v1
kind: Policy
metadata: {name: all}
spec:
  match: [{paths: ["/**"]}]
  identity: {providers: [partner], required: false, audience: orders-api}
  rules: [{name: all, allow: 'true', request_headers: {remove: [x-api-key]}}]
"""


class Orders:
    """A service that believes our header and nothing else: what its author would write."""

    def __init__(self, port: int) -> None:
        self._client = jwt.PyJWKClient(f"http://127.0.0.1:{port}/.well-known/jwks.json")
        self._port = port

    def published(self) -> list[str]:
        """Return the algorithms of the keys that are published now."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/.well-known/jwks.json", timeout=10) as answer:
            return [key["alg"] for key in json.load(answer)["keys"]]

    def caller(self, headers: dict[str, Any]) -> str:
        """Return who is calling; raises where the header does not prove it to this service."""
        token = headers[HEADER]
        key = self._client.get_signing_key_from_jwt(token)
        claims = jwt.decode(token, key, ["ES256", "EdDSA"], audience="orders-api", issuer="https://authz.example.com")
        return str(claims["sub"])


def lenient(configuration: dict[str, Any]) -> None:
    """Have Envoy pass on headers with underscores, which what we ship refuses."""
    manager_of(configuration)["common_http_protocol_options"]["headers_with_underscores_action"] = "ALLOW"


def write(file: Path, key: Any) -> None:
    """Write a private key."""
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def test_a_service_knows_who_is_calling(run: Callable[..., Edge], tmp_path: Path) -> None:
    """Verified from what is published; a client's own copy never arrives (H4).

    A rotation passes unnoticed: keys are published before they sign, and for as long as what they signed is good.
    """
    policies, keys = tmp_path / "policies", tmp_path / "keys"
    policies.mkdir()
    keys.mkdir()
    (policies / "all.yaml").write_text(POLICIES)
    (policies / "keys.json").write_text(json.dumps([{"id": "one", "subject": "acme", "sha256": digest(b"azk_acme")}]))
    write(keys / "2.pem", ec.generate_private_key(ec.SECP256R1()))
    edge = run(
        "--signing-keys", str(keys), "--signing-issuer", "https://authz.example.com", "--signing-audience", "any",
        policies=policies, change=lenient,
    )  # fmt: skip
    serving = next(line for line in edge.service.log() if line["message"] == "serving")
    orders = Orders(serving["admin_port"])

    def seen(*forged: tuple[str, str], key: str = "azk_acme") -> dict[str, Any]:
        headers = [*forged, *([("x-api-key", key)] if key else [])]
        return edge.ask("GET", "/orders", headers).seen["headers"]

    first = seen()
    assert orders.caller(first) == "acme"
    assert first[HEADER] == seen()[HEADER]

    forged = [(name, "forged") for name in (HEADER, "X-Authz-Identity", "x_authz_identity", "x-authz_identity")]
    known = seen(*forged, (HEADER, first[HEADER]))
    assert orders.caller(known) == "acme"
    for nobody in (seen(*forged, key=""), seen((HEADER, first[HEADER]), key=""), seen(key="")):
        assert not [name for name in nobody if name.replace("_", "-") == HEADER]
    assert not [name for name in known if name != HEADER and name.replace("_", "-") == HEADER]

    write(keys / "3.pem", ed25519.Ed25519PrivateKey.generate())
    edge.service.process.send_signal(signal.SIGHUP)
    eventually(lambda: orders.published() == ["ES256", "EdDSA"])
    assert seen()[HEADER] == first[HEADER]
    orders = Orders(serving["admin_port"])
    assert orders.caller(seen()) == "acme"  # it has fetched the keys again by now
    (keys / "3.pem").rename(keys / "1.pem")
    edge.service.process.send_signal(signal.SIGHUP)
    eventually(lambda: jwt.get_unverified_header(seen()[HEADER])["alg"] == "EdDSA")
    assert [orders.caller(headers) for headers in (seen(), first)] == ["acme", "acme"]
    record = edge.service.records_file.read_text() + edge.service.log_file.read_text()
    assert first[HEADER].split(".")[2] not in record
