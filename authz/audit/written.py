"""A record on its way into a line, each field as it is written there.

What is made for each check takes its fields in order: names would cost as much again.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Raw, UnsetType

from authz.audit.record import LimitLine
from authz.model import Effect, Reason


class Headers(msgspec.Struct, frozen=True, gc=False, rename="kebab"):
    """The headers that are recorded, those that are there."""

    user_agent: str | UnsetType
    x_request_id: str | UnsetType
    content_type: str | UnsetType
    accept: str | UnsetType
    origin: str | UnsetType


HEADERS = Headers.__struct_encode_fields__
"""Their names: none of them carries a credential."""


class Asked(msgspec.Struct, frozen=True, gc=False):
    """What was asked, as `RequestLine` says it."""

    id: str
    method: str
    host: str
    path: str
    query_keys: Sequence[str]
    route: str
    headers: Headers
    body_sha256: str | None


class Beginning(msgspec.Struct, frozen=True, gc=False):
    """What the lines of the same policies begin with."""

    format: str
    generation: int
    policy_digest: str
    policy_commit: str
    worker: int


class Line(msgspec.Struct, frozen=True, gc=False):
    """A record as it is written, field by field as `Record` has them; what was written before is there as it was.

    `format` stands for all of `Beginning`, in the order of `Record`.
    """

    format: Raw
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
