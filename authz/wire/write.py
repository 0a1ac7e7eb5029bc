"""An `Outcome` becomes a serialized CheckResponse.

To Envoy, status code 0 is an allow, and so is a CheckResponse with no status at all. So there is one place that makes
one, `_response`, and what is not an allow gets a code that is not 0, whatever else goes wrong: a mutation Envoy would
choke on turns the answer into a denial, and a fault of our own into `LAST_RESORT`. Errors travel as denials, never as
`error_response`, which Envoy's `failure_mode_allow` would let through.

Answers that differ only in the decision id are serialized once, with a stand-in of the id's length, and cut where it
stands; protobuf's lengths stay true. The caches are bounded and hold nothing of a request but short rendered texts.
"""

from __future__ import annotations

import re
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple, cast

import msgspec

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from authz.model import NO_MUTATIONS, STATUS, Effect, HeaderMutation, LimitOutcome, Mutations, Reason, Unmet
from authz.wire import limits
from authz.wire.limits import NO_NAMES, LimitNames
from authz.wire.mutations import change_request, check, checked_value, fill_struct, write_headers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from authz._pb.envoy.service.auth.v3.external_auth_pb2 import DeniedHttpResponse
    from authz._pb.envoy.type.v3.http_status_pb2 import StatusCode
    from authz.model import Decision, Outcome, Request
    from authz.wire.limits import LimitHeaders

OK, DENIED = 0, 7
"""gRPC status codes. `DENIED` (PERMISSION_DENIED) is what every HTTP status means that is not in `_CODES`."""

_CODES = {400: 3, 401: 16, 404: 5, 413: 8, 429: 8, 500: 13, 503: 14, 504: 4}

_DENYING = range(400, 600)
_REDIRECTING = range(300, 400)

DECISION_ID = "x-authz-decision-id"
MAX_MESSAGE = 2048
MAX_BODY = 64 * 1024
MAX_UNMET = 20
MAX_POINTER = 512

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_URI = re.compile(r"[\x21-\x7e]{1,8192}")
_STAND_IN = "~"
_LONGEST_REMEMBERED = 1024
_OVERLOADED_WAIT = 1
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

_WAITING = frozenset({Reason.RATE_LIMITED, Reason.OVERLOADED})


class _Denial(NamedTuple):
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


def write(outcome: Outcome, limit_headers: Sequence[LimitHeaders] = ()) -> bytes:
    """Return the serialized `envoy.service.auth.v3.CheckResponse` for an outcome; never raises, never returns nothing.

    An allow carries its mutations; everything else an `application/problem+json` body (RFC 9457) or the rule's own,
    with the status, the decision id and the headers its reason calls for. Expressions and errors are not told.
    `limit_headers` are the ways in which callers are told about limits.
    """
    try:
        identifier = outcome.id
        if not _ID.fullmatch(identifier):
            return LAST_RESORT
        decision = outcome.decision
        if decision.effect is Effect.ALLOW:
            return _allowed(outcome, identifier, limit_headers)
        return _denied(outcome, identifier, limit_headers)
    except Exception:  # noqa: BLE001 - whatever went wrong, Envoy gets a denial
        return LAST_RESORT


def _allowed(outcome: Outcome, identifier: str, styles: Sequence[LimitHeaders]) -> bytes:
    decision, usages = outcome.decision, outcome.usage.limits
    reason, policy, rule, mutations = decision.reason, decision.policy, decision.rule, decision.mutations
    try:
        named = limits.names(usages) if usages else NO_NAMES
        told = limits.headers(usages, reason, styles) if usages else ()
        if mutations is NO_MUTATIONS and (parts := _allow_parts(reason, policy, rule, named, len(identifier))):
            return identifier.encode().join(parts) + (_ok_response(told) if told else _PLAIN_OK)
        if told:
            mutations = msgspec.structs.replace(mutations, response_headers=(*mutations.response_headers, *told))
        return _allow(reason, policy, rule, named, identifier, mutations, _header_names(outcome.request))
    except ValueError:
        return _broken(decision, identifier)


def _denied(outcome: Outcome, identifier: str, styles: Sequence[LimitHeaders]) -> bytes:
    decision = outcome.decision
    try:
        denial = _denial(outcome, styles)
        remembered = decision.mutations is NO_MUTATIONS and not denial.unmet and _is_short(denial)
        if remembered and (parts := _denial_parts(denial, len(identifier))):
            return identifier.encode().join(parts)
        return _deny(denial, identifier, decision.mutations)
    except ValueError:
        return _broken(decision, identifier)


def _is_short(denial: _Denial) -> bool:
    """Whether an answer is worth its memory: long texts come from templates and rarely come again."""
    return len(denial.message) + len(denial.body or "") + len(denial.location or "") <= _LONGEST_REMEMBERED


def _broken(decision: Decision, identifier: str) -> bytes:
    """Deny in place of an answer that cannot be given: the rule's fault where a rule gave it, else our own."""
    reason = Reason.RULE_ERROR if decision.rule else Reason.INTERNAL_ERROR
    return _deny(_Denial(reason, STATUS[reason], decision.policy, decision.rule), identifier, NO_MUTATIONS)


