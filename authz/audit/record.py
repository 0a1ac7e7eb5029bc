"""A record as its readers see it: `authz.record/v1` (INTERFACE.md, section 5).

An allow-list: every field is named here and in `line`, which writes them, so a header, a query value, a claim or a body
can only enter by a change to these files. `protos/authz/v1/record.proto` describes the same for those who read records
as messages. No I/O.
"""

from __future__ import annotations

from typing import Any

import msgspec

FORMAT = "authz.record/v1"


class Document(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one selected document said; what no rule settled has none, as the record itself."""

    name: str
    kind: str
    mode: str
    outcome: str
    rule: str | None = None
    error: str | None = None


class LimitLine(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one limit said: `remaining` requests, `reset` seconds."""

    name: str
    remaining: int
    reset: float
    outcome: str


class RequestLine(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The part of a request that may be kept: names of query parameters, never their values.

    `route` is what Envoy's `context_extensions` call `route`: the operator's name, never the client's.
    """

    id: str
    method: str
    host: str
    path: str
    query_keys: list[str]
    route: str
    headers: dict[str, str]
    body_sha256: str | None = None


class IdentityLine(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who was identified: never a credential, never a claim."""

    provider: str
    subject: str
    issuer: str
    key_id: str


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One decision as it is kept.

    `source` is the direct peer's address and `principal` who the mesh says it is; `client` is the caller's address
    behind the proxies that are trusted. `reads` has, by attribute, what the decision depended on (see `reads`).
    `detail` is for the operator: why there was no request or no identity.
    """

    format: str
    generation: int
    policy_digest: str
    policy_commit: str = ""
    worker: int
    id: str
    time: str
    duration_us: int
    request: RequestLine | None
    limits: list[LimitLine]
    detail: str
    trace_id: str
    decision: str
    reason: str
    status: int
    policy: str | None
    rule: str | None
    documents: list[Document]
    source: str
    principal: str
    client: str
    identity: IdentityLine
    reads: dict[str, Any]
