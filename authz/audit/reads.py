"""What a decision depended on, as its record has it: values that may be kept, fingerprints of all others.

`fingerprints` keeps what a record holds anyway (method, path, addresses, who was identified) and what operators
chose; of headers outside the record's allow-list, claims, query, body and metadata it keeps only whether two were the
same: an HMAC with a key that no record holds. `values` keeps values, as a replay needs them, and still only
fingerprints of what carries credentials by its name. Bounded: long values are cut, and say so.
"""

from __future__ import annotations

import hmac
import re
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Raw

from authz.audit.text import safe
from authz.audit.written import HEADERS
from authz.model import Knowing, Read

if TYPE_CHECKING:
    from authz.model import Reads

LONGEST = 512
"""Bytes of one value, written; a longer one is cut."""

MOST = 64
"""Attributes of one record."""

SHORT = 64
"""Characters of a text that is kept as it was written: methods, hosts, tenants come again and again."""

MOST_KEPT = 8192

ABSENT = "$absent"
CUT = "$cut"
ERROR = "$error"
FINGERPRINT = "$fingerprint"
MARKS = frozenset({ABSENT, CUT, ERROR, FINGERPRINT})
"""What stands in a record for a value that is not there, too long, an error, or not to be told; no value looks so."""

NOTHING = Raw(b"{}")

_OPEN = frozenset(
    {
        "client.geo", "client.ip", "destination.ip", "destination.port", "destination.principal", "destination.service",
        "identity.authenticated", "identity.expires", "identity.groups", "identity.issuer", "identity.key_id",
        "identity.provider", "identity.roles", "identity.scopes", "identity.subject", "request.body_state",
        "request.grpc", "request.host", "request.id", "request.is_upgrade", "request.method", "request.params",
        "request.path", "request.port", "request.protocol", "request.scheme", "request.segments", "request.time",
        "route.extensions", "source.ip", "source.port", "source.principal", "source.service",
    }
)  # fmt: skip
"""Names whose values are kept in any form: a record holds them already, or they are the operator's own."""

_EMPTY = ("", b"")
"""Values that are no secret, whatever they are of."""

_CLOSED = frozenset({"attributes", "request.body", "source.certificate"})
"""Names whose values are never kept: anything may be in them."""

_HEADERS = frozenset({"request.headers", "request.headers_all"})

_CREDENTIAL = re.compile(
    r"auth|cookie|token|secret|passw|session|credential|signature|api.?key|jwt|assertion|\A(key|sig|code|state|pin|otp)\Z",
    re.IGNORECASE,
)
"""Names of headers, parameters and members that carry credentials."""

_encoder = msgspec.json.Encoder(order="deterministic")


class ReadsForm(StrEnum):
    """What records keep of what decisions depended on."""

    OFF = "off"
    FINGERPRINTS = "fingerprints"
    VALUES = "values"


class ReadsWriter:
    """Writes reads in one form; `key` keys the fingerprints, and only equal keys make them comparable."""

    def __init__(self, form: ReadsForm, key: bytes = b"") -> None:
        self._form = form
        self._key = key
        self._short = lru_cache(maxsize=MOST_KEPT)(self._short_text)

    def __call__(self, reads: Reads | None) -> Raw:
        """Return reads as a JSON object; those that were written before, as they were."""
        if reads is None or self._form is ReadsForm.OFF:
            return NOTHING
        written = reads.written
        if written is None or written[0] is not self:
            members = b",".join(map(self._member_line, reads.entries()[:MOST]))
            written = reads.written = (self, Raw(b"{" + members + b"}"))
        return written[1]

    def _member_line(self, read: Read) -> bytes:
        """Write one attribute; a short text that is no credential, from memory where it came before."""
        value = read.value
        if (
            type(value) is str
            and len(value) <= SHORT
            and read.knowing is Knowing.VALUE
            and _is_kept(read.name, read.key)
        ):
            return self._short(read.name, read.key, value)
        return self._member(read)

    def _short_text(self, name: str, key: str | None, value: str) -> bytes:
        return self._member(Read(name=name, key=key, knowing=Knowing.VALUE, value=value))

    def _member(self, read: Read) -> bytes:
        return safe(_encoder.encode(str(read)) + b":" + _encoder.encode(self._value(read)))

    def _value(self, read: Read) -> object:
        if read.knowing is Knowing.ABSENT:
            return {ABSENT: True}
        if read.knowing is Knowing.UNBOUND:
            return {ERROR: str(read.value)[:LONGEST]}
        if read.value not in _EMPTY and not self.may_be_told(read.name, read.key):
            return self.fingerprint(read.value)
        return _bounded(self.redacted(read.name, read.value))

    def may_be_told(self, name: str, key: str | None) -> bool:
        """Return whether the value of an attribute may be told in this form."""
        if name in _CLOSED or (name not in _OPEN and _is_credential(key)):
            return False
        if self._form is ReadsForm.VALUES or name in _OPEN:
            return True
        return name in _HEADERS and (key is None or key in HEADERS)

    def redacted(self, name: str, value: object) -> object:
        """Return a value with fingerprints for what is inside it and not to be told."""
        if name == "request.url" and isinstance(value, str):
            return self.fingerprint(value) if _CREDENTIAL.search(value.partition("?")[2]) else value
        if isinstance(value, dict):
            if not MARKS.isdisjoint(value):
                return self.fingerprint(value)
            return {key: self._inner(name, key, each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.redacted(name, each) for each in value]
        return value

    def _inner(self, name: str, key: Any, value: object) -> object:  # noqa: ANN401 - a key of JSON is a text, one of CEL may be more
        told = name in _OPEN or self.may_be_told(name, str(key))
        return self.redacted(name, value) if told else self.fingerprint(value)

    def fingerprint(self, value: object) -> dict[str, str]:
        """Return what is told of a value that is not: the same for the same value, as long as the key is."""
        return {FINGERPRINT: hmac.digest(self._key, _encoder.encode(value), "sha256")[:8].hex()}


@lru_cache(maxsize=1024)
def _is_kept(name: str, key: str | None) -> bool:
    """Say whether short texts of an attribute may stay in memory: those that may hold a credential may not."""
    return name not in _CLOSED and name != "request.url" and not _is_credential(key)


@lru_cache(maxsize=1024)
def _is_credential(key: str | None) -> bool:
    return key is not None and _CREDENTIAL.search(key) is not None


def _bounded(value: object) -> object:
    try:
        size = len(_encoder.encode(value))
    except (TypeError, ValueError, RecursionError):
        return {CUT: 0}
    return value if size <= LONGEST else {CUT: size}
