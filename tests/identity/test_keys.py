"""A key set gives the keys that can be trusted to be what they say, and only those."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from authz.identity.keys import ALGORITHMS, LARGEST, read_keys

if TYPE_CHECKING:
    from conftest import Issuer


def keyset(*entries: object) -> bytes:
    """Write entries as a key set."""
    return json.dumps({"keys": entries}).encode()


def test_no_algorithm_called_none(issuer: Issuer) -> None:
    """J1: `none` can't be named by a policy, whatever its case."""
    assert not {name for name in ALGORITHMS if name.lower() == "none"}
    assert {"RS256", "ES256", "EdDSA", "PS512"} <= ALGORITHMS.keys()
    assert issuer.keys().skipped == ()


def test_one_bad_key_does_not_cost_the_others(issuer: Issuer) -> None:
    """J6 (CVE-2026-102274): a malformed key is skipped and told; the rest stay usable."""
    keys = read_keys(
        keyset({"kty": "RSA", "n": "!", "e": "AQAB"}, 7, {"kty": "EC", "crv": "P-256"}, issuer.jwk("ES256"))
    )
    assert [key.kid for key in keys.keys] == ["ES256"]
    assert len(keys.skipped) == 3


@pytest.mark.parametrize("content", [
    b"", b"{}", b"[]", b'{"keys": {}}', b'{"keys": []}', b'{"keys": [{"kty": "RSA"}]}', b"<html>", b" " * (LARGEST + 1),
])  # fmt: skip
def test_a_set_without_a_usable_key_is_none(content: bytes) -> None:
    """J6: an empty or garbled answer must not replace keys that work."""
    with pytest.raises(ValueError):  # noqa: PT011 - each reader's own words
        read_keys(content)


def test_a_keys_type_decides_what_it_verifies(issuer: Issuer) -> None:
    """J1, J2: an RSA key is never an HMAC secret, and a key that says `alg` is for that one alone."""
    assert read_keys(keyset(issuer.jwk("RS256"))).keys[0].algorithms == {"RS256"}
    free = issuer.jwk("RS256")
    del free["alg"]
    assert read_keys(keyset(free)).keys[0].algorithms == {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
    with pytest.raises(ValueError, match="no usable key"):
        read_keys(keyset(issuer.jwk("RS256", alg="HS256")))


def test_a_key_for_something_else_is_skipped(issuer: Issuer) -> None:
    """RFC 7517, sections 4.2 and 4.3: an encryption key verifies nothing."""
    for more in ({"use": "enc"}, {"key_ops": ["encrypt"]}):
        with pytest.raises(ValueError, match="not for verifying"):
            read_keys(keyset(issuer.jwk("RS256", **more)))


def test_a_short_rsa_key_is_skipped() -> None:
    """RFC 7518, section 3.3: 2048 bits or more."""
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key()  # noqa: S505 - to see it refused
    with pytest.raises(ValueError, match="1024 bits is too short"):
        read_keys(keyset(RSAAlgorithm.to_jwk(short, as_dict=True)))


def test_a_secret_is_read_from_a_file_only() -> None:
    """J1: a key set behind a URI is public, so a symmetric key in it is no secret."""
    secret = {"kty": "oct", "k": base64.urlsafe_b64encode(b"s" * 32).rstrip(b"=").decode()}
    with pytest.raises(ValueError, match="only read from a file"):
        read_keys(keyset(secret))
    assert read_keys(keyset(secret), secrets=True).keys[0].algorithms == {"HS256", "HS384", "HS512"}
    with pytest.raises(ValueError, match="too short"):
        read_keys(keyset({**secret, "k": "c2hvcnQ"}), secrets=True)


def test_a_private_key_is_read_as_its_public_half(issuer: Issuer) -> None:
    """A set published by mistake with private parts verifies, and the private parts are not kept."""
    private = {**RSAAlgorithm.to_jwk(issuer.private["RS256"], as_dict=True), "kid": "k"}
    assert private.pop("key_ops") == ["sign"]
    assert isinstance(read_keys(keyset(private)).keys[0].material, rsa.RSAPublicKey)


def test_the_same_keys_have_the_same_fingerprint(issuer: Issuer) -> None:
    """A refresh that brought nothing new is seen as that."""
    assert issuer.keys("ES256").fingerprint == issuer.keys("ES256").fingerprint
    assert issuer.keys("ES256").fingerprint != issuer.keys("ES384").fingerprint
