"""Tokens signed for a run of tests, and verified as the service verifies tokens: other keys, the same code.

A key is made for each algorithm when it is first wanted, and forgotten with the run. Of the algorithms that a provider
permits, one whose keys are quickly made goes first.
"""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from authz.identity.jwt import StaticKeys, Verifier
from authz.identity.keys import ALGORITHMS, read_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authz.identity.jwt import JwtRules
    from authz.model import Identity

_CURVES: Mapping[str, Callable[[], ec.EllipticCurve]] = {
    "ES256": ec.SECP256R1,
    "ES384": ec.SECP384R1,
    "ES512": ec.SECP521R1,
}


class RunKeys:
    """The keys of one run, by algorithm; a `callers.Signer`."""

    def __init__(self) -> None:
        self._keys: dict[str, Any] = {}
        self._verifiers: dict[str, Verifier] = {}

    def sign(self, rules: JwtRules, claims: Mapping[str, Any]) -> str:
        """Return a token that says these claims, signed by an algorithm the rules permit."""
        algorithm = _quickest(rules.algorithms)
        return jwt.encode(dict(claims), self._key(algorithm), algorithm)

    def verify(self, provider: str, rules: JwtRules, token: str, now: float) -> Identity:
        """Return who a token proves; raises `InvalidCredential`."""
        verifier = self._verifiers.get(provider)
        if verifier is None:
            algorithm = _quickest(rules.algorithms)
            key = json.loads(ALGORITHMS[algorithm].to_jwk(_public(self._key(algorithm))))
            keys = read_keys(json.dumps({"keys": [key]}).encode(), secrets=True)
            verifier = self._verifiers[provider] = Verifier(provider, rules, StaticKeys(keys))
        return verifier.verify(token, now)

    def _key(self, algorithm: str) -> Any:  # noqa: ANN401 - of cryptography, by algorithm
        if algorithm not in self._keys:
            self._keys[algorithm] = _made(algorithm)
        return self._keys[algorithm]


def _quickest(algorithms: tuple[str, ...]) -> str:
    return min(algorithms, key=lambda name: (name[:2] in {"RS", "PS"}, name))


def _made(algorithm: str) -> Any:  # noqa: ANN401 - of cryptography, by algorithm
    if algorithm in _CURVES:
        return ec.generate_private_key(_CURVES[algorithm]())
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return secrets.token_bytes(64) if algorithm.startswith("HS") else rsa.generate_private_key(65537, 2048)


def _public(key: Any) -> Any:  # noqa: ANN401 - likewise
    return key if isinstance(key, bytes) else key.public_key()
