"""Header fields of gRPC calls over HTTP/2, as bytes (RFC 7541): what a request says, and what the trailers answer."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from hpack import Decoder

if TYPE_CHECKING:
    from collections.abc import Mapping


def encode_headers(method: str, authority: str, fields: Mapping[str, str]) -> bytes:
    """Return the header block of a call of `method`, with `fields` behind gRPC's own."""
    pseudo = {":method": "POST", ":scheme": "http", ":path": method, ":authority": authority}
    plain = {"te": "trailers", "content-type": "application/grpc", "user-agent": "load", **fields}
    return b"".join(_literal(name, value) for name, value in (pseudo | plain).items())


def _literal(name: str, value: str) -> bytes:
    """Encode one field as a literal that enters no table (RFC 7541, section 6.2.2), without Huffman."""
    return b"\0" + b"".join(_length(len(text)) + text.encode() for text in (name, value))


def _length(size: int) -> bytes:
    """Encode an integer with a prefix of seven bits (RFC 7541, section 5.1)."""
    if size < 127:
        return bytes([size])
    size -= 127
    encoded = bytearray([127])
    while size >= 128:
        encoded.append(size & 127 | 128)
        size >>= 7
    return bytes([*encoded, size])


@lru_cache(maxsize=4096)
def read_status(trailers: bytes) -> int:
    """Return the gRPC status of a block of trailers; 2 (unknown) when it names none, as gRPC's clients do."""
    fields = dict(Decoder().decode(trailers, raw=True))
    return int(fields.get(b"grpc-status", b"2"))
