"""A `CheckResponse` and how it came about, shown: as the caller and the upstream meet it, to people or as JSON."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import MessageToDict

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckResponse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from authz._pb.envoy.config.core.v3.base_pb2 import HeaderValueOption
    from authz._pb.envoy.service.auth.v3.external_auth_pb2 import OkHttpResponse
    from authz.model import Decision, Outcome


def pretty(answer: bytes) -> str:
    """Return the answer a denied caller gets, or what an allowed request goes on with."""
    response = CheckResponse.FromString(answer)
    return "\n".join(_allowed(response.ok_response) if response.HasField("ok_response") else _denied(response))


def why(outcome: Outcome) -> str:
    """Say in a line what settled it, and in further lines what went wrong on the way and what whole limits said."""
    decision = outcome.decision
    lines = [f"{decision.effect}: {decision.reason}{_by(decision)}"]
    lines += [f"  {outcome.detail}"] if outcome.detail else []
    lines += [f"  error in {error.rule}: {error.error}" for error in decision.errors]
    told = {error.error for error in decision.errors}
    lines += [
        f"  {trace.name}: {trace.error}" for trace in decision.documents if trace.error and trace.error not in told
    ]
    lines += [f"  {trace.name}: {trace.outcome}" for trace in decision.documents if trace.outcome.startswith("would_")]
    lines += [
        f"  limit {usage.charge.limit.name}: {usage.outcome}, {usage.remaining} left if nobody asked before"
        for usage in outcome.usage.limits
    ]
    return "\n".join(lines)


def data(answer: bytes, outcome: Outcome) -> dict[str, Any]:
    """Return everything a program may want: the decision, what led to it, and what the caller or the upstream gets."""
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
        **_answer(CheckResponse.FromString(answer)),
    }


def _answer(response: CheckResponse) -> dict[str, Any]:
    metadata = {"metadata": MessageToDict(response.dynamic_metadata)}
    if response.HasField("ok_response"):
        ok = response.ok_response
        return {
            "request_headers": {"set": _pairs(ok.headers), "remove": list(ok.headers_to_remove)},
            "query": {
                "set": [[one.key, one.value] for one in ok.query_parameters_to_set],
                "remove": list(ok.query_parameters_to_remove),
            },
            "response_headers": {"set": _pairs(ok.response_headers_to_add)},
            **metadata,
        }
    denied = response.denied_response
    return {"headers": _pairs(denied.headers), "body": denied.body, **metadata}


def _by(decision: Decision) -> str:
    named = "/".join(part for part in (decision.policy, decision.rule) if part)
    return f" by {named}" if named else ""


def _denied(response: CheckResponse) -> Iterator[str]:
    denied = response.denied_response
    yield f"HTTP/1.1 {denied.status.code} {HTTPStatus(denied.status.code).phrase}"
    yield from _lines(denied.headers)
    yield ""
    yield denied.body


def _allowed(ok: OkHttpResponse) -> Iterator[str]:
    yield "allow"
    yield from _changes("request headers", _lines(ok.headers), ok.headers_to_remove)
    query = (f"{one.key}={one.value}" for one in ok.query_parameters_to_set)
    yield from _changes("query", query, ok.query_parameters_to_remove)
    yield from _changes("response headers", _lines(ok.response_headers_to_add), ())


def _changes(title: str, written: Iterable[str], removed: Iterable[str]) -> Iterator[str]:
    lines = [*(f"  + {line}" for line in written), *(f"  - {name}" for name in removed)]
    return iter([f"{title}:", *lines] if lines else [])


def _lines(options: Iterable[HeaderValueOption]) -> Iterator[str]:
    return (f"{one.header.key}: {one.header.value}" for one in options)


def _pairs(options: Iterable[HeaderValueOption]) -> list[list[str]]:
    return [[one.header.key, one.header.value] for one in options]
