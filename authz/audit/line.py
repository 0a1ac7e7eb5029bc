"""An outcome as the line that is kept.

Writing a record whole costs as much as the decision it is of. So what comes again and is long (what documents said, who
asks, what was read) is written once and kept, by what it is made of and within bounds. The rest is gathered at once,
while the request is at hand, and written later, many lines together. Texts are cut and lists are short, so a line has a
bound; JSON escapes what could break it or speak to a terminal. No I/O.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import UNSET, Raw, UnsetType
from msgspec.structs import astuple

from authz.audit.reads import ReadsForm, ReadsWriter
from authz.audit.record import FORMAT, Document, IdentityLine, LimitLine, Record
from authz.audit.text import cut, safe
from authz.audit.written import Asked, Beginning, Headers, Line
from authz.model import ANONYMOUS, Peer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from authz.model import DocumentTrace, Identity, LimitUsage, Outcome, Reads, Request

EVENT_FORMAT = "authz.event/v1"
"""What is no decision: policies that were loaded or refused."""

MOST: Final = 64
"""Entries of any one list; what documents and limits say beyond it is counted in the metrics."""

MOST_PARAMETERS: Final = 32

MOST_KEPT = 1024
"""Parts of a kind that are kept written."""

UNKNOWN: Final = Peer()
"""Who asks where there is no request."""

SECOND: Final = 1_000_000
"""Microseconds."""

NONE: Final = ()
"""Instead of a list with nothing in it, which would be made each time."""

# Final is what compiled code need not look for by name.
_kept: Final[dict[int, tuple[tuple[DocumentTrace, ...], Raw]]] = {}
_encode: Final = msgspec.json.Encoder().encode
_encode_lines: Final = msgspec.json.Encoder().encode_lines
_decode: Final = msgspec.json.Decoder(Record).decode


class LineWriter:
    """Writes what may be kept of outcomes, a line of JSON each: no byte in it ends the line or speaks to a terminal.

    `reads` writes what decisions depended on.
    """

    def __init__(self, worker: int = 0, reads: ReadsWriter | None = None) -> None:
        self._worker = worker
        self._reads = reads or ReadsWriter(ReadsForm.OFF)
        # Each of these is one value, because several threads write lines.
        self._second = -1, ""
        self._policies = -1, "", "", Raw()

    def __call__(self, outcome: Outcome) -> bytes:
        """Return the line of one outcome."""
        return encoded((self.line(outcome),))

    def line(self, outcome: Outcome) -> Line:
        """Return what the line of one outcome is to say, for `encoded`."""
        (
            identifier, decision, request, client_ip, identity, usage, generation, digest, commit, detail, trace_id, _,
            started, duration, _,
        ) = astuple(outcome)  # fmt: skip
        limits, source = usage.limits, UNKNOWN if request is None else request.source
        return Line(
            self._beginning(generation, digest, commit),
            identifier,
            self._time(started),
            int(duration * SECOND + 0.5),
            None if request is None else _asked(request),
            [_limit(usage) for usage in limits[:MOST]] if limits else NONE,
            cut(detail) if detail else "",
            trace_id,
            decision.effect,
            decision.reason,
            decision.status,
            decision.policy,
            decision.rule,
            _said(decision.documents),
            source.ip,
            cut(source.principal),
            client_ip,
            _who(identity),
            self._read(decision.reads),
        )

    def event(self, event: Mapping[str, object], at: float) -> dict[str, object]:
        """Return what the line of something that is no decision is to say; `at` is seconds since the epoch."""
        return {"format": EVENT_FORMAT, "time": datetime.fromtimestamp(at, UTC), "worker": self._worker, **event}

    def _beginning(self, generation: int, digest: str, commit: str) -> Raw:
        """Return the fields that lines of the same policies begin with; those of the last are written once."""
        last_generation, last_digest, last_commit, written = self._policies
        if generation != last_generation or digest is not last_digest or commit is not last_commit:
            written = _inside(Beginning(FORMAT, generation, digest, commit, self._worker))
            self._policies = generation, digest, commit, written
        return written

    def _time(self, seconds: float) -> str:
        """Write a time as RFC 3339 has it, to the microsecond; the second it is in is written once."""
        whole = int(seconds)
        micros = int((seconds - whole) * SECOND + 0.5)
        if micros == SECOND:
            whole, micros = whole + 1, 0
        second, written = self._second
        if whole != second:
            written = datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S.")
            self._second = whole, written
        return f"{written}{str(SECOND + micros)[1:]}Z"

    def _read(self, reads: Reads | None) -> Raw:
        """Return what the decision depended on; a decision that is kept has it written."""
        written = None if reads is None else reads.written
        return written[1] if written is not None and written[0] is self._reads else self._reads(reads)


line_of = LineWriter()
"""Writes the lines of a process without workers, proxies and reads."""


def record_in(line: bytes) -> Record:
    """Read a line that `line_of` wrote."""
    return _decode(line)


def encoded(lines: Sequence[object]) -> bytes:
    """Write lines, each with its end. Raises where one holds what JSON can't."""
    return safe(_encode_lines(lines))


