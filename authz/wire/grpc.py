"""gRPC's status codes, and who gets one in place of an HTTP answer.

Envoy answers a gRPC call with 200 and maps our HTTP status to a code of its own, by which a 429 is UNAVAILABLE: clients
take that for an invitation to try again at once. So a gRPC caller is told the code and a message in so many words, in
headers that Envoy lets through.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from authz.model import Request

OK, DENIED = 0, 7
"""`DENIED` (PERMISSION_DENIED) is what every HTTP status means that has no code of its own."""

_CODES = {400: 3, 401: 16, 404: 5, 409: 10, 413: 8, 415: 3, 422: 3, 429: 8, 500: 13, 501: 12, 503: 14, 504: 4}
"""INVALID_ARGUMENT, UNAUTHENTICATED, NOT_FOUND, ABORTED, RESOURCE_EXHAUSTED, INTERNAL, UNIMPLEMENTED and UNAVAILABLE,
DEADLINE_EXCEEDED, by HTTP status."""

_ESCAPED = re.compile(rb"[^\x20-\x24\x26-\x7e]")
MEDIA_TYPE = "application/grpc"


def code(status: int) -> int:
    """Return what an HTTP status is to gRPC."""
    return _CODES.get(status, DENIED)


def calls(request: Request | None) -> bool:
    """Whether a request is a gRPC call as Envoy sees it, which answers those in gRPC's own way (not gRPC-Web)."""
    if request is None:
        return False
    media_type = request.headers.get("content-type", "")
    return media_type == MEDIA_TYPE or media_type.startswith((MEDIA_TYPE + "+", MEDIA_TYPE + ";"))


def message(text: str) -> str:
    """Return a text as `grpc-message` carries it: percent-encoded where it is not visible ASCII."""
    return _ESCAPED.sub(lambda found: b"%%%02X" % found[0][0], text.encode()).decode()
