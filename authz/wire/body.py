"""What is known of a request's body.

Envoy sends a body only where the filter buffers it, and then perhaps a prefix; nothing but this module stands between
a policy and a verdict on half a body. So a body is complete only if something proves it: its length, or Envoy's word
(`x-envoy-auth-partial-body: false`). It is absent only if nothing says it was sent. The rest is truncated or
unavailable, and whoever reads it is told.

Envoy's word is wrong in one case (tried, 1.40): with `allow_partial_message`, a body without a length that fills
`max_request_bytes` exactly and then goes on is sent as whole. `allow_partial_message: false` rules that out; where it
must be true, `body_limit` tells the limit here, and a body that just fills it proves nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.model import BodyState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authz._pb.envoy.service.auth.v3.attribute_context_pb2 import AttributeContext

PARTIAL = "x-envoy-auth-partial-body"
"""Set by Envoy when it buffers; the caller's own is dropped by Envoy, and not believed when it comes doubled."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def read_body(
    http: AttributeContext.HttpRequest, headers: Mapping[str, str], body_limit: int | None = None
) -> tuple[bytes, BodyState]:
    """Return the bytes of the body and what is known of them; raw bytes go before text.

    `headers` as `read_headers` returns them: `content-length` is a number. `body_limit` is the filter's
    `max_request_bytes` where it has `allow_partial_message`, in bytes.
    """
    content, text = http.raw_body, http.body
    if not content and not text:
        return b"", _missing_state(http, headers)
    if content and text and content != text.encode():
        return content, BodyState.INVALID
    content = content or text.encode()
    limited = body_limit is not None and len(content) >= body_limit
    return content, _present_state(len(content), http.size, headers, limited=limited)


def _present_state(seen: int, counted: int, headers: Mapping[str, str], *, limited: bool) -> BodyState:
    partial, length = headers.get(PARTIAL), headers.get("content-length")
    if partial not in {None, "false"} or counted > seen:
        return BodyState.TRUNCATED
    if length is None:
        return BodyState.TRUNCATED if partial is None or limited else BodyState.COMPLETE
    if int(length) < seen:
        return BodyState.INVALID
    return BodyState.COMPLETE if int(length) == seen else BodyState.TRUNCATED


def _missing_state(http: AttributeContext.HttpRequest, headers: Mapping[str, str]) -> BodyState:
    """Tell "nothing was sent" from "nothing was shown".

    A body without a length looks like none: from HTTP/2 on nothing announces it, and of HTTP/1 Envoy drops the
    `Transfer-Encoding` that would (tried, 1.40). So only methods whose content has no meaning (RFC 9110, 9.3) are
    believed to have none.
    """
    partial, length = headers.get(PARTIAL), headers.get("content-length")
    if partial not in {None, "false"}:
        return BodyState.TRUNCATED
    if http.size > 0 or "transfer-encoding" in headers:
        return BodyState.UNAVAILABLE
    if length is not None:
        return BodyState.UNAVAILABLE if int(length) else BodyState.ABSENT
    believed = http.method in _SAFE_METHODS or partial == "false"
    return BodyState.ABSENT if believed else BodyState.UNAVAILABLE
