"""What a line is joined of: parts that come again and are kept written, and what is new with each check.

Those that are made for each check take their fields in order: names would cost as much as the making.
"""

from __future__ import annotations

import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from authz.audit.reads import HEADERS
from authz.audit.record import Document, IdentityLine, LimitLine

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
    query_keys: list[str]
    route: str
    headers: Any
    body_sha256: str | None


class Check(msgspec.Struct, frozen=True, gc=False):
    """What is new with each check."""

    id: str
    time: datetime.datetime
    duration_us: int
    request: Asked | None
    limits: list[LimitLine]
    detail: str
    trace_id: str


class Said(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What was decided, and by what."""

    decision: str
    reason: str
    status: int
    policy: str | None
    rule: str | None
    documents: list[Document]


class Caller(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who asks."""

    source: str
    principal: str
    client: str


class Who(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who the caller proved to be."""

    identity: IdentityLine


class Served(msgspec.Struct, frozen=True, gc=False):
    """What answered: these policies, in this worker."""

    format: str
    generation: int
    policy_digest: str
    policy_commit: str
    worker: int
