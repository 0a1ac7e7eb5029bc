"""A `CheckResponse` and how it came about, shown: to people as the caller and the upstream meet it, or as JSON."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import MessageToDict

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from authz.model import Effect

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from authz._pb.envoy.config.core.v3.base_pb2 import HeaderValueOption
    from authz.model import Decision, Outcome


def pretty(answer: bytes) -> str:
    """Return the answer a denied caller gets, or what an allowed request goes on with."""
    response = CheckResponse.FromString(answer)
    return "\n".join(_allowed(response) if response.HasField("ok_response") else _denied(response))


def why(outcome: Outcome) -> str:
    """Say in a line what settled it, and in further lines what went wrong on the way and what the limits said."""
    decision = outcome.decision
    lines = [f"{decision.effect}: {decision.reason}{_by(decision)}"]
    lines += [f"  {outcome.detail}"] if outcome.detail else []
    lines += [f"  error in {error.rule}: {error.error}" for error in decision.errors]
    lines += [f"  {trace.name}: {trace.outcome}" for trace in decision.documents if trace.outcome.startswith("would_")]
    lines += [
        f"  limit {usage.charge.limit.name}: {usage.outcome}, {usage.remaining} left" for usage in outcome.usage.limits
    ]
    return "\n".join(lines)


def data(answer: bytes, outcome: Outcome) -> dict[str, Any]:
    """Return everything a program may want: the decision, what led to it, and the answer as Envoy gets it."""
    decision = outcome.decision
    return {
        "decision": decision.effect,
        "reason": decision.reason,
        "status": decision.status,
        "policy": decision.policy,
        "rule": decision.rule,
        "documents": [
            {"name": one.name, "mode": one.mode, "outcome": one.outcome, "rule": one.rule, "error": one.error}
            for one in decision.documents
        ],
        "limits": [
            {"name": one.charge.limit.name, "outcome": one.outcome, "remaining": one.remaining, "reset": one.reset}
            for one in outcome.usage.limits
        ],
        "errors": [{"rule": error.rule, "error": error.error} for error in decision.errors],
        "detail": outcome.detail,
        "response": MessageToDict(CheckResponse.FromString(answer), preserving_proto_field_name=True),
    }


def _by(decision: Decision) -> str:
    named = "/".join(part for part in (decision.policy, decision.rule) if part)
    return f" by {named}" if named else ""


def _denied(response: CheckResponse) -> Iterator[str]:
    denied = response.denied_response
    yield f"HTTP/1.1 {denied.status.code} {HTTPStatus(denied.status.code).phrase}"
    yield from _headers(denied.headers)
    yield ""
    yield denied.body


def _allowed(response: CheckResponse) -> Iterator[str]:
    ok = response.ok_response
    yield Effect.ALLOW
    for title, lines in (
        ("request headers", [*_headers(ok.headers), *(f"-{name}" for name in ok.headers_to_remove)]),
        (
            "query",
            [
                *(f"{one.key}={one.value}" for one in ok.query_parameters_to_set),
                *(f"-{name}" for name in ok.query_parameters_to_remove),
            ],
        ),
        ("response headers", list(_headers(ok.response_headers_to_add))),
    ):
        if lines:
            yield f"{title}:"
            yield from (f"  {line}" for line in lines)


def _headers(options: Iterable[HeaderValueOption]) -> Iterator[str]:
    return (f"{one.header.key}: {one.header.value}" for one in options)
