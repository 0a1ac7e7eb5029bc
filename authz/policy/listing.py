"""What the policies in force are, for people to look at: names, owners, rules, limits. Nothing here decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from authz.model import Effect, Mode
from authz.policy.documents import Guardrail, Policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from authz.policy.documents import Document, Timed


class ListedRule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule."""

    name: str
    effect: Effect
    mode: Mode


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One document, and where it is written; `mode` is `None` for kinds that have none."""

    kind: str
    name: str
    file: str
    line: int
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    description: str = ""
    mode: Mode | None = None
    rules: tuple[ListedRule, ...] = ()
    limits: tuple[str, ...] = ()
    validations: tuple[str, ...] = ()


class ListedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a Data document that ends; `until` is seconds since the epoch, `key` is empty but in a map."""

    data: str
    file: str
    key: str = ""
    value: object
    until: float
    reason: str
    ticket: str


def ending(entries: Iterable[tuple[Document, str, Timed]]) -> tuple[ListedEntry, ...]:
    """Return the entries of data that end, those that end first before others."""
    made = [
        ListedEntry(
            data=document.name, file=document.file, key=key, value=one.value, until=one.until, reason=one.reason,
            ticket=one.ticket,
        )
        for document, key, one in entries
    ]  # fmt: skip
    return tuple(sorted(made, key=lambda one: (one.until, one.data)))


def listed(documents: Iterable[Document]) -> tuple[Listed, ...]:
    """Return documents by kind and name."""
    return tuple(sorted(map(_listed, documents), key=lambda one: (one.kind, one.name)))


def _listed(document: Document) -> Listed:
    metadata = document.metadata
    one = Listed(
        kind=str(document.kind),
        name=document.name,
        file=document.file,
        line=metadata.name.source.place(metadata.name.start)[0],
        labels={str(key): str(value) for key, value in metadata.labels.items()},
        annotations={str(key): str(value) for key, value in metadata.annotations.items()},
    )
    if not isinstance(document, Policy | Guardrail):
        return one
    spec = document.spec
    return msgspec.structs.replace(
        one,
        description=str(spec.description or ""),
        mode=spec.mode,
        rules=tuple(ListedRule(name=str(rule.name), effect=rule.effect, mode=rule.mode) for rule in spec.rules),
        limits=tuple(str(limit.name) for limit in spec.limits),
        validations=tuple(str(validation.name) for validation in spec.validations),
    )
