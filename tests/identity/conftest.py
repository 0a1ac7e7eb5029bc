"""An issuer with real keys of every kind, and requests that carry what it signed."""

from __future__ import annotations

import base64
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from jwt.algorithms import get_default_algorithms

from authz.identity.keys import KeySet, read_keys
from authz.model import Peer, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NOW = 1_790_000_000.0
ISSUER = "https://login.example.com/"
SECRET = b"a secret of at least thirty-two bytes"


def wait_for(condition: Callable[[], object], within: float = 30.0) -> None:
    """Wait until a condition holds that another thread brings about; fail where it never does."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it never came to hold"
        threading.Event().wait(0.005)


class Issuer:
    """Signs tokens. `private` maps an algorithm to its key; `jwks` is what it publishes."""

    def __init__(self) -> None:
        shared = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.private: dict[str, Any] = {
            **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), shared),
            "ES256": ec.generate_private_key(ec.SECP256R1()),
            "ES384": ec.generate_private_key(ec.SECP384R1()),
            "ES512": ec.generate_private_key(ec.SECP521R1()),
            "EdDSA": ed25519.Ed25519PrivateKey.generate(),
        }
        self.ed448 = ed448.Ed448PrivateKey.generate()

    def jwk(self, algorithm: str, **more: object) -> dict[str, object]:
        """Return the public key for an algorithm as a JWK, named after the algorithm."""
        public = self.private[algorithm].public_key()
        written = get_default_algorithms()[algorithm].to_jwk(public, as_dict=True)
        return {**written, "kid": algorithm, "alg": algorithm, "use": "sig", **more}

    def jwks(self, *algorithms: str) -> bytes:
        """Return the key set with the keys for these algorithms, or for all."""
        return json.dumps({"keys": [self.jwk(name) for name in algorithms or self.private]}).encode()

    def keys(self, *algorithms: str) -> KeySet:
        """Return the key set as a verifier reads it."""
        return read_keys(self.jwks(*algorithms))

    def token(self, algorithm: str = "RS256", headers: Mapping[str, object] | None = None, /, **claims: object) -> str:
        """Return a token that is good unless the claims or headers say otherwise; a claim of `None` is left out."""
        good = {"iss": ISSUER, "aud": "orders-api", "sub": "alice", "exp": NOW + 600, "iat": NOW - 10}
        payload = {name: value for name, value in {**good, **claims}.items() if value is not None}
        header = {"kid": algorithm, **(headers or {})}
        return jwt.PyJWS().encode(json.dumps(payload).encode(), self.private[algorithm], algorithm, header)

    def forged(self, header: Mapping[str, object], payload: object, signature: bytes = b"x" * 64) -> str:
        """Return a token in form only."""
        parts = (json.dumps(header).encode(), json.dumps(payload).encode(), signature)
        return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@pytest.fixture(scope="session")
def issuer() -> Issuer:
    """Return one issuer for all tests: making its keys takes a moment."""
    return Issuer()


@pytest.fixture
def request_with() -> Callable[..., Request]:
    """Return a maker of requests with these headers, query and principal."""

    def make(headers: Mapping[str, str] | None = None, query: str = "", principal: str = "", **more: object) -> Request:
        values: dict[str, Any] = {
            "id": "r", "method": "GET", "scheme": "https", "host": "api.example.com", "port": 443, "path": "/v1/orders",
            "query": query, "protocol": "HTTP/2", "time": NOW, "headers": headers or {},
            "source": Peer(ip="10.0.0.1", port=1, principal=principal), "destination": Peer(),
        }  # fmt: skip
        return Request(**(values | more))

    return make
