"""What a counter is called in the store: `authz:{tag}:<limit id>:<digest>`, at most 128 bytes.

* tag: a hash of the first component, the caller; the braces are Redis Cluster's, so all counters of one caller
  lie in one slot and are charged by one script.
* limit id: the limit's name as far as it is plain, and a fingerprint of name, algorithm, period, calendar and
  whether it is a guardrail's. Not of the amount: a limit that is raised or lowered keeps its count.
* digest: a hash of every component, each behind its length, so no two lists of components meet and no byte of a
  caller's reaches the key. With a secret the hashes are keyed, and nobody who reads the store can try names.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authz.model import Limit

PREFIX = "authz"
LONGEST = 128
_SHOWN = 48


def limit_id(limit: Limit) -> str:
    """Return the limit's part of a key, the same for every `requests` and `burst`."""
    shown = re.sub(r"[^A-Za-z0-9_./-]", "_", limit.name)[:_SHOWN]
    aligned = () if limit.align is None else (limit.align.value, limit.time_zone)
    kind = ("guardrail",) if limit.guardrail else ()
    counted = (limit.name, limit.algorithm.value, repr(float(limit.period)), *aligned, *kind)
    return f"{shown}.{_hash(counted, 8, b'')}"


class KeyMaker:
    """Makes keys under one secret (at most 64 bytes; empty: unkeyed). Another secret starts every counter afresh."""

    def __init__(self, secret: bytes = b"") -> None:
        self._secret = secret

    def key(self, limit_part: str, components: tuple[str, ...]) -> str:
        """Return the key of the counter that `components` name within a limit."""
        tag = _hash(components[:1], 8, self._secret)
        return f"{PREFIX}:{{{tag}}}:{limit_part}:{_hash(components, 16, self._secret)}"


def _hash(components: Sequence[str], size: int, secret: bytes) -> str:
    state = blake2b(digest_size=size, key=secret)
    for component in components:
        content = component.encode("utf-8", "surrogatepass")
        state.update(b"%d:" % len(content))
        state.update(content)
    return urlsafe_b64encode(state.digest()).rstrip(b"=").decode("ascii")
