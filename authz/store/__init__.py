"""Where policies come from: read, watch, compile, swap.

`folders` reads everything there is, once and whole; `mounts` knows which mounts never change; `hints` says that
something may have changed; `store` decides what to do about it and holds the one reference that requests read.
`events` are what it tells. What a policy means is no business of this package: it hands bytes to a compiler.
"""

from authz.store.events import Loaded, Pinned, Refused, StoreEvent, Unchanged
from authz.store.folders import Reading, read
from authz.store.store import Compiler, PolicyStore, Snapshot

__all__ = [
    "Compiler", "Loaded", "Pinned", "PolicyStore", "Reading", "Refused", "Snapshot", "StoreEvent", "Unchanged", "read",
]  # fmt: skip
