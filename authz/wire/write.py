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
from typing import TYPE_CHECKING

import msgspec

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from authz.model import NO_MUTATIONS, STATUS, Effect, HeaderMutation, Mutations, Reason
from authz.wire import grpc, limits
from authz.wire.denials import Denial, check_denial, denial_of, fill
from authz.wire.limits import NO_NAMES, LimitNames
from authz.wire.mutations import change_request, check, checked_value, fill_struct, write_headers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authz.model import Outcome, Request
    from authz.wire.limits import LimitHeaders

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_STAND_IN = "~"


def write(outcome: Outcome, limit_headers: Sequence[LimitHeaders] = (), further: bytes = b"") -> bytes:
    """Return the serialized `envoy.service.auth.v3.CheckResponse` for an outcome; never raises, never returns nothing.

    An allow carries its mutations; everything else an `application/problem+json` body (RFC 9457) or the rule's own,
    with the status, the decision id and the headers its reason calls for. Expressions and errors are not told.
    `limit_headers` are the ways in which callers are told about limits, `further` is the part (`allow_part`) that goes
    with an allow and with nothing else.
    """
    try:
        identifier = outcome.id
        if not _ID.fullmatch(identifier):
            return LAST_RESORT
        decision = outcome.decision
        if decision.effect is Effect.ALLOW:
            return _allowed(outcome, identifier, limit_headers, further)
        return _denied(outcome, identifier, limit_headers)
    except Exception:  # noqa: BLE001 - whatever went wrong, Envoy gets a denial
        return LAST_RESORT


def _allowed(outcome: Outcome, identifier: str, styles: Sequence[LimitHeaders], further: bytes) -> bytes:
    decision, usages = outcome.decision, outcome.usage.limits
    reason, policy, rule, mutations = decision.reason, decision.policy, decision.rule, decision.mutations
    try:
        named = limits.names(usages) if usages else NO_NAMES
        told = (*decision.cors, *limits.headers(usages, reason, styles)) if usages else decision.cors
        if mutations is NO_MUTATIONS and (parts := _allow_parts(reason, policy, rule, named, len(identifier))):
            return identifier.encode().join(parts) + (_told(told) if told else _PLAIN_OK) + further
        if told:
            mutations = msgspec.structs.replace(mutations, response_headers=(*mutations.response_headers, *told))
        return _allow(reason, policy, rule, named, identifier, mutations, _header_names(outcome.request)) + further
    except ValueError:
        return _broken(outcome, identifier)


def _denied(outcome: Outcome, identifier: str, styles: Sequence[LimitHeaders]) -> bytes:
    decision = outcome.decision
    try:
        denial = denial_of(outcome, styles)
        remembered = decision.mutations is NO_MUTATIONS and denial.is_short
        if remembered and (parts := _denial_parts(denial, len(identifier))):
            return identifier.encode().join(parts)
        return _deny(denial, identifier, decision.mutations)
    except ValueError:
        return _broken(outcome, identifier)


def _broken(outcome: Outcome, identifier: str) -> bytes:
    """Deny in place of an answer that cannot be given: the rule's fault where a rule gave it, else our own."""
    decision = outcome.decision
    reason = Reason.RULE_ERROR if decision.rule else Reason.INTERNAL_ERROR
    denial = Denial(
        reason, STATUS[reason], decision.policy, decision.rule, cors=decision.cors, grpc=grpc.calls(outcome.request)
    )
    return _deny(denial, identifier, NO_MUTATIONS)


@lru_cache(maxsize=1024)
def _allow_parts(
    reason: Reason, policy: str | None, rule: str | None, named: LimitNames, length: int
) -> tuple[bytes, ...]:
    """Return an allow without its `ok_response`, which may follow: protobuf's fields come in any order."""
    stand_in = _STAND_IN * length
    response = _response(grpc.OK, reason, policy, rule, named, stand_in, NO_MUTATIONS)
    return _cut(response.SerializeToString(), stand_in, times=1)


def _ok_response(*headers: HeaderMutation) -> bytes:
    """Return a CheckResponse of nothing but `ok_response`: not an answer, the part of one."""
    response = CheckResponse()
    response.ok_response.SetInParent()
    write_headers(response.ok_response.response_headers_to_add, headers)
    return response.SerializeToString()


_PLAIN_OK = _ok_response()


def _told(headers: Sequence[HeaderMutation]) -> bytes:
    """Return an `ok_response` that adds headers; of two, as limits have, the first is the same again and again."""
    if len(headers) == 2:
        return _written(headers[1], headers[:1])
    return b"".join([_written(header) for header in headers])  # protobuf's readers join the parts of one message


def _written(header: HeaderMutation, before: Sequence[HeaderMutation] = ()) -> bytes:
    value = checked_value(header.value).encode()
    parts = _around(tuple(before), header.name, header.append, len(value)) if 1 < len(value) < ord(_STAND_IN) else ()
    return value.join(parts) if parts else _ok_response(*before, header)


@lru_cache(maxsize=1024)
def _around(before: tuple[HeaderMutation, ...], name: str, append: bool, length: int) -> tuple[bytes, ...]:
    """Return what stands around the value of a header; as with ids, no length is mistaken for it (see `_cut`)."""
    stand_in = _STAND_IN * length
    return _cut(_ok_response(*before, HeaderMutation(name=name, value=stand_in, append=append)), stand_in, times=1)


@lru_cache(maxsize=1024)
def _denial_parts(denial: Denial, length: int) -> tuple[bytes, ...]:
    stand_in = _STAND_IN * length
    return _cut(_deny(denial, stand_in, NO_MUTATIONS), stand_in, times=denial.says_id)


def _cut(answer: bytes, stand_in: str, *, times: int) -> tuple[bytes, ...]:
    """Return what stands around the stand-in; nothing if it also occurs where no id belongs.

    No length in the answer's framing is mistaken for it: an id is shorter than the stand-in's code point.
    """
    parts = tuple(answer.split(stand_in.encode()))
    return parts if len(parts) == times + 1 else ()


def allow_part(mutations: Mutations) -> bytes:
    """Return what an allow changes, to be put behind others: protobuf's readers join the parts of one message."""
    check(mutations)
    response = CheckResponse()
    response.ok_response.SetInParent()
    change_request(response.ok_response, mutations, ())
    return response.SerializeToString()


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
    response = _response(grpc.OK, reason, policy, rule, named, identifier, mutations)
    response.ok_response.SetInParent()
    change_request(response.ok_response, mutations, present)
    return response.SerializeToString()


def _header_names(request: Request | None) -> frozenset[str]:
    return frozenset() if request is None else request.invalid_headers.union(request.headers)


def _deny(denial: Denial, identifier: str, mutations: Mutations) -> bytes:
    check(mutations)
    check_denial(denial)
    response = _response(
        grpc.code(denial.status), denial.reason, denial.policy, denial.rule, denial.limits, identifier, mutations
    )
    fill(response.denied_response, denial, identifier, mutations)
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


LAST_RESORT = _deny(Denial(Reason.INTERNAL_ERROR, STATUS[Reason.INTERNAL_ERROR]), "none", NO_MUTATIONS)
"""A denial for when nothing else can be written: 500 `internal_error`, without an id."""
