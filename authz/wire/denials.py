"""What a caller who is not let through is told: status, headers and body, in the form and the protocol they ask for.

A denial is a value first, without the decision id, so that answers which differ in nothing else are serialized once.
A rule may choose its own body and headers, but not what is said about the decision itself. gRPC callers get a status
and a message in headers, which is all that their protocol has. Nothing here decides, and no expression or error is
passed on.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple, cast

import msgspec

from authz.model import (
    MAX_BODY,
    MAX_HEADERS,
    MAX_LOCATION,
    Effect,
    HeaderMutation,
    LimitOutcome,
    Mutations,
    Reason,
    Unmet,
)
from authz.wire import grpc, limits
from authz.wire.limits import NO_NAMES, LimitNames
from authz.wire.mutations import checked_value, write_headers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from authz._pb.envoy.service.auth.v3.external_auth_pb2 import DeniedHttpResponse
    from authz._pb.envoy.type.v3.http_status_pb2 import StatusCode
    from authz.model import Decision, Outcome
    from authz.wire.limits import LimitHeaders

DECISION_ID = "x-authz-decision-id"
NO_CONTENT = 204
"""The status of an answer without a body, and of no other answer."""

MAX_MESSAGE = 2048
MAX_UNMET = 20
MAX_POINTER = 512

_DENYING = range(400, 600)
_REDIRECTING = range(300, 400)
_ANSWERING = range(NO_CONTENT, NO_CONTENT + 1)
_URI = re.compile(rf"[\x21-\x7e]{{1,{MAX_LOCATION}}}")
_LONGEST_REMEMBERED = 1024
_BUSY_WAIT = 1
_PLAIN_CHALLENGE = "Bearer"
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_PROBLEM = "application/problem+json"
_GUARDED = {"x-content-type-options": "nosniff", "vary": "accept"}
"""What goes with a rule's own body: it is what it says it is, and another caller may get another form of it."""

_PAGE = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}
"""What goes with a rule's own page unless the rule says another policy: styles and pictures, and no script."""

_BUSY = frozenset({Reason.OVERLOADED, Reason.UNRECORDED})
_WAITING = _BUSY | {Reason.RATE_LIMITED}


class Denial(NamedTuple):
    """What the caller is told, but for the decision id. Hashable: it is the key of the answers remembered."""

    reason: Reason
    status: int
    policy: str | None = None
    rule: str | None = None
    message: str = ""
    body: str | None = None
    media_type: str = ""
    location: str | None = None
    challenge: str | None = None
    limit: str | None = None
    retry_after: int | None = None
    limits: LimitNames = NO_NAMES
    limit_headers: tuple[HeaderMutation, ...] = ()
    unmet: tuple[Unmet, ...] = ()
    cors: tuple[HeaderMutation, ...] = ()
    grpc: bool = False

    @property
    def is_short(self) -> bool:
        """Whether the answer is worth its memory: long texts come from templates and rarely come again."""
        length = len(self.message) + len(self.body or "") + len(self.location or "")
        return length <= _LONGEST_REMEMBERED and not self.unmet

    @property
    def says_id(self) -> int:
        """How often the decision id is in the answer: header, metadata, and the problem document if there is one."""
        return 3 if self.body is None and not self.grpc and self.status != NO_CONTENT else 2


def check_denial(denial: Denial) -> None:
    """Raise `ValueError` for a status that does not fit the answer, and for a body that is too long."""
    if len(denial.body or "") > MAX_BODY:
        raise ValueError("a longer body than a denial needs")
    answers = _ANSWERING if denial.status == NO_CONTENT and denial.reason is Reason.PREFLIGHT else _DENYING
    if denial.status not in (answers if denial.location is None else _REDIRECTING):
        raise ValueError("no status for this answer")


