"""Reading vectors of JSON Web Signatures: a key, compact tokens, and what is to become of each.

Wycheproof's layout (`testGroups`, each with a key and `tests` of `jws` and `result`), and what others make of the same
idea: groups under another name, a key per test, a key set or PEM for a JWK, `valid: true` for a result. The cookbook
of RFC 7520 says `input` and `output`. Nothing is guessed: what has no token, no key or no result is no vector.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt.algorithms import get_default_algorithms

GROUPS = ("testGroups", "test_groups", "groups", "vectors", "cases", "tests")
TESTS = ("tests", "vectors", "cases", "tokens")
KEYS = ("public", "publicKey", "public_key", "publicJwk", "jwk", "key", "jwks", "keys", "keyPem", "publicKeyPem", "pem",
        "private", "privateKey", "secret")  # fmt: skip
TOKENS = ("jws", "jwt", "token", "compact")
RESULTS = ("result", "expected", "expect", "valid", "ok")


class Vector(msgspec.Struct, frozen=True):
    """One token: the key set to verify it with, and whether its signature is good."""

    name: str
    jwks: bytes
    token: str
    valid: bool


def vectors(folder: Path) -> list[Vector]:
    """Return every vector of every JSON file in a folder and below."""
    return [vector for path in sorted(folder.rglob("*.json")) for vector in _file(path)]


def _file(path: Path) -> Iterator[Vector]:
    document = json.loads(path.read_bytes())
    for vector in _groups(document):
        yield msgspec.structs.replace(vector, name=f"{path.name}: {vector.name}")


def _groups(document: Any) -> Iterator[Vector]:
    if isinstance(document, list):
        for each in document:
            yield from _groups(each)
    elif isinstance(document, dict) and "input" in document and "output" in document:
        yield from _test({"jws": document["output"].get("compact"), "result": "valid"}, document["input"])
    elif isinstance(document, dict):
        held = next((document[name] for name in GROUPS if isinstance(document.get(name), list)), None)
        if held and all(isinstance(each, dict) and _first(each, TESTS) for each in held):
            yield from _groups(held)
        else:
            for test in _first(document, TESTS) or [document]:
                yield from _test(test, document)


def _test(test: Any, group: Mapping[str, Any]) -> Iterator[Vector]:
    if not isinstance(test, dict):
        return
    token, key, result = _first(test, TOKENS), _first(test, KEYS) or _first(group, KEYS), _first(test, RESULTS)
    jwks = _jwks(key)
    good = {"valid": True, "pass": True, True: True, "invalid": False, "fail": False, False: False}.get(result)
    if isinstance(token, str) and jwks is not None and good is not None:
        name = f"{group.get('comment', '')} {test.get('tcId', '')} {test.get('comment') or test.get('name') or ''}"
        yield Vector(" ".join(name.split()), jwks, token, good)


def _first(place: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((place[name] for name in names if place.get(name) is not None), None)


def _jwks(key: Any) -> bytes | None:
    """Return a key set of whatever the key is written as."""
    if isinstance(key, str):
        key = _of_pem(key) if "BEGIN" in key else json.loads(key) if key.startswith("{") else None
    if isinstance(key, list):
        key = {"keys": key}
    if not isinstance(key, dict):
        return None
    return json.dumps(key if "keys" in key else {"keys": [key]}).encode()


def _of_pem(pem: str) -> Any:
    public = load_pem_public_key(pem.encode())
    curves = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
    if isinstance(public, rsa.RSAPublicKey):
        algorithm = "RS256"
    else:
        algorithm = curves.get(public.curve.name, "") if isinstance(public, ec.EllipticCurvePublicKey) else "EdDSA"
    return get_default_algorithms()[algorithm].to_jwk(public, as_dict=True)  # type: ignore[call-overload]
