"""Keys that sign: read strictly, named by what they are, exchanged without anybody noticing."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from authz.errors import Unavailable
from authz.identity.signing import SigningKeys, read_key, thumbprint
from tests.identity.conftest import wait_for

if TYPE_CHECKING:
    from pathlib import Path

P256, ED25519 = ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: Any, password: bytes | None = None) -> bytes:
    """Write a private key as OpenSSL does."""
    encryption = NoEncryption() if password is None else BestAvailableEncryption(password)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


@pytest.mark.parametrize(("private", "algorithm"), [(P256, "ES256"), (ED25519, "EdDSA"), (RSA, "RS256")])
def test_the_type_of_a_key_says_how_it_signs(private: Any, algorithm: str) -> None:
    """Anybody's library verifies it with what is published, which holds nothing private."""
    key = read_key(pem(private))
    token = key.sign(b'{"sub":"alice"}')
    assert jwt.get_unverified_header(token) == {"alg": algorithm, "kid": key.kid, "typ": "JWT"}
    published = jwt.PyJWK(dict(key.public))
    assert jwt.decode(token, published, [algorithm])["sub"] == "alice"
    assert key.public.keys() <= {"kty", "crv", "x", "y", "n", "e", "kid", "alg", "use"}
    assert key.kid == thumbprint({k: v for k, v in key.public.items() if k not in {"kid", "alg", "use"}})


RFC_7638 = (
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhM"
    "stn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5"
    "hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
)


@pytest.mark.parametrize(("named", "expected"), [
    ({"kty": "RSA", "e": "AQAB", "n": RFC_7638}, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
    ({"crv": "Ed25519", "kty": "OKP", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
     "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
])  # fmt: skip
def test_a_key_is_called_what_the_standards_call_it(named: dict[str, str], expected: str) -> None:
    """The examples of RFC 7638, section 3.1, and of RFC 8037, appendix A.3: everybody gives a key this name."""
    assert thumbprint(named) == expected


@pytest.mark.parametrize("content", [
    b"", b"canary", pem(P256)[:-40], pem(P256, b"canary"), pem(ec.generate_private_key(ec.SECP384R1())),
    pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)),  # noqa: S505 - which is the point
    P256.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
])  # fmt: skip
def test_what_is_no_key_to_sign_with_is_refused(content: bytes) -> None:
    """A public key, an encrypted one, another curve, a short RSA key, half a file: refused, and not repeated."""
    with pytest.raises(ValueError, match=r"^(no private key|only P-256)") as error:
        read_key(content)
    assert "canary" not in str(error.value)


def test_the_first_signs_and_all_are_published(tmp_path: Path) -> None:
    """Files in the order given, those of a folder by name, each key once; what Kubernetes links with is skipped."""
    folder = tmp_path / "keys"
    (folder / "..data").mkdir(parents=True)
    (folder / ".swap").write_text("no key")
    (folder / "b.pem").write_bytes(pem(RSA))
    (folder / "a.pem").write_bytes(pem(ED25519))
    (tmp_path / "also.pem").write_bytes(pem(RSA))
    keys = SigningKeys([folder, tmp_path / "also.pem"])
    keys.load()
    published: Any = keys.published()
    assert [key["alg"] for key in published["keys"]] == ["EdDSA", "RS256"]
    assert keys.first().algorithm == "EdDSA"
    assert keys.status() == {"keys": [key["kid"] for key in published["keys"]], "error": ""}
    private = base64.urlsafe_b64encode(ED25519.private_bytes_raw()).decode().rstrip("=")
    assert private not in json.dumps(published)


def test_a_rotation_is_seen_and_a_broken_one_changes_nothing(tmp_path: Path) -> None:
    """L10: the old keys sign until the new ones can be read; what is wrong is in the state."""
    file = tmp_path / "key.pem"
    file.write_bytes(pem(P256))
    keys = SigningKeys([file])
    keys.load()
    first = keys.first()
    keys.reload()
    assert keys.first() is first
    for broken in (b"half a key", b""):
        file.write_bytes(broken)
        keys.reload()
        assert keys.first() is first
        assert "key.pem: no private key in PEM" in keys.error
    file.unlink()
    keys.reload()
    assert (keys.first(), "No such file" in keys.error) == (first, True)
    file.write_bytes(pem(ED25519))
    keys.reload()
    assert (keys.first().algorithm, keys.error) == ("EdDSA", "")


def test_a_rotation_is_seen_without_being_told(tmp_path: Path) -> None:
    """A thread looks at the files, and ends when it is to."""
    file = tmp_path / "key.pem"
    file.write_bytes(pem(P256))
    keys = SigningKeys([file], 0.01)
    keys.load()
    keys.start()
    try:
        file.write_bytes(pem(ED25519))
        wait_for(lambda: keys.first().algorithm == "EdDSA")
    finally:
        keys.stop()


def test_without_keys_nothing_begins(tmp_path: Path) -> None:
    """A folder without any, a file that is not there: told at the start, with the file's name."""
    for places in ([tmp_path], [tmp_path / "missing.pem"]):
        with pytest.raises(Unavailable, match="keys to sign with"):
            SigningKeys(places).load()
    (tmp_path / "bad.pem").write_text("no key")
    with pytest.raises(Unavailable, match=r"bad\.pem: no private key"):
        SigningKeys([tmp_path]).load()
