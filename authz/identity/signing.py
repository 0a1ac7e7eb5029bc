"""The keys that we sign with, and the key set by which others verify (RFC 7517).

What a private key signs with follows from its type, what it is called from its public half (RFC 7638), so there is
nothing to set and nothing to confuse. The first key signs; all are published, so that a new one is known before it is
used and an old one for as long as what it signed is good. Files that can't be read, or hold anything else, never take
the place of keys that could be.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import threading
from typing import TYPE_CHECKING, Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from authz.errors import Unavailable
from authz.files import whole
from authz.identity.keys import ALGORITHMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

_log = logging.getLogger(__name__)

INTERVAL = 5.0

_SHORTEST_RSA = 2048
_NAMED_BY = {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x"), "RSA": ("e", "kty", "n")}
"""The members of a public key that its thumbprint is made of (RFC 7638, section 3.2; RFC 8037, appendix A.3)."""


class SigningKey(msgspec.Struct, frozen=True, kw_only=True):
    """One key that signs. `head` is the first part of what it signs, ready to use; `public` is what is published."""

    kid: str
    algorithm: str
    head: str
    public: Mapping[str, str]
    private: Any

    def sign(self, payload: bytes) -> str:
        """Return a JSON Web Signature in compact form (RFC 7515, section 7.1)."""
        signed = f"{self.head}.{_base64(payload)}"
        return f"{signed}.{_base64(ALGORITHMS[self.algorithm].sign(signed.encode(), self.private))}"


class SigningKeys:
    """The keys of some files and folders, looked at every `interval` seconds; `load` before anything is signed."""

    def __init__(self, places: Sequence[Path], interval: float = INTERVAL) -> None:
        self._places = places
        self._interval = interval
        self._contents: tuple[tuple[str, bytes], ...] | None = None
        self._keys: tuple[SigningKey, ...] = ()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self.error = ""

    def load(self) -> None:
        """Read the files, and take their keys if anything changed; raises `Unavailable` and keeps the old ones."""
        try:
            contents = tuple(_contents(self._places))
            if contents != self._contents:
                self._keys, self._contents = _read(contents), contents
        except (OSError, ValueError) as error:
            reason = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
            raise Unavailable(f"the keys to sign with can't be used: {reason}") from error

    def start(self) -> None:
        """Look at the files from now on."""
        self._thread = threading.Thread(target=self._watch, name="signing-keys", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join()

    def reload(self) -> None:
        """Look at the files now; what can't be used is told once, and the keys that are there go on signing."""
        try:
            self.load()
        except Unavailable as error:
            if str(error) != self.error:
                _log.error("the old keys go on signing", extra={"fields": {"error": str(error)}})
            self.error = str(error)
        else:
            self.error = ""

    def first(self) -> SigningKey:
        """Return the key that signs."""
        return self._keys[0]

    def published(self) -> Mapping[str, object]:
        """Return the key set that others verify with."""
        return {"keys": [key.public for key in self._keys]}

    def status(self) -> dict[str, object]:
        """Say which keys there are, the one that signs first, and what is wrong with their files."""
        return {"keys": [key.kid for key in self._keys], "error": self.error}

    def _watch(self) -> None:
        while not self._ending.wait(self._interval):
            self.reload()


def read_key(pem: bytes) -> SigningKey:
    """Read a private key in PEM, not encrypted; raises `ValueError` for any other content and any other key."""
    try:
        private = load_pem_private_key(pem, password=None)
    except Exception as error:
        raise ValueError("no private key in PEM, without a password") from error  # and nothing of what is there
    algorithm = _algorithm(private)
    written = ALGORITHMS[algorithm].to_jwk(private.public_key(), as_dict=True)
    named = {name: str(written[name]) for name in _NAMED_BY[written["kty"]]}
    kid = thumbprint(named)
    return SigningKey(
        kid=kid,
        algorithm=algorithm,
        head=_base64(msgspec.json.encode({"alg": algorithm, "kid": kid, "typ": "JWT"})),
        public={**named, "kid": kid, "alg": algorithm, "use": "sig"},
        private=private,
    )


def thumbprint(named: Mapping[str, str]) -> str:
    """Return the thumbprint of a public key's required members: SHA-256 of them in order (RFC 7638, section 3)."""
    return _base64(hashlib.sha256(msgspec.json.encode(dict(sorted(named.items())))).digest())


def _algorithm(private: object) -> str:
    if isinstance(private, ec.EllipticCurvePrivateKey) and isinstance(private.curve, ec.SECP256R1):
        return "ES256"
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return "EdDSA"
    if isinstance(private, rsa.RSAPrivateKey) and private.key_size >= _SHORTEST_RSA:
        return "RS256"
    raise ValueError(f"only P-256, Ed25519 and RSA of {_SHORTEST_RSA} bits or more sign")


def _contents(places: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    """Yield the files by name and content; those of a folder in order of their names, without `..data` and the like."""
    for place in places:
        files = sorted(place.iterdir()) if place.is_dir() else [place]
        for file in files:
            if not file.name.startswith(".") and not file.is_dir():
                yield str(file), whole(file)


def _read(contents: Iterable[tuple[str, bytes]]) -> tuple[SigningKey, ...]:
    """Return the keys, each once; one bad file is a fault of all: a key that is missing would be missed by others."""
    keys: dict[str, SigningKey] = {}
    for file, content in contents:
        try:
            key = read_key(content)
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from error
        keys.setdefault(key.kid, key)
    if not keys:
        raise ValueError("there is none")
    return tuple(keys.values())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