@lru_cache(maxsize=1024)
def _allow_parts(
    reason: Reason, policy: str | None, rule: str | None, named: LimitNames, length: int
) -> tuple[bytes, ...]:
    """Return an allow without its `ok_response`, which may follow: protobuf's fields come in any order."""
    stand_in = _STAND_IN * length
    response = _response(OK, reason, policy, rule, named, stand_in, NO_MUTATIONS)
    return _cut(response.SerializeToString(), stand_in, times=1)


def _ok_response(headers: Sequence[HeaderMutation]) -> bytes:
    """Return a CheckResponse of nothing but `ok_response`: not an answer, the part of one."""
    response = CheckResponse()
    response.ok_response.SetInParent()
    write_headers(response.ok_response.response_headers_to_add, headers)
    return response.SerializeToString()


_PLAIN_OK = _ok_response(())


@lru_cache(maxsize=1024)
def _denial_parts(denial: _Denial, length: int) -> tuple[bytes, ...]:
    stand_in = _STAND_IN * length
    return _cut(_deny(denial, stand_in, NO_MUTATIONS), stand_in, times=3 if denial.body is None else 2)


def _cut(answer: bytes, stand_in: str, *, times: int) -> tuple[bytes, ...]:
    """Return what stands around the stand-in; nothing if it also occurs where no id belongs.

    No length in the answer's framing is mistaken for it: an id is shorter than the stand-in's code point.
    """
    parts = tuple(answer.split(stand_in.encode()))
    return parts if len(parts) == times + 1 else ()


def _allow(
    reason: Reason,
    policy: str | None,
    rule: str | None,
    named: LimitNames,
    identifier: str,
    mutations: Mutations,
    present: frozenset[str],
) -> bytes:
    check(mutations)
    response = _response(OK, reason, policy, rule, named, identifier, mutations)
    response.ok_response.SetInParent()
    change_request(response.ok_response, mutations, present)
    return response.SerializeToString()


def _header_names(request: Request | None) -> frozenset[str]:
    return frozenset() if request is None else request.invalid_headers.union(request.headers)


def _deny(denial: _Denial, identifier: str, mutations: Mutations) -> bytes:
    check(mutations)
    if len(denial.body or "") > MAX_BODY:
        raise ValueError("a longer body than a denial needs")
    if denial.status not in (_DENYING if denial.location is None else _REDIRECTING):
        raise ValueError("no status for this answer")
    code = _CODES.get(denial.status, DENIED)
    response = _response(code, denial.reason, denial.policy, denial.rule, denial.limits, identifier, mutations)
    _fill_denied(response.denied_response, denial, identifier, mutations)
    return response.SerializeToString()


def _response(
    code: int,
    reason: Reason,
    policy: str | None,
    rule: str | None,
    named: LimitNames,
    identifier: str,
    mutations: Mutations,
) -> CheckResponse:
    """Return a CheckResponse with its status and metadata: the one place that makes one.

    Only the outer `dynamic_metadata` is written; the one inside `ok_response` would override it.
    """
    response = CheckResponse()
    response.status.SetInParent()
    response.status.code = code
    ours = {"decision_id": identifier, "policy": policy, "rule": rule, "reason": reason, **named._asdict()}
    fill_struct(response.dynamic_metadata, {**mutations.metadata, **{k: v for k, v in ours.items() if v is not None}})
    return response


def _fill_denied(denied: DeniedHttpResponse, denial: _Denial, identifier: str, mutations: Mutations) -> None:
    """Write what the caller gets to see. A rule may choose how its own body is described, not what we say of it."""
    denied.status.code = cast("StatusCode", denial.status)
    denied.body = _problem(denial, identifier) if denial.body is None else denial.body
    described = {
        "content-type": _PROBLEM if denial.body is None else denial.media_type,
        "cache-control": "no-store",
        **(_GUARDED if denial.body is not None else {}),
        **(_PAGE if denial.media_type.startswith("text/html") else {}),
    }
    stated = {
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


def _overwriting(headers: Mapping[str, str | None]) -> Iterator[HeaderMutation]:
    return (HeaderMutation(name=name, value=value) for name, value in headers.items() if value is not None)


def _problem(denial: _Denial, identifier: str) -> str:
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


def _denial(outcome: Outcome, styles: Sequence[LimitHeaders]) -> _Denial:
    decision, usages = outcome.decision, outcome.usage.limits
    limit, wait = _limit(outcome) if decision.reason in _WAITING else (None, None)
    return _Denial(
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
    if outcome.decision.reason is Reason.OVERLOADED or not over:
        return None, _OVERLOADED_WAIT
    longest = limits.longest(over)
    return longest.charge.limit.name, max(1, limits.whole_seconds(longest.retry_after or 0.0))


LAST_RESORT = _deny(_Denial(Reason.INTERNAL_ERROR, STATUS[Reason.INTERNAL_ERROR]), "none", NO_MUTATIONS)
"""A denial for when nothing else can be written: 500 `internal_error`, without an id."""
