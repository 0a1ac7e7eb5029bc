"""Taking one counter out of Redis by hand, over a connection of its own; the limiter itself never deletes.

A process that refused somebody remembers that until the time it told them (see denials.py), whatever is reset here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from redis.crc import key_slot

from authz.errors import Unavailable
from authz.limits.address import asked, group, server_url
from authz.limits.keys import KeyMaker, limit_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authz.limits.address import Access
    from authz.model import Limit


def reset(url: str, access: Access, limit: Limit, key: Sequence[str], *, secret: bytes = b"") -> bool:
    """Make a counter whole, and say whether there was one; raises `Unavailable`. Needs the right to `del`."""
    name = KeyMaker(secret).key(limit_id(limit), tuple(key))
    server = _owner(url, access, name) if url.startswith("redis+cluster://") else server_url(url, access)
    return bool(asked(server, access, "DEL", name))


def _owner(url: str, access: Access, name: str) -> str:
    """Return the URL of the master that holds a key."""
    nodes, slot = group(url, 6379), key_slot(name.encode())
    silent = Unavailable("no node was asked")
    for address in nodes.addresses:
        try:
            ranges = asked(nodes.url(address), access, "CLUSTER", "SLOTS")
        except Unavailable as error:
            silent = error
            continue
        for first, last, (host, port, *_), *_ in ranges:
            if first <= slot <= last:
                return nodes.url(((host or b"").decode() or address[0], port))
        silent = Unavailable("no node serves the slot")
    raise silent
