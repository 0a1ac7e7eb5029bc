"""Envoy's trace, as it stands in the metadata of a call: the W3C `traceparent` (Trace Context, section 3.2). Pure.

Its form is `version-trace id-parent id-flags`, all hex; the lowest bit of the flags says whether the caller records
the trace. Where it does not, no span is made: that is one look at one character.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    Metadata = Sequence[tuple[str, str | bytes]]

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")
_SAMPLED = frozenset("13579bdf")
_FLAGS = slice(54, 55)
"""The last digit of the flags."""


def trace_id(metadata: Metadata) -> str:
    """Find the trace id of a call; `""` without one."""
    for name, value in metadata:
        if name == "traceparent":
            found = _TRACEPARENT.fullmatch(value) if isinstance(value, str) else None
            return found[1] if found else ""
    return ""


def sampled_parent(metadata: Metadata) -> str:
    """Find the id of the caller's span if the caller records its trace; `""` otherwise."""
    for name, value in metadata:
        if name == "traceparent":
            if value[_FLAGS] not in _SAMPLED or not isinstance(value, str):
                return ""
            found = _TRACEPARENT.fullmatch(value)
            return found[2] if found else ""
    return ""
