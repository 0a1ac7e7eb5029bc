"""A record on its way into a line, each field as it is written there.

What is made for each check takes its fields in order: names would cost as much again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from authz.audit.reads import HEADERS
from authz.audit.record import LimitLine
from authz.model import Effect, Reason

Headers: Any = msgspec.defstruct(
    "Headers",
    [(name.replace("-", "_"), str | UnsetType, UNSET) for name in HEADERS],
    rename="kebab",
    frozen=True,
    gc=False,
)
"""The headers that are recorded, those that are there."""


class Asked(msgspec.Struct, frozen=True, gc=False):
    """What was asked, as `RequestLine` says it."""

    id: str
    method: str
    host: str
    path: str
    query_keys: Sequence[str]
    route: str
    headers: Any
    body_sha256: str | None


class Line(msgspec.Struct, frozen=True, gc=False):
    """A record as it is written, field by field as `Record` has them; what was written before is there as it was."""

    format: str
    generation: int
    policy_digest: str
    policy_commit: str
    worker: int
    id: str
    time: str
    duration_us: int
    request: Asked | None
    limits: Sequence[LimitLine]
    detail: str
    trace_id: str
    decision: Effect
    reason: Reason
    status: int
    policy: str | None
    rule: str | None
    documents: Raw
    source: str
    principal: str
    client: str
    identity: Raw
    reads: Raw
