"""Key sets (RFC 7517): reading one strictly, and finding the keys that may verify a token.

What a key is good for follows from the key: its type and curve say which algorithms it can verify, `alg` narrows that,
and the policy narrows it again. The token has no say. A key that can't be read is skipped and told, never the
reason to lose the others.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec
from jwt.algorithms import Algorithm, get_default_algorithms

from authz.identity.strict import read_object

if TYPE_CHECKING:
    from collections.abc import Iterable

LARGEST = 512 * 1024
"""Bytes of a key set."""

MOST_KEYS = 256

_FAMILIES: dict[tuple[str, str], tuple[str, ...]] = {
    ("RSA", ""): ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("OKP", "Ed25519"): ("EdDSA",),
    ("OKP", "Ed448"): ("EdDSA",),
    ("oct", ""): ("HS256", "HS384", "HS512"),
}

_SHORTEST_RSA = 2048
_SHORTEST_OCT = 32

ALGORITHMS: dict[str, Algorithm] = {
    name: algorithm
    for name, algorithm in get_default_algorithms().items()
    if any(name in family for family in _FAMILIES.values())
}
"""The algorithms a policy may name; `none` is not among them."""


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """One key that can verify. `algorithms` are the ones its type, curve and `alg` leave."""

    kid: str | None
    algorithms: frozenset[str]
    material: Any

    def verifies(self, algorithm: str, message: bytes, signature: bytes) -> bool:
        """Say whether the signature is this key's, by this algorithm; raises for an algorithm the key is not for."""
        if algorithm not in self.algorithms:
            raise ValueError(f"the key is not for {algorithm}")
        return ALGORITHMS[algorithm].verify(message, self.material, signature)


class KeySet(msgspec.Struct, frozen=True, kw_only=True):
    """The keys that could be read, and why others could not. Sets with the same keys have the same `fingerprint`."""

    keys: tuple[Key, ...]
    skipped: tuple[str, ...] = ()
    fingerprint: str = ""

    def candidates(self, kid: str | None, algorithm: str) -> tuple[Key, ...]:
        """Return the keys that may have signed: for this algorithm, and of the token's `kid` where both have one."""
        return tuple(
            key for key in self.keys if algorithm in key.algorithms and (kid is None or key.kid in {None, kid})
        )


def read_keys(content: bytes, *, secrets: bool = False) -> KeySet:
    """Read a JSON Web Key Set; `secrets` permits symmetric keys, which belong in a file and never behind a URI.

    Raises `ValueError` where there is no key set, or no usable key in it.
    """
    if len(content) > LARGEST:
        raise ValueError(f"the key set is larger than {LARGEST} bytes")
    entries = read_object(content).get("keys")
    if not isinstance(entries, list):
        raise ValueError('the key set has no list "keys"')
    keys, skipped = _read_each(entries[:MOST_KEYS], secrets=secrets)
    if not keys:
        raise ValueError("the key set has no usable key" + (f": {skipped[0]}" if skipped else ""))
    return KeySet(keys=keys, skipped=skipped, fingerprint=hashlib.sha256(content).hexdigest())


def _read_each(entries: Iterable[object], *, secrets: bool) -> tuple[tuple[Key, ...], tuple[str, ...]]:
    keys, skipped = [], []
    for index, entry in enumerate(entries):
        try:
            keys.append(_read_key(entry, secrets=secrets))
        except Exception as error:  # noqa: BLE001 - a library may raise anything over a malformed key
            skipped.append(f"key {index}: {error}")
    return tuple(keys), tuple(skipped)


def _read_key(entry: object, *, secrets: bool) -> Key:
    if not isinstance(entry, dict):
        raise TypeError("not an object")
    if entry.get("use", "sig") != "sig" or "verify" not in entry.get("key_ops", ["verify"]):
        raise ValueError("not for verifying")
    kind = str(entry.get("kty"))
    if kind == "oct" and not secrets:
        raise ValueError("a symmetric key is only read from a file")
    algorithms = _FAMILIES.get((kind, str(entry.get("crv", ""))))
    if algorithms is None:
        raise ValueError(f"unsupported type {kind!r}, curve {entry.get('crv')!r}")
    if "alg" in entry:
        algorithms = tuple(name for name in algorithms if name == entry["alg"])
        if not algorithms:
            raise ValueError(f"the key's type is not for {entry['alg']!r}")
    kid = entry.get("kid")
    if kid is not None and not isinstance(kid, str):
        raise TypeError("kid is no string")
    return Key(kid=kid, algorithms=frozenset(algorithms), material=_material(entry, algorithms[0]))


def _material(entry: dict[str, object], algorithm: str) -> Any:  # noqa: ANN401 - a key of cryptography's, by type
    public = {name: value for name, value in entry.items() if name not in {"d", "p", "q", "dp", "dq", "qi", "oth"}}
    key = ALGORITHMS[algorithm].prepare_key(ALGORITHMS[algorithm].from_jwk(public))
    if entry["kty"] == "RSA" and key.key_size < _SHORTEST_RSA:
        raise ValueError(f"an RSA key of {key.key_size} bits is too short")
    if entry["kty"] == "oct" and len(key) < _SHORTEST_OCT:
        raise ValueError(f"a symmetric key of {len(key)} bytes is too short")
    return key
