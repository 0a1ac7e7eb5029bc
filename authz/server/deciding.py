"""What decides, joined: the compiler of policies and the parts of an engine; without gRPC, ports or watchers.

`building` makes a serving process of it, the command line asks it directly.
"""

from __future__ import annotations

import os
import time
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from authz.cel import EngineName
from authz.content import Body, SchemaValidators
from authz.engine import Parts
from authz.errors import PolicyFaults
from authz.identity.registry import KeyRegistry
from authz.policy import Compiler
from authz.server.identifying import IdentityBuilder
from authz.server.pacing import LONG_REST, Pace
from authz.store import read
from authz.telemetry import trace_id
from authz.wire import write

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from authz.engine import Limiter, Observer, Snapshot
    from authz.model import Request
    from authz.policy import Identifier, PolicySet, WatchDocument
    from authz.wire import LimitHeaders


def compiler(engine: str, builder: IdentityBuilder | None = None, watch: WatchDocument | None = None) -> Compiler:
    """Return a compiler of policies for a CEL engine, by its name in the settings.

    Without a builder of its own, providers are built and none of them fetches anything. `watch` is the compiler's.
    """
    return Compiler(
        engine=EngineName(engine),
        validators=SchemaValidators(),
        builder=builder or IdentityBuilder(KeyRegistry()),
        pause=Pace(LONG_REST),
        watch=watch,
    )


def policies_in(paths: Sequence[Path], engine: str = "auto", watch: WatchDocument | None = None) -> PolicySet:
    """Read and compile policies once; raise `PolicyFaults` with every fault. The rest is the compiler's."""
    reading = read(paths)
    if reading.faults:
        raise PolicyFaults(reading.faults)
    return compiler(engine, watch=watch).compile(reading.files)


def parts(
    *,
    snapshot: Callable[[], Snapshot | None],
    limiter: Limiter,
    client_ip: Callable[[Request], str],
    fault: Callable[[BaseException], None],
    observers: tuple[Observer, ...] = (),
    identifier: Identifier | None = None,
    clock: Callable[[], float] = time.time,
    limit_headers: tuple[LimitHeaders, ...] = (),
) -> Parts:
    """Return the parts of an engine."""
    return Parts(
        snapshot=snapshot,
        identifier=identifier,
        limiter=limiter,
        body=Body,
        client_ip=client_ip,
        clock=clock,
        monotonic=time.monotonic,
        ids=ids(),
        trace=trace_id,
        fault=fault,
        write=partial(write, limit_headers=limit_headers) if limit_headers else write,
        observers=observers,
    )


def ids() -> Callable[[], str]:
    """Return a maker of decision ids: 32 hex digits, 16 of this process at random and 16 that count.

    Asking the system for randomness at every check would let go of the interpreter lock, and the thread that decides
    would have to wait to get it back.
    """
    process = os.urandom(8).hex()
    return map(f"{process}{{:016x}}".format, count(1)).__next__