def fill(denied: DeniedHttpResponse, denial: Denial, identifier: str, mutations: Mutations) -> None:
    """Write what the caller gets to see. A rule may choose how its own body is described, not what we say of it."""
    denied.status.code = cast("StatusCode", denial.status)
    described = _described(denied, denial, identifier)
    stated = {
        **(_for_grpc(denial) if denial.grpc else {}),
        DECISION_ID: identifier,
        "location": denial.location,
        "retry-after": None if denial.retry_after is None else str(denial.retry_after),
        "www-authenticate": denial.challenge,
    }
    chosen = mutations.response_headers
    taken = {header.name.lower() for header in chosen if not header.append}
    write_headers(denied.headers, _overwriting({k: v for k, v in described.items() if k not in taken}))
    write_headers(denied.headers, chosen)
    write_headers(denied.headers, _overwriting(stated))
    write_headers(denied.headers, denial.limit_headers)
    write_headers(denied.headers, denial.cors)
    if len(denied.headers) > MAX_HEADERS:
        raise ValueError("more headers than Envoy takes")


def _described(denied: DeniedHttpResponse, denial: Denial, identifier: str) -> dict[str, str]:
    """Write the body and return what describes it."""
    kept = {"cache-control": "no-store"}
    if denial.grpc or denial.status == NO_CONTENT:
        return kept
    if denial.body is None:
        denied.body = _problem(denial, identifier)
        return {"content-type": _PROBLEM, **kept}
    denied.body = denial.body
    page = _PAGE if denial.media_type.startswith("text/html") else {}
    return {"content-type": denial.media_type, **kept, **_GUARDED, **page}


def _for_grpc(denial: Denial) -> dict[str, str]:
    """Return what a gRPC caller reads in place of status and body."""
    return {
        "content-type": grpc.MEDIA_TYPE,
        "grpc-status": str(grpc.code(denial.status)),
        "grpc-message": grpc.message(denial.message or denial.reason),
    }


def _overwriting(headers: Mapping[str, str | None]) -> Iterator[HeaderMutation]:
    return (HeaderMutation(name=name, value=value) for name, value in headers.items() if value is not None)


def _problem(denial: Denial, identifier: str) -> str:
    """Return the problem document (RFC 9457); with `about:blank` its title is the status's own phrase."""
    document = {
        "type": "about:blank",
        "title": _PHRASES.get(denial.status, "Error"),
        "status": denial.status,
        "detail": denial.message or None,
        "reason": denial.reason,
        "errors": [_unmet(each) for each in denial.unmet[:MAX_UNMET]] or None,
        "limit": denial.limit,
        "decision_id": identifier,
    }
    return msgspec.json.encode({name: value for name, value in document.items() if value is not None}).decode()


def _unmet(unmet: Unmet) -> dict[str, str]:
    return {"in": unmet.part, "pointer": unmet.pointer[:MAX_POINTER], "keyword": unmet.keyword}


def denial_of(outcome: Outcome, styles: Sequence[LimitHeaders]) -> Denial:
    """Return what the caller of a request is told; `ValueError` for a redirect to nowhere."""
    decision, usages = outcome.decision, outcome.usage.limits
    limit, wait = _limit(outcome) if decision.reason in _WAITING else (None, None)
    return Denial(
        decision.reason,
        decision.status,
        decision.policy,
        decision.rule,
        decision.message[:MAX_MESSAGE],
        decision.body,
        decision.media_type,
        _location(decision) if decision.effect is Effect.REDIRECT else None,
        _challenge(outcome.identity.challenge) if decision.status == 401 else None,
        limit,
        wait,
        limits.names(usages) if usages else NO_NAMES,
        limits.headers(usages, decision.reason, styles) if usages else (),
        decision.unmet,
        decision.cors,
        grpc.calls(outcome.request),
    )


def _location(decision: Decision) -> str:
    location = decision.location
    if location is None or not _URI.fullmatch(location):
        raise ValueError("a redirect to nowhere")
    return location


def _challenge(challenge: str) -> str:
    """Return the challenge a 401 must carry (RFC 9110, 15.5.2), the plainest one where the identity names none."""
    try:
        return checked_value(challenge) or _PLAIN_CHALLENGE
    except ValueError:
        return _PLAIN_CHALLENGE


def _limit(outcome: Outcome) -> tuple[str | None, int]:
    """Return which limit to name and how long to wait, in whole seconds: the one that takes longest."""
    over = [usage for usage in outcome.usage.limits if usage.outcome is LimitOutcome.OVER]
    if outcome.decision.reason in _BUSY or not over:
        return None, _BUSY_WAIT
    longest = limits.longest(over)
    return longest.charge.limit.name, max(1, limits.whole_seconds(longest.retry_after or 0.0))
