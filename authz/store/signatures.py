"""Folders of policies that somebody signed: what is read must be what was signed, all of it and nothing else.

The file `.signature.json` at the top of a folder lists every file with its SHA-256, where it comes from
(`.provenance.json`) included, and has an Ed25519 signature (RFC 8032) of that list: of the line `authz.signature/v1`
and a line `DIGEST  NAME` for each file in order of names, as `sha256sum` writes them. It is checked before anything is
parsed. A signature says who stands for a folder, not that it is the newest: an older one that was signed is good too.
No I/O.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import TYPE_CHECKING

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from authz.errors import Fault
from authz.store.folders import SIGNATURE, is_test

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from authz.store.folders import Origin, Reading

FORMAT = "authz.signature/v1"

_DIGEST = re.compile(r"[0-9a-f]{64}")
"""What is listed of a file; anything else could be a line more."""

_KEY_ID = 16
"""Hex digits of the digest of a public key that name it: for people, never for trust."""


class Signature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file says: by which key, of which files by name, and the signature in base64."""

    format: str
    key: str
    signature: str
    files: dict[str, str]


class Trust:
    """The keys whose signatures count. `tests` says that tests are read, and must be there too."""

    def __init__(self, keys: Iterable[Ed25519PublicKey], *, tests: bool = False) -> None:
        self._keys = {key_id(key): key for key in keys}
        self._tests = tests

    def faults(self, reading: Reading) -> tuple[Fault, ...]:
        """Return why what was read is not what somebody trusted has signed; nothing where it is."""
        found = [fault for origin in reading.origins for fault in self._faults(origin, reading)]
        folders = tuple(f"{origin.source}/" for origin in reading.origins)
        found += [
            Fault(
                file=name, message="is in no folder that is signed", hint="name its folder: files are not signed alone"
            )
            for name in reading.files
            if not name.startswith(folders)
        ]
        return tuple(sorted(found))

    def _faults(self, origin: Origin, reading: Reading) -> Iterator[Fault]:
        content = origin.marks.get(SIGNATURE)
        if content is None:
            yield Fault(
                file=origin.source, message="is not signed", hint="authz sign does, reload.verify_keys wants it"
            )
            return
        place = f"{origin.source}/{SIGNATURE}"
        try:
            signed = self._signed(content)
        except ValueError as error:
            yield Fault(file=place, message=str(error))
            return
        there = {name: digest(each) for name, each in files_of(origin, reading).items()}
        for name in sorted({*there, *signed}):
            message = self._difference(name, signed.get(name), there.get(name))
            if message:
                yield Fault(file=f"{origin.source}/{name}", message=message)

    def _difference(self, name: str, signed: str | None, there: str | None) -> str:
        if signed is None:
            return "is not among the files that were signed"
        if there is None:
            return "was signed and is missing" if self._tests or not is_test(name) else ""
        return "" if signed == there else "is not what was signed"

    def _signed(self, content: bytes) -> Mapping[str, str]:
        """Return the list that a trusted key has signed; raise `ValueError` where there is none."""
        try:
            said = msgspec.json.decode(content, type=Signature)
            signature = base64.b64decode(said.signature, validate=True)
        except (msgspec.DecodeError, UnicodeDecodeError, binascii.Error) as error:
            raise ValueError(f"is no signature: {error}") from None
        if said.format != FORMAT:
            raise ValueError(f"is no signature: its format is not {FORMAT}")
        key = self._keys.get(said.key)
        if key is None:
            raise ValueError(f"is by a key that is not trusted ({', '.join(self._keys)} would be)")
        try:
            key.verify(signature, _listed(said.files))
        except InvalidSignature:
            raise ValueError("is not a signature of its list of files by the key it names") from None
        return said.files


def sign(files: Mapping[str, bytes], key: Ed25519PrivateKey) -> bytes:
    """Return the file that signs others, by their names in the folder; raise `ValueError` for a name that can't be."""
    digests = {name: digest(files[name]) for name in sorted(files)}
    signature = base64.b64encode(key.sign(_listed(digests))).decode()
    said = Signature(format=FORMAT, key=key_id(key.public_key()), signature=signature, files=digests)
    return msgspec.json.format(msgspec.json.encode(said), indent=2) + b"\n"


def files_of(origin: Origin, reading: Reading) -> Mapping[str, bytes]:
    """Return what was read of one folder and can be signed, by name in it."""
    prefix = f"{origin.source}/"
    files = {name.removeprefix(prefix): each for name, each in reading.files.items() if name.startswith(prefix)}
    return files | {name: each for name, each in origin.marks.items() if name != SIGNATURE}


def private_key(pem: bytes) -> Ed25519PrivateKey:
    """Read a private key; raise `ValueError` where it is none of Ed25519, or needs a passphrase."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("is no private key of Ed25519 without a passphrase, in PEM")
    return key


def public_key(pem: bytes) -> Ed25519PublicKey:
    """Read a public key; raise `ValueError` where it is none of Ed25519."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("is no public key of Ed25519, in PEM")
    return key


def key_id(key: Ed25519PublicKey) -> str:
    """Return the name of a key."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:_KEY_ID]


def digest(content: bytes) -> str:
    """Return how the content of a file is listed."""
    return hashlib.sha256(content).hexdigest()


def _listed(digests: Mapping[str, str]) -> bytes:
    """Return the text that is signed; raise `ValueError` for what two readers might read differently."""
    for name in digests:
        if not _DIGEST.fullmatch(digests[name]):
            raise ValueError(f"can't be signed: the digest of {name!r} is none")
        if not name.isprintable() or not name.isascii() or not name:
            raise ValueError(f"can't be signed: {name!r} has to be a name of printable ASCII characters")
    return "".join([f"{FORMAT}\n", *(f"{digests[name]}  {name}\n" for name in sorted(digests))]).encode()
