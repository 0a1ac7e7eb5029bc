"""An outcome as the line that is kept: `authz.record/v1` (INTERFACE.md, section 5).

An allow-list: every field is named here, so a header, a query value, a claim or a body can only enter by a change
to this file. Texts are cut and lists are short, so a line has a bound; JSON escapes what could break it or speak to a
terminal. `protos/authz/v1/record.proto` describes the same for those who read records as messages. No I/O.
"""

from __future__ import annotations

import datetime
import hashlib
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from authz.audit.reads import HEADERS, NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authz.model import DocumentTrace, Identity, LimitUsage, Outcome, Reads, Request

FORMAT = "authz.record/v1"

EVENT_FORMAT = "authz.event/v1"
"""What is no decision: policies that were loaded or refused."""

LONGEST = 512
"""Characters of any one text; the rest is cut and marked."""

MOST = 64
"""Entries of any one list; what documents and limits say beyond it is counted in the metrics."""

MOST_PARAMETERS = 32

MOST_WRITTEN = 1024
"""Traces whose written form is kept; a trace is kept with it, so that its identity can't become another's."""

_written: dict[int, tuple[tuple[DocumentTrace, ...], list[Document]]] = {}
_escapes = {"\u2028": "\\u2028", "\u2029": "\\u2029", "\x7f": "\\u007f"} | {
    chr(c): f"\\u{c:04x}" for c in range(0x80, 0xA0)
}
_UNSAFE = str.maketrans(_escapes)


class Document(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What one selected document said."""

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
    id: str
    time: str
    decision: str
    reason: str
    status: int
    policy: str | None
    rule: str | None
    documents: list[Document]
    limits: list[LimitLine]
    request: RequestLine | None
    source: str
    principal: str
    client: str
    identity: IdentityLine
    reads: msgspec.Raw
    detail: str
    generation: int
    policy_digest: str
    duration_us: int
    trace_id: str
    worker: int


def _unread(_reads: Reads | None) -> msgspec.Raw:
    return NOTHING


def record_of(
    outcome: Outcome,
    worker: int = 0,
    client_ip: Callable[[Request], str] = attrgetter("source.ip"),
    reads: Callable[[Reads | None], msgspec.Raw] = _unread,
) -> Record:
    """Keep of an outcome what may be kept.

    `client_ip` finds the caller behind trusted proxies, `reads` writes what the decision depended on.
    """
    decision = outcome.decision
    request = outcome.request
    return Record(
        format=FORMAT,
        id=outcome.id,
        time=_time(outcome.started),
        decision=decision.effect,
        reason=decision.reason,
        status=decision.status,
        policy=decision.policy,
        rule=decision.rule,
        documents=_documents(decision.documents),
        limits=[_limit(usage) for usage in outcome.usage.limits[:MOST]] if outcome.usage.limits else [],
        request=_request(request) if request else None,
        source=request.source.ip if request else "",
        principal=_cut(request.source.principal) if request else "",
        client=client_ip(request) if request else "",
        identity=_identity(outcome.identity),
        reads=reads(decision.reads),
        detail=_cut(outcome.detail),
        generation=outcome.generation,
        policy_digest=outcome.policy_digest,
        duration_us=round(outcome.duration * 1_000_000),
        trace_id=outcome.trace_id,
        worker=worker,
    )


_encoder = msgspec.json.Encoder()


def line_of(record: Record | dict[str, object]) -> bytes:
    """Write a record as one line of JSON: no byte in it ends a line or speaks to a terminal."""
    line = _encoder.encode(record)
    if line.isascii() and b"\x7f" not in line:
        return line + b"\n"
    return line.decode().translate(_UNSAFE).encode() + b"\n"


def event_line(event: Mapping[str, object], at: float, worker: int = 0) -> bytes:
    """Write something that is no decision as one line; `at` is seconds since the epoch."""
    return line_of({"format": EVENT_FORMAT, "time": _time(at), "worker": worker, **event})


def _time(seconds: float) -> str:
    whole = int(seconds)
    return f"{_second(whole)}.{int((seconds - whole) * 1_000_000):06}Z"


@lru_cache(maxsize=4)
def _second(seconds: int) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _documents(traces: tuple[DocumentTrace, ...]) -> list[Document]:
    """Return what the documents said; decisions share their traces, so most have been written before."""
    known = _written.get(id(traces))
    if known is None or known[0] is not traces:
        if len(_written) >= MOST_WRITTEN:
            _written.clear()
        known = _written[id(traces)] = (traces, list(map(_document, traces[:MOST])))
    return known[1]


def _document(trace: DocumentTrace) -> Document:
    return Document(
        name=trace.name,
        kind=trace.kind,
        mode=trace.mode,
        outcome=trace.outcome,
        rule=trace.rule,
        error=_cut(trace.error) if trace.error else None,
    )


def _limit(usage: LimitUsage) -> LimitLine:
    return LimitLine(
        name=usage.charge.limit.name, remaining=usage.remaining, reset=round(usage.reset, 3), outcome=usage.outcome
    )


def _request(request: Request) -> RequestLine:
    headers = request.headers
    return RequestLine(
        id=_cut(request.id),
        method=_cut(request.method),
        host=_cut(request.host),
        path=_cut(request.path),
        query_keys=_query_keys(request.query) if request.query else [],
        route=_cut(request.extensions.get("route", "")),
        headers={name: _cut(headers[name]) for name in HEADERS if name in headers},
        body_sha256=hashlib.sha256(request.body).hexdigest() if request.body else None,
    )


def _query_keys(query: str) -> list[str]:
    """Name the parameters; a pair without `=` may be a value, so only its place is kept."""
    pairs = query.split("&", MOST_PARAMETERS)[:MOST_PARAMETERS]
    return sorted({_cut(pair.partition("=")[0]) if "=" in pair else "?" for pair in pairs if pair})


def _identity(identity: Identity) -> IdentityLine:
    return IdentityLine(
        provider=identity.provider,
        subject=_cut(identity.subject),
        issuer=_cut(identity.issuer),
        key_id=_cut(identity.key_id),
    )


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
