"""An outcome as the line that is kept.

Writing a record whole costs as much as the decision it is of. So the parts that come again (what was decided, who
asks, which policies answered) are written once and kept, by what they are made of and within bounds, and a line is the
join of its parts. Texts are cut and lists are short, so a line has a bound; JSON escapes what could break it or speak
to a terminal. No I/O.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET

from authz.audit.parts import Asked, Caller, Check, Headers, Said, Served, Who
from authz.audit.reads import HEADERS, ReadsForm, ReadsWriter
from authz.audit.record import FORMAT, Document, IdentityLine, LimitLine, Record
from authz.audit.text import LONGEST, cut, safe
from authz.model import ANONYMOUS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authz.model import Decision, DocumentTrace, LimitUsage, Outcome, Reads, Request

EVENT_FORMAT = "authz.event/v1"
"""What is no decision: policies that were loaded or refused."""

MOST = 64
"""Entries of any one list; what documents and limits say beyond it is counted in the metrics."""

MOST_PARAMETERS = 32

MOST_KEPT = 1024
"""Parts of a kind that are kept written."""

_said: dict[tuple[object, ...], tuple[tuple[DocumentTrace, ...], bytes]] = {}
_OPEN, _COMMA, _READS, _END = b"{", b",", b',"reads":', b"}\n"
_from_timestamp = datetime.fromtimestamp
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Record).decode


class LineWriter:
    """Writes what may be kept of outcomes, a line of JSON each: no byte in it ends the line or speaks to a terminal.

    `client_ip` finds the caller behind trusted proxies, `reads` writes what decisions depended on.
    """

    def __init__(
        self,
        worker: int = 0,
        client_ip: Callable[[Request], str] = attrgetter("source.ip"),
        reads: ReadsWriter | None = None,
    ) -> None:
        self._worker = worker
        self._client_ip = client_ip
        self._reads = reads or ReadsWriter(ReadsForm.OFF)
        self._served = -1, "", b""

    def __call__(self, outcome: Outcome) -> bytes:
        """Return the line of one outcome."""
        identity, decision = outcome.identity, outcome.decision
        return b"".join(
            (
                _OPEN, self._server(outcome), _COMMA, _check(outcome), _COMMA, _decided(decision),
                _COMMA, self._caller(outcome.request), _COMMA,
                _NOBODY if identity is ANONYMOUS else _who(
                    identity.provider, identity.subject, identity.issuer, identity.key_id
                ),
                _READS, self._read(decision.reads), _END,
            )
        )  # fmt: skip

    def _server(self, outcome: Outcome) -> bytes:
        """Return what answered, as it was written for the outcome before where that had the same policies."""
        generation, digest, written = self._served
        if outcome.policy_digest is not digest or outcome.generation != generation:
            generation, digest = outcome.generation, outcome.policy_digest
            written = _part(Served(FORMAT, generation, digest, outcome.policy_commit, self._worker))
            self._served = generation, digest, written
        return written

    def _caller(self, request: Request | None) -> bytes:
        if request is None:
            return _caller("", "", "")
        source = request.source
        return _caller(source.ip, source.principal, self._client_ip(request))

    def _read(self, reads: Reads | None) -> bytes:
        """Return what the decision depended on; a decision that is kept has it written."""
        written = None if reads is None else reads.written
        return written[1] if written is not None and written[0] is self._reads else self._reads(reads)


line_of = LineWriter()
"""Writes the lines of a process without workers, proxies and reads."""


def record_in(line: bytes) -> Record:
    """Read a line that `line_of` wrote."""
    return _decode(line)


def event_line(event: Mapping[str, object], at: float, worker: int = 0) -> bytes:
    """Write something that is no decision as one line; `at` is seconds since the epoch."""
    return safe(_encode({"format": EVENT_FORMAT, "time": _time(at), "worker": worker, **event})) + b"\n"


def _part(part: msgspec.Struct) -> bytes:
    """Write a part as it stands among others: the members of an object, without its braces."""
    return safe(_encode(part)[1:-1])


def _check(outcome: Outcome) -> bytes:
    """Write what is new with a check; what is short as a whole has no text to cut, and most are."""
    written = _encode(_checked(outcome, None if outcome.request is None else _asked(outcome.request)))
    if len(written) > LONGEST + FRAME:
        written = _encode(_checked(outcome, None if outcome.request is None else _bounded(_asked(outcome.request))))
    return safe(written[1:-1])


def _checked(outcome: Outcome, request: Asked | None) -> Check:
    limits, detail = outcome.usage.limits, outcome.detail
    return Check(
        outcome.id,
        _time(outcome.started),
        round(outcome.duration * 1_000_000),
        request,
        [_limit(usage) for usage in limits[:MOST]] if limits else [],
        cut(detail) if detail else "",
        outcome.trace_id,
    )


def _decided(decision: Decision) -> bytes:
    """Return what was decided; decisions share their traces, so most of them have been written before."""
    traces = decision.documents
    key = (id(traces), decision.effect, decision.reason, decision.status, decision.policy, decision.rule)
    known = _said.get(key)
    if known is None or known[0] is not traces:
        if len(_said) >= MOST_KEPT:
            _said.clear()
        # The traces are kept with it, so that their identity can't become another's.
        known = _said[key] = (traces, _part(_spoken(decision)))
    return known[1]


def _spoken(decision: Decision) -> Said:
    return Said(
        decision=decision.effect,
        reason=decision.reason,
        status=decision.status,
        policy=decision.policy,
        rule=decision.rule,
        documents=list(map(_document, decision.documents[:MOST])),
    )


def _document(trace: DocumentTrace) -> Document:
    return Document(
        name=trace.name,
        kind=trace.kind,
        mode=trace.mode,
        outcome=trace.outcome,
        rule=trace.rule,
        error=cut(trace.error) if trace.error else None,
    )


@lru_cache(maxsize=MOST_KEPT)
def _caller(source: str, principal: str, client: str) -> bytes:
    return _part(Caller(source=source, principal=cut(principal), client=client))


@lru_cache(maxsize=MOST_KEPT)
def _who(provider: str, subject: str, issuer: str, key_id: str) -> bytes:
    line = IdentityLine(provider=provider, subject=cut(subject), issuer=cut(issuer), key_id=cut(key_id))
    return _part(Who(identity=line))


def _time(seconds: float) -> datetime:
    return _from_timestamp(seconds, UTC)


def _limit(usage: LimitUsage) -> LimitLine:
    return LimitLine(
        name=usage.charge.limit.name,
        remaining=usage.remaining,
        reset=round(usage.reset * 1000) / 1000,
        outcome=usage.outcome,
    )


def _frame() -> int:
    """Return the bytes of a check whose texts are all empty."""
    asked = Asked(id="", method="", host="", path="", query_keys=[], route="", headers=Headers(), body_sha256=None)
    empty = Check(id="", time=_time(0.0), duration_us=0, request=asked, limits=[], detail="", trace_id="")
    return len(_encode(empty))


FRAME = _frame()
_NOBODY = _who(ANONYMOUS.provider, ANONYMOUS.subject, ANONYMOUS.issuer, ANONYMOUS.key_id)


def _asked(request: Request) -> Asked:
    extensions, query, body = request.extensions, request.query, request.body
    header = request.headers.get
    return Asked(
        request.id,
        request.method,
        request.host,
        request.path,
        _query_keys(query) if query else [],
        extensions.get("route", "") if extensions else "",
        Headers(*[header(name, UNSET) for name in HEADERS]),
        hashlib.sha256(body).hexdigest() if body else None,
    )


def _bounded(asked: Asked) -> Asked:
    """Return a request with every text cut to its bound."""
    headers = (value if value is UNSET else cut(value) for value in msgspec.structs.astuple(asked.headers))
    return Asked(
        id=cut(asked.id),
        method=cut(asked.method),
        host=cut(asked.host),
        path=cut(asked.path),
        query_keys=sorted(set(map(cut, asked.query_keys))),
        route=cut(asked.route),
        headers=Headers(*headers),
        body_sha256=asked.body_sha256,
    )


def _query_keys(query: str) -> list[str]:
    """Name the parameters; a pair without `=` may be a value, so only its place is kept."""
    if "&" not in query:
        return [query.partition("=")[0]] if "=" in query else ["?"]
    pairs = query.split("&", MOST_PARAMETERS)[:MOST_PARAMETERS]
    return sorted({pair.partition("=")[0] if "=" in pair else "?" for pair in pairs if pair})
