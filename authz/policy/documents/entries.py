"""The file that says who holds which API key: a list of entries, each with the digest of a key and never the key.

No document: it has no kind, and lies beside the IdentityProvider that names it. It is read as strictly as one. What
entries of every kind say of their holder is here, too (`users` has those of passwords).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from msgspec.structs import replace
from pydantic import Field, ValidationError

from authz.errors import Fault
from authz.policy.codes import Code
from authz.policy.documents.faults import told
from authz.policy.documents.grammar import Unfit
from authz.policy.documents.values import (
    AnyText,
    Checked,
    Digest,
    Flag,
    Many,
    Maybe,
    Moment,
    Name,
    Part,
    exactly_one,
    taken,
)
from authz.policy.source import Mapping, Node, Sequence, Text
from authz.policy.yaml import compose

_INSTEAD = frozenset({Code.UNKNOWN_KEY, Code.MISSING_KEY})
"""Faults of who may have written a key in place of its digest (`key: ...`): no line of the file is shown then."""

MAX_BYTES = 16 << 20
"""The largest file of entries: about fifty thousand of them."""


class Held(Part):
    """What an entry says of who holds a credential, and when it is good."""

    subject: Maybe[AnyText] = Field(default=None, description="Who holds it. Left out: the id.", examples=["acme"])
    roles: Many[AnyText] = Field(default=(), description="Roles.", examples=[["partner"]])
    groups: Many[AnyText] = Field(default=(), description="Groups.", examples=[["emea"]])
    scopes: Many[AnyText] = Field(default=(), description="Scopes.", examples=[["orders:read"]])
    not_before: Maybe[Moment] = Field(
        default=None, description="When it begins to be good.", examples=["2026-11-23T12:00:00Z"]
    )
    expires: Maybe[Moment] = Field(
        default=None, description="When it stops being good.", examples=["2027-11-23T12:00:00Z"]
    )
    disabled: Flag = Field(default=False, description="Whether it is refused for now.", examples=[True])


E = TypeVar("E", bound=Held)


class KeyEntry(Held, Checked):
    """One API key: the digest it is known by, and who holds it."""

    id: Name = Field(description="What records and metrics call the key.", examples=["acme-2026"])
    sha256: Maybe[Digest] = Field(
        default=None,
        description="SHA-256 of the key, in hex.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    hmac_sha256: Maybe[Digest] = Field(
        default=None,
        alias="hmac-sha256",
        description="HMAC-SHA-256 of the key with the provider's secret, in hex.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )

    @classmethod
    def conflicts(cls, node: Mapping) -> Iterator[Fault]:
        """Yield a fault unless there is one digest."""
        yield from exactly_one(node, ("sha256", "hmac-sha256"), "a key")

    @property
    def digest(self) -> Text:
        """Return the digest, with its place."""
        digest = self.hmac_sha256 if self.sha256 is None else self.sha256
        assert digest is not None  # noqa: S101 - `conflicts` has seen to it
        return digest


def key_entries(path: str, content: bytes) -> tuple[KeyEntry, ...]:
    """Return the entries of a file; raise `Unfit` with every fault of it."""
    try:
        return listed(path, content, KeyEntry, _doubled)
    except Unfit as unfit:
        if not any(fault.code in _INSTEAD for fault in unfit.faults):
            raise
        raise Unfit(*(replace(fault, text="", length=1) for fault in unfit.faults)) from None


def listed(path: str, content: bytes, model: type[E], doubled: Callable[[list[E]], Iterator[Fault]]) -> tuple[E, ...]:
    """Return the entries of a YAML file; raise `Unfit` with every fault of it, those between entries included."""
    composed = compose(path, content, max_bytes=MAX_BYTES)
    if composed.faults:
        raise Unfit(*composed.faults)
    faults: list[Fault] = []
    nodes = _list(path, composed.documents)
    entries = [entry for node in nodes if (entry := _entry(node, model, faults)) is not None]
    faults.extend(doubled(entries))
    if faults:
        raise Unfit(*faults)
    return tuple(entries)


def _list(path: str, documents: tuple[Node, ...]) -> Sequence:
    hint = 'one list, each entry behind "- "; [] for none'
    if not documents:
        raise Unfit(Fault(file=path, line=1, column=1, code=Code.TYPE, message="expected entries", hint=hint))
    first, *more = documents
    if more:
        raise Unfit(more[0].fault(Code.TYPE, "entries are one list, and end here", hint=hint))
    if not isinstance(first, Sequence):
        raise Unfit(first.fault(Code.TYPE, f"expected a list of entries, not {first.SHOWN}", hint=hint))
    return first


def _entry(node: Node, model: type[E], faults: list[Fault]) -> E | None:
    if not isinstance(node, Mapping):
        faults.append(node.fault(Code.TYPE, f"expected an entry, not {node.SHOWN}"))
        return None
    found: list[Fault] = []
    try:
        entry = model.model_validate(node, context=found)
    except ValidationError as error:
        faults.extend((*found, *told(error, node, model)))
        return None
    faults.extend(found)
    return None if found else entry


def _doubled(entries: list[KeyEntry]) -> Iterator[Fault]:
    """Yield a fault for every second entry of one id or one digest: records could not tell whose key was used."""
    names: dict[str, Text] = {}
    digests: dict[tuple[bool, str], Text] = {}
    for entry in entries:
        if names.setdefault(entry.id, entry.id) is not entry.id:
            yield taken(names[entry.id], entry.id, "key")
        keyed = entry.sha256 is None, str(entry.digest)
        if digests.setdefault(keyed, entry.digest) is not entry.digest:
            yield entry.digest.fault(Code.NAME_TAKEN, "another entry has this digest already")
