"""Write `jws.json`: signatures that hold and many that nearly do, by keys that are thrown away.

    python tests/identity/vectors/write.py

The layout is Wycheproof's: groups of one public key, with tokens and what is to become of each.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import get_default_algorithms

ALGORITHMS = get_default_algorithms()
CLAIMS = {"iss": "https://login.example.com/", "sub": "alice", "exp": 4_000_000_000}
PAYLOAD = json.dumps(CLAIMS).encode()
ORDER = 2**252 + 27742317777372353535851937790883648493  # of Ed25519's base point (RFC 8032)

Case = tuple[str, Any, str]
VALID, INVALID = "valid", "invalid"


def b64(content: bytes) -> str:
    """Encode as base64url without padding."""
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def parts(token: str) -> tuple[str, str, bytes]:
    """Return header and payload as they are, and the signature's bytes."""
    header, payload, signature = token.split(".")
    return header, payload, urlsafe_b64decode(signature + "==")


def token(key: Any, algorithm: str, header: dict[str, object] | str | None = None, payload: bytes = PAYLOAD) -> str:
    """Sign with a key by an algorithm; the header says that algorithm, and more."""
    fields = header if isinstance(header, str) else json.dumps({"alg": algorithm, **(header or {})})
    signed = f"{b64(fields.encode())}.{b64(payload)}"
    return f"{signed}.{b64(ALGORITHMS[algorithm].sign(signed.encode(), key))}"


def nearly(key: Any, other: Any, algorithm: str) -> Iterator[Case]:
    """Yield what every kind of key must refuse."""
    good = token(key, algorithm)
    header, payload, signature = parts(good)
    yield "good", good, VALID
    yield "with a kid", token(key, algorithm, {"kid": "1"}), VALID
    yield "of another type", token(key, algorithm, {"typ": "at+jwt"}), VALID
    for name in ("none", "None", "NONE", "nOnE", ""):
        unsigned = f"{b64(json.dumps({'alg': name}).encode())}.{payload}"
        yield f"alg {name!r} unsigned", f"{unsigned}.", INVALID
        yield f"alg {name!r} with a signature", f"{unsigned}.{b64(signature)}", INVALID
    yield "no alg", token(key, algorithm, "{}"), INVALID
    yield "alg is a list", token(key, algorithm, {"alg": [algorithm]}), INVALID
    yield "alg in another case", token(key, algorithm, {"alg": algorithm.lower()}), INVALID
    yield "kid is a number", token(key, algorithm, {"kid": 1}), INVALID
    yield "kid of nobody", token(key, algorithm, {"kid": "2"}), INVALID
    yield "by another key", token(other, algorithm), INVALID
    yield "another payload", f"{header}.{b64(PAYLOAD.replace(b'alice', b'admin'))}.{b64(signature)}", INVALID
    yield (
        "another header",
        f"{b64(json.dumps({'alg': algorithm, 'x': 1}).encode())}.{payload}.{b64(signature)}",
        INVALID,
    )
    yield "no signature", f"{header}.{payload}.", INVALID
    yield "two parts", f"{header}.{payload}", INVALID
    yield "five parts", f"{good}.x.y", INVALID
    yield "truncated", good[:-4], INVALID
    yield "half a signature", f"{header}.{payload}.{b64(signature[: len(signature) // 2])}", INVALID
    yield "a byte more", f"{header}.{payload}.{b64(signature + b'x')}", INVALID
    yield "a zero before", f"{header}.{payload}.{b64(bytes(1) + signature)}", INVALID
    yield "zeros", f"{header}.{payload}.{b64(bytes(len(signature)))}", INVALID
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    yield "another spelling of the same bytes", good[:-1] + letters[letters.index(good[-1]) ^ 1], INVALID
    yield "padded", f"{good}=", INVALID
    yield "a line break", f"{good}\n", INVALID
    yield "a blank", f"{header}.{payload} .{b64(signature)}", INVALID
    yield "plain base64", f"{header}.{payload}.+/{b64(signature)[2:]}", INVALID
    yield "header is a list", token(key, algorithm, "[]"), INVALID
    yield "alg twice", token(key, algorithm, f'{{"alg":"none","alg":"{algorithm}"}}'), INVALID
    mallory = ALGORITHMS[algorithm].to_jwk(other.public_key(), as_dict=True)
    for name, more in (
        ("its own jwk", {"jwk": mallory}), ("jku", {"jku": "https://mallory.example/keys"}), ("x5c", {"x5c": ["MIIB"]}),
        ("x5u", {"x5u": "https://mallory.example/"}), ("crit exp", {"crit": ["exp"], "exp": 1}), ("crit", {"crit": []}),
        ("crit of nothing known", {"crit": ["x"], "x": 1}), ("b64 false", {"b64": False, "crit": ["b64"]}),
        ("zip", {"zip": "DEF"}),
    ):  # fmt: skip
        yield f"{name}, by another key", token(other, algorithm, more), INVALID
        yield f"{name}, by this key", token(key, algorithm, more), INVALID


