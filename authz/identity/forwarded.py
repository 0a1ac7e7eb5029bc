"""Tokens that Envoy's own `jwt_authn` filter has verified: their payload comes with the request, as metadata.

No client can write it: Envoy makes it (`payload_in_metadata`) and sends it where ext_authz is told to
(`metadata_context_namespaces`). The signature is Envoy's business; issuer, audience and times are looked at here all
the same, because the filter may serve several providers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import MessageToDict

from authz.identity.claims import understand

if TYPE_CHECKING:
    from authz.identity.claims import ClaimRules
    from authz.model import Identity, Request

NAMESPACE = "envoy.filters.http.jwt_authn"


class ForwardedTokens:
    """Believes payloads of one issuer under one key of the filter's metadata."""

    def __init__(self, provider: str, rules: ClaimRules, key: str) -> None:
        self._provider = provider
        self.rules = rules
        self.key = key

    def identify(self, request: Request) -> Identity | None:
        """Return who is calling, `None` where Envoy verified no such token; raises `InvalidCredential`."""
        if request.envoy is None:
            return None
        verified = request.envoy.metadata_context.filter_metadata.get(NAMESPACE)
        payload = verified.fields.get(self.key) if verified is not None else None
        if payload is None or not payload.HasField("struct_value"):
            return None
        claims = {name: _whole(value) for name, value in MessageToDict(payload.struct_value).items()}
        if claims.get("iss") != self.rules.issuer:
            return None
        return understand(self._provider, self.rules, claims).at(request.time)


def _whole(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return JSON as it was before a protobuf Struct made a double of every number."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {name: _whole(item) for name, item in value.items()}
    return value
