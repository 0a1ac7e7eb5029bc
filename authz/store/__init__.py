"""Where policies come from: read, watch, compile, swap.

`folders` reads everything there is, once and whole; `mounts` knows which mounts never change; `hints` says that
something may have changed; `provenance` and `checkout` say where what was read comes from; `store` decides what to do
about it and holds the one reference that requests read. `events` are what it tells. What a policy means is no business
of this package: it hands bytes to a compiler.
"""

from authz.store.events import Loaded, Pinned, Refused, StoreEvent, Unchanged
from authz.store.folders import Reading, read
from authz.store.provenance import Provenance
from authz.store.store import Compiler, PolicyStore, Snapshot, provenance_of

__all__ = [
    "Compiler", "Loaded", "Pinned", "PolicyStore", "Provenance", "Reading", "Refused", "Snapshot", "StoreEvent",
    "Unchanged", "provenance_of", "read",
]  # fmt: skip
