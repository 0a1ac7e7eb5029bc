"""Signatures that others wrote down: none that is invalid is believed, and those that are valid are."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt import PyJWK

from authz.identity.credentials import InvalidCredential
from authz.identity.jwt import JwtRules, StaticKeys, Verifier
from authz.identity.keys import ALGORITHMS, read_keys
from tests.identity.vectors.reading import Vector, vectors

if TYPE_CHECKING:
    from collections.abc import Callable

OURS = Path(__file__).parent / "vectors"
THEIRS = os.environ.get("AUTHZ_TEST_JWS_VECTORS") or os.environ.get("AUTHZ_JWS_VECTORS") or ""
RULES = JwtRules(issuer="https://login.example.com/", algorithms=tuple(ALGORITHMS))
READ = "reads one way", "another issuer", "names nobody", "expired", "lacks the claim", "no time", "not valid yet"
"""What is said of a token whose signature was good."""


def believed(vector: Vector) -> bool:
    """Say whether a token's signature counts: by the keys, and with every algorithm there is permitted."""
    try:
        keys = read_keys(vector.jwks, secrets=True)
    except ValueError:
        return False
    try:
        return Verifier("staff", RULES, StaticKeys(keys)).verify(vector.token, 1_790_000_000.0).authenticated
    except InvalidCredential as error:
        return any(words in str(error) for words in READ) and "header" not in str(error)


def test_our_own_vectors_are_told_apart() -> None:
    """J1, J2, J3, J4, J9: `none`, HMAC over a public key, other curves, embedded keys, `crit`, truncation, and more."""
    found = vectors(OURS)
    assert [vector.name for vector in found if believed(vector) != vector.valid] == []
    assert sum(vector.valid for vector in found) == 9
    assert len(found) > 150


@pytest.mark.skipif(not THEIRS, reason="AUTHZ_TEST_JWS_VECTORS names no folder of JWS vectors")
def test_no_invalid_vector_is_accepted() -> None:
    """A folder of others' vectors, Wycheproof's for one: none that is invalid verifies, and there are some."""
    found = vectors(Path(THEIRS))
    assert [vector.name for vector in found if not vector.valid and believed(vector)] == []
    assert [vector for vector in found if not vector.valid]
    valid = [vector for vector in found if vector.valid]
    assert not valid or any(map(believed, valid))


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "as it is": lambda group: {"testGroups": [group]},
    "groups": lambda group: {"groups": [{"jwk": group["public"], "tests": group["tests"]}]},
    "a list": lambda group: [{"key": group["public"], "cases": group["tests"]}],
    "a key set": lambda group: {"testGroups": [{"jwks": {"keys": [group["public"]]}, "tests": group["tests"]}]},
    "a key as text": lambda group: {"groups": [{"key": json.dumps(group["public"]), "tests": group["tests"]}]},
    "a key per test": lambda group: {"tests": [{"jwk": group["public"], **test} for test in group["tests"]]},
    "one group": lambda group: {"public": group["public"], "tests": group["tests"]},
    "booleans": lambda group: {
        "jwk": group["public"],
        "tests": [{"token": test["jws"], "valid": test["result"] == "valid"} for test in group["tests"]],
    },
    "PEM": lambda group: {
        "groups": [{"publicKeyPem": _pem(group["public"]), "tests": [_renamed(test) for test in group["tests"]]}]
    },
    "a cookbook": lambda group: [
        {"input": {"key": group["public"]}, "output": {"compact": test["jws"]}}
        for test in group["tests"]
        if test["result"] == "valid"
    ],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_vectors_are_read_however_they_are_laid_out(layout: str, tmp_path: Path) -> None:
    """The same tokens by any of the usual names: none is lost, so that a folder of others' proves something."""
    document = json.loads((OURS / "jws.json").read_bytes())
    for number, group in enumerate(document["testGroups"][:3]):
        (tmp_path / f"{number}.json").write_text(json.dumps(LAYOUTS[layout](group)))
    found = vectors(tmp_path)
    tests = [test for group in document["testGroups"][:3] for test in group["tests"]]
    kept = [test for test in tests if layout != "a cookbook" or test["result"] == "valid"]
    assert len(found) == len(kept)
    if layout != "PEM":  # a PEM has no kid and no alg: what is invalid for their sake is another matter
        assert [vector.name for vector in found if believed(vector) != vector.valid] == []


def _pem(jwk: dict[str, str]) -> str:
    public: Any = PyJWK(jwk).key
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _renamed(test: dict[str, Any]) -> dict[str, Any]:
    return {"compact": test["jws"], "expected": test["result"]}
