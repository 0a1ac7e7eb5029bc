"""How much an answer can carry: what Envoy takes by default, and what those who read answers do.

Policies keep within these, so that what is decided is what is answered and what is on record. `wire` looks once more
at what leaves, for whatever else an answer might be made of.
"""

from __future__ import annotations

from typing import Final

MAX_HEADERS: Final = 100
MAX_HEADER_BYTES: Final = 60 * 1024
"""Headers that Envoy takes of one message, and their names and values together."""

OUR_HEADERS: Final = 24
"""Those of them that are ours to write: the decision's id, limits, what is said to browsers and gRPC callers."""

MAX_QUERY_BYTES: Final = 60 * 1024
MAX_LOCATION: Final = 8192
MAX_BODY: Final = 64 * 1024

MAX_METADATA_DEPTH: Final = 32
"""Levels of a protobuf Struct; its readers give up at about three times as many messages."""
