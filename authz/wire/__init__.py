"""Bytes to one canonical `Request` or a refusal, and an `Outcome` to bytes; pure.

`read` and `write` are the two ends of the way of a request. Only this package knows Envoy's messages; what it emits
is denied unless a decision says allow, and cannot break the checks Envoy makes of it.
"""

from authz.wire.limits import LimitHeaders
from authz.wire.read import read
from authz.wire.write import LAST_RESORT, allow_part, write

__all__ = ["LAST_RESORT", "LimitHeaders", "allow_part", "read", "write"]