def _said(traces: tuple[DocumentTrace, ...]) -> Raw:
    """Return what documents said; decisions share their traces, so most of them have been written before."""
    known = _kept.get(id(traces))
    if known is None or known[0] is not traces:
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        # The traces are kept with it, so that their identity can't become another's.
        known = _kept[id(traces)] = (traces, _raw(list(map(_document, traces[:MOST]))))
    return known[1]


def _document(trace: DocumentTrace) -> Document:
    return Document(
        name=trace.name,
        kind=trace.kind,
        mode=trace.mode,
        outcome=trace.outcome,
        rule=trace.rule,
        error=cut(trace.error) if trace.error else None,
    )


def _who(identity: Identity) -> Raw:
    if identity is ANONYMOUS:
        return _NOBODY
    return _identified(identity.provider, identity.subject, identity.issuer, identity.key_id)


@lru_cache(maxsize=MOST_KEPT)
def _identified(provider: str, subject: str, issuer: str, key_id: str) -> Raw:
    return _raw(IdentityLine(provider=provider, subject=cut(subject), issuer=cut(issuer), key_id=cut(key_id)))


def _raw(part: object) -> Raw:
    return Raw(safe(_encode(part)))


def _inside(part: msgspec.Struct) -> Raw:
    """Return the fields of a part as they stand behind the name of its first: what is written may be more than one."""
    written = safe(_encode(part))
    return Raw(written[written.index(b":") + 1 : -1])


def _limit(usage: LimitUsage) -> LimitLine:
    return LimitLine(
        name=usage.charge.limit.name,
        remaining=usage.remaining,
        reset=round(usage.reset * 1000) / 1000,
        outcome=usage.outcome,
    )


_NOBODY: Final = _identified(ANONYMOUS.provider, ANONYMOUS.subject, ANONYMOUS.issuer, ANONYMOUS.key_id)


def _asked(request: Request) -> Asked:
    extensions, query, body = request.extensions, request.query, request.body
    return Asked(
        cut(request.id),
        cut(request.method),
        cut(request.host),
        cut(request.path),
        _query_keys(query) if query else NONE,
        cut(extensions.get("route", "")) if extensions else "",
        _headers(request.headers),
        hashlib.sha256(body).hexdigest() if body else None,
    )


def _headers(headers: Mapping[str, str]) -> Headers:
    """Return the headers that are recorded, of those that a request has."""
    given = headers if isinstance(headers, dict) else dict(headers)  # a look into a dict is quicker than a call
    return Headers(
        _header(given.get("user-agent")),
        _header(given.get("x-request-id")),
        _header(given.get("content-type")),
        _header(given.get("accept")),
        _header(given.get("origin")),
    )


def _header(value: str | None) -> str | UnsetType:
    return UNSET if value is None else cut(value)


def _query_keys(query: str) -> list[str]:
    """Name the parameters; a pair without `=` may be a value, so only its place is kept."""
    if "&" not in query:
        return [cut(query.partition("=")[0])] if "=" in query else ["?"]
    pairs = query.split("&", MOST_PARAMETERS)[:MOST_PARAMETERS]
    return sorted({cut(pair.partition("=")[0]) if "=" in pair else "?" for pair in pairs if pair})
