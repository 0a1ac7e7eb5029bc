"""What an explanation says, as values: documents, rules, every part of an expression, limits, and what was missing.

For people and programs; no behaviour. Whatever a caller may have sent is here only as the place it came from permits:
a credential is a fingerprint.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from authz.model import Effect, Mode


class Said(StrEnum):
    """What a rule said of the request."""

    HOLDS = "holds"
    FAILS = "does not hold"
    ERROR = "error"
    UNKNOWN = "undetermined"


class Counts(StrEnum):
    """Which counts the limits of an explanation were held against."""

    CHARGED = "charged"
    """Those that the decision was charged to."""

    PEEKED = "peeked"
    """Those of the service or its Redis at this moment; nothing was charged."""

    WHOLE = "whole"
    """None: as if nobody had asked before."""


class ShownPart(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One part of an expression: its text, and its values: one, one per turn in a loop, none where it was not asked."""

    text: str
    values: tuple[Any, ...] = ()
    error: str = ""
    asked: bool = True
    literal: bool = False
    operator: str = ""
    parts: tuple[ShownPart, ...] = ()


class ShownTerm(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One expression. Where it is not `certain`, the parts are how another engine saw it: believe the value only."""

    whole: ShownPart
    certain: bool = True


class Missing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that did not hold and would have had to; `either` are ways of which one would do."""

    text: str
    found: str = ""
    either: tuple[tuple[Missing, ...], ...] = ()


class ShownRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One rule; `settled` is the one the decision names, `when` and `condition` its expressions where it has them."""

    name: str
    effect: Effect
    mode: Mode
    said: Said
    settled: bool = False
    error: str = ""
    when: ShownTerm | None = None
    condition: ShownTerm | None = None
    missing: tuple[Missing, ...] = ()


class ShownLimit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One limit: what it would count the request under, and what it answered where it was charged."""

    name: str
    applies: bool
    key: tuple[Any, ...] = ()
    cost: int | None = None
    error: str = ""
    outcome: str = ""
    remaining: int | None = None
    reset: float | None = None


class ShownDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One document that governs the request, and what it said."""

    kind: str
    name: str
    mode: Mode
    file: str
    line: int
    route: str
    outcome: str
    error: str = ""
    needs_identity: bool = False
    providers: tuple[str, ...] = ()
    variables: dict[str, ShownTerm] = {}
    validations: dict[str, str] = {}
    rules: tuple[ShownRule, ...] = ()
    limits: tuple[ShownLimit, ...] = ()


class Near(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A document that nearly governs the request, and why it does not."""

    kind: str
    name: str
    file: str
    line: int
    because: str


class Way(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One way in which the request would have got further: what of a document or rule stood against it."""

    document: str
    rule: str = ""
    missing: tuple[Missing, ...] = ()


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """How a decision came about. `ways` are what would have made it allow, by what stands in the way first."""

    decision: dict[str, Any]
    request: dict[str, Any]
    identity: dict[str, Any]
    documents: tuple[ShownDocument, ...]
    near: tuple[Near, ...]
    ways: tuple[Way, ...]
    unknown: tuple[str, ...] = ()
    counts: Counts = Counts.CHARGED
