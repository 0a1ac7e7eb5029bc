"""What an outcome and its `CheckResponse` say, in the words of tests.

The response is read back as Envoy would read it, so that what is compared is what callers and upstreams get, and not
what was meant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from authz.model import Effect, LimitOutcome, Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from authz._pb.envoy.config.core.v3.base_pb2 import HeaderValueOption
    from authz._pb.envoy.service.auth.v3.external_auth_pb2 import DeniedHttpResponse, OkHttpResponse
    from authz.model import Decision, Outcome

_REFUSING = frozenset({LimitOutcome.OVER, LimitOutcome.DEGRADED_DENY})


def carried(response: bytes) -> Mapping[str, Any]:
    """Return what a response brings to the caller or the upstream, as arguments of `Answer`."""
    read = CheckResponse.FromString(response)
    return _allowed(read.ok_response) if read.HasField("ok_response") else denied(_denied(read.denied_response))


def decided(outcome: Outcome) -> Mapping[str, Any]:
    """Return what was decided and why, as arguments of `Answer`."""
    decision, limits = outcome.decision, outcome.usage.limits
    settled = tuple(_settled(decision))
    return {
        "decision": decision.effect,
        "reason": decision.reason,
        "status": decision.status,
        "policies": tuple(policy for policy, _ in settled),
        "rules": tuple(f"{policy}/{rule}" for policy, rule in settled if rule is not None),
        "limits": tuple(one.charge.limit.name for one in limits if one.outcome in _REFUSING),
        "message": decision.message,
        "metadata": decision.mutations.metadata,
        "would_deny": tuple(_would(decision)),
        "would_limit": tuple(one.charge.limit.name for one in limits if one.outcome is LimitOutcome.WOULD_LIMIT),
        "errors": decision.errors,
        "documents": decision.documents,
        "detail": outcome.detail,
    }


def denied(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what an answer that is no allow carries, with what its headers say of where and when to come back."""
    headers = fields["response_headers"]
    (location,) = headers.get("location", (None,))
    (retry_after,) = headers.get("retry-after", (None,))
    return {**fields, "location": location, "retry_after": None if retry_after is None else int(retry_after)}


def _settled(decision: Decision) -> Iterator[tuple[str, str | None]]:
    """Yield document and rule of what settled a decision: of an allow every document that allowed."""
    if decision.effect is Effect.ALLOW:
        for trace in decision.documents:
            if trace.outcome == Effect.ALLOW and trace.mode is Mode.ENFORCE:
                yield trace.name, trace.rule
    elif decision.policy is not None:
        yield decision.policy, decision.rule


def _would(decision: Decision) -> Iterator[str]:
    """Yield what would have denied, were it not in shadow: the rule and its document."""
    for trace in decision.documents:
        if trace.mode is Mode.SHADOW and trace.outcome == "would_deny":
            yield trace.name
            if trace.rule is not None:
                yield f"{trace.name}/{trace.rule}"


def _allowed(ok: OkHttpResponse) -> dict[str, Any]:
    return {
        "request_headers": _headers(ok.headers),
        "removed_headers": tuple(ok.headers_to_remove),
        "response_headers": _headers(ok.response_headers_to_add),
        "query": {one.key: one.value for one in ok.query_parameters_to_set},
        "removed_query": tuple(ok.query_parameters_to_remove),
    }


def _denied(response: DeniedHttpResponse) -> dict[str, Any]:
    return {"response_headers": _headers(response.headers), "body": response.body}


def _headers(options: Iterable[HeaderValueOption]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for option in options:
        header = option.header
        value = header.value or header.raw_value.decode()
        found[header.key.lower()] = (*found.get(header.key.lower(), ()), value)
    return found