def secrets(public: Any) -> Iterator[Case]:
    """Yield HMACs over everything a public key could be written as."""
    written = {
        "PEM": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "PEM without the last line end": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).strip(),
        "DER": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "PKCS1": public.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
        "JWK": json.dumps(ALGORITHMS["RS256"].to_jwk(public, as_dict=True)).encode(),
        "nothing": b"",
    }
    for name, secret in written.items():
        signed = f"{b64(json.dumps({'alg': 'HS256'}).encode())}.{b64(PAYLOAD)}"
        yield f"HS256 over {name}", f"{signed}.{b64(hmac.digest(secret, signed.encode(), hashlib.sha256))}", INVALID


def malleable(key: ed25519.Ed25519PrivateKey) -> Iterator[Case]:
    """Yield a signature whose second half is the same number and written otherwise (RFC 8032, section 5.1.7)."""
    header, payload, signature = parts(token(key, "EdDSA"))
    more = int.from_bytes(signature[32:], "little") + ORDER
    yield "S of the order or more", f"{header}.{payload}.{b64(signature[:32] + more.to_bytes(32, 'little'))}", INVALID


def der(key: ec.EllipticCurvePrivateKey) -> Iterator[Case]:
    """Yield a signature as OpenSSL writes it, and one by the right key with another curve's algorithm."""
    header, payload, _ = parts(token(key, "ES256"))
    signature = key.sign(f"{header}.{payload}".encode(), ec.ECDSA(hashes.SHA256()))
    yield "DER", f"{header}.{payload}.{b64(signature)}", INVALID
    good = token(key, "ES256")
    yield "says ES384", f"{b64(json.dumps({'alg': 'ES384'}).encode())}.{good.partition('.')[2]}", INVALID


def group(comment: str, algorithm: str, public: dict[str, object], cases: Iterator[Case]) -> dict[str, object]:
    """Return a group as Wycheproof writes it."""
    return {
        "type": "JsonWebSignature",
        "comment": comment,
        "public": {**public, "kid": "1", **({"alg": algorithm} if algorithm else {})},
        "tests": [
            {"tcId": number, "comment": about, "jws": jws, "result": result}
            for number, (about, jws, result) in enumerate(cases, 1)
        ],
    }


def refused(*cases: Case) -> Iterator[Case]:
    """Yield cases of a key that is none: nothing by it is good."""
    yield from ((about, jws, INVALID) for about, jws, _ in cases)


def groups() -> Iterator[dict[str, object]]:
    """Yield a group per key."""
    for algorithm, key, other, more in (
        ("ES256", *(ec.generate_private_key(ec.SECP256R1()) for _ in range(2)), der),
        ("RS256", *(rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)), None),
        ("EdDSA", *(ed25519.Ed25519PrivateKey.generate() for _ in range(2)), malleable),
    ):
        jwk = ALGORITHMS[algorithm].to_jwk(key.public_key(), as_dict=True)
        cases = [*nearly(key, other, algorithm), *(more(key) if more else ())]
        if algorithm == "RS256":
            cases += [*secrets(key.public_key()), ("PS256 by a key for RS256", token(key, "PS256"), INVALID)]
        yield group(algorithm, algorithm, jwk, iter(cases))
    p384 = ec.generate_private_key(ec.SECP384R1())
    jwk = ALGORITHMS["ES384"].to_jwk(p384.public_key(), as_dict=True)
    yield group("a curve that its algorithm is not for", "ES256", jwk, refused(("signed", token(p384, "ES384"), "")))
    p256 = ec.generate_private_key(ec.SECP256R1())
    jwk = ALGORITHMS["ES256"].to_jwk(p256.public_key(), as_dict=True)
    yield group("no point of the curve", "ES256", {**jwk, "y": jwk["x"]}, refused(("signed", token(p256, "ES256"), "")))
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - which is the point
    jwk = ALGORITHMS["RS256"].to_jwk(short.public_key(), as_dict=True)
    yield group("a short RSA key", "RS256", jwk, refused(("signed", signed_by_short(short), "")))


def signed_by_short(key: rsa.RSAPrivateKey) -> str:
    """Sign with a key that the library warns of."""
    signed = f"{b64(json.dumps({'alg': 'RS256'}).encode())}.{b64(PAYLOAD)}"
    return f"{signed}.{b64(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


if __name__ == "__main__":
    document = {"algorithm": "JsonWebSignature", "testGroups": list(groups())}
    Path(__file__).with_name("jws.json").write_text(json.dumps(document, indent=1) + "\n")
