"""A Redis Cluster: one pipeline for each master, callers sent to the one that holds their slot.

All counters of one caller lie in one slot (see keys.py), so a usual request is one script, one round trip and atomic
here too. A request whose limits belong to several slots cannot be charged at once anywhere: it looks at all of them
first, in parallel, and charges them, in parallel, when all have room. Each part is atomic. Another request may take
the last place in between; then the parts that were charged stay charged: it can refuse too much, never admit too much.

The map of slots is read when starting, when a node says MOVED and when one cannot be reached, by one thread at a time.
MOVED means that nothing ran, so the caller is sent on, once. ASK and TRYAGAIN, while a slot is on its way, are errors.
"""

from __future__ import annotations

import time
from threading import Lock, Thread
from typing import TYPE_CHECKING

from redis.crc import key_slot

from authz.errors import Unavailable
from authz.limits.address import Access, Address, asked, connector, group
from authz.limits.batch import Waiting
from authz.limits.breaker import BreakerState
from authz.limits.scatter import Part, Scatter

if TYPE_CHECKING:
    from collections.abc import Callable

    from authz.limits.connection import Link
    from authz.limits.pipeline import Pipeline

SLOTS = 16_384
_PAUSE = 0.1
"""Seconds between one reading of the map and the next."""


class Cluster:
    """Asks the nodes. `open_pipeline` makes the pipeline of one, from what connects it and what takes its MOVED."""

    def __init__(
        self,
        url: str,
        access: Access,
        open_pipeline: Callable[[Callable[[], Link], Callable[[str, list[Waiting]], bool]], Pipeline],
    ) -> None:
        self._group = group(url, 6379)
        self._access = access
        self._open_pipeline = open_pipeline
        self._lock = Lock()
        self._nodes: dict[Address, Pipeline] = {}
        self._slots: list[Address | None] = [None] * SLOTS
        self._reading: Thread | None = None
        self._read_at = 0.0
        self._running = False
        self._error: str | None = None

    @property
    def connected(self) -> bool:
        """Whether every slot has a node and every node a link."""
        return None not in self._slots and all(node.connected for node in self._nodes.values())

    @property
    def breaker(self) -> BreakerState:
        """Open or half-open where any node's is."""
        states = {node.breaker for node in self._nodes.values()}
        return next(
            (state for state in (BreakerState.OPEN, BreakerState.HALF_OPEN) if state in states), BreakerState.CLOSED
        )

    @property
    def last_error(self) -> str | None:
        """The last error of the map or of any node."""
        return self._error or next((node.last_error for node in self._nodes.values() if node.last_error), None)

    def start(self) -> None:
        """Begin to read the map; nothing waits for it."""
        self._running = True
        self._read_map()

    def close(self) -> None:
        """Stop every node's pipeline."""
        self._running = False
        reading = self._reading
        if reading is not None:
            reading.join()
        for node in self._nodes.values():
            node.close()

    def submit(self, caller: Waiting) -> bool:
        """Hand over a caller; false, and no callback, when there is nobody to ask."""
        asks = caller.plan.asks
        slots = {key_slot(ask.key.encode()) for ask in asks} if len(asks) > 1 else {key_slot(asks[0].key.encode())}
        if len(slots) == 1:
            return self._send(slots.pop(), caller)
        parts = [Part.of(caller.plan, slot, lambda ask: key_slot(ask.key.encode())) for slot in sorted(slots)]
        Scatter(caller, parts, self._send).begin()
        return True

    def _send(self, slot: int, caller: Waiting) -> bool:
        address = self._slots[slot]
        if address is None:
            self._read_map()
            return False
        return self._submit(address, caller)

    def _submit(self, address: Address, caller: Waiting) -> bool:
        node = self._nodes.get(address)  # the map may just have changed
        return node is not None and node.submit(caller)

    def _moved(self, message: str, callers: list[Waiting]) -> bool:
        _, slot, where = message.split(" ")[:3]
        host, _, port = where.rpartition(":")
        address = (host.strip("[]"), int(port))
        with self._lock:
            self._add(address)
            self._slots[int(slot)] = address
        self._read_map()
        for caller in callers:
            again, caller.moved = not caller.moved, True
            if not (again and self._submit(address, caller)):
                caller.tell(None)
        return True

    def _add(self, address: Address) -> None:
        if address in self._nodes or not self._running:
            return
        connect = connector(self._group.url(address), self._access)

        def connect_or_look_again() -> Link:
            self._read_map()
            return connect()

        node = self._open_pipeline(connect_or_look_again, self._moved)
        self._nodes = {**self._nodes, address: node}
        node.start()

    def _read_map(self) -> None:
        with self._lock:
            if self._reading is not None or not self._running or time.monotonic() < self._read_at + _PAUSE:
                return
            self._reading = Thread(target=self._read, name="authz-limiter-map", daemon=True)
            self._reading.start()

    def _read(self) -> None:
        try:
            slots = self._asked()
            with self._lock:
                for address in {address for address in slots if address is not None}:
                    self._add(address)
                gone = {address: node for address, node in self._nodes.items() if address not in slots}
                self._nodes = {address: node for address, node in self._nodes.items() if address in slots}
                self._slots = slots
            for node in gone.values():
                node.close()
        except Unavailable as error:
            self._error = str(error)
        finally:
            self._read_at = time.monotonic()
            self._reading = None

    def _asked(self) -> list[Address | None]:
        silent = Unavailable("no node was asked")
        for address in (*self._nodes, *self._group.addresses):
            try:
                ranges = asked(self._group.url(address), self._access, "CLUSTER", "SLOTS")
            except Unavailable as error:
                silent = error
                continue
            if not isinstance(ranges, list) or not ranges:
                silent = Unavailable("the node serves no slots")
                continue
            slots: list[Address | None] = [None] * SLOTS
            for first, last, (host, port, *_), *_ in ranges:
                slots[first : last + 1] = [((host or b"").decode() or address[0], port)] * (last - first + 1)
            self._error = None
            return slots
        raise silent
