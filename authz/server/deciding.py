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
from authz.model import Identity, Reason
from authz.policy import Compiler
from authz.telemetry import trace_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from authz.engine import Identifier, Limiter, Observer, Snapshot
    from authz.model import Request


def compiler(engine: str) -> Compiler:
    """Return a compiler of policies for a CEL engine, by its name in the settings."""
    return Compiler(engine=EngineName(engine), validators=SchemaValidators(), pause=partial(time.sleep, 0))


class Nobody:
    """The identifier while no identity provider can be configured: whoever is asked for can't be told."""

    def identify(
        self, _providers: Sequence[str], _request: Request, _deadline: float, done: Callable[[Identity], None], /
    ) -> None:
        """Say that nobody can be identified; a policy that requires it denies."""
        done(Identity(error=Reason.IDENTITY_UNAVAILABLE))


def parts(
    *,
    snapshot: Callable[[], Snapshot | None],
    limiter: Limiter,
    client_ip: Callable[[Request], str],
    fault: Callable[[BaseException], None],
    observers: tuple[Observer, ...] = (),
    identifier: Identifier = Nobody(),  # noqa: B008 - it has no state
    clock: Callable[[], float] = time.time,
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
        observers=observers,
    )


def ids() -> Callable[[], str]:
    """Return a maker of decision ids: 32 hex digits, 16 of this process at random and 16 that count.

    Asking the system for randomness at every check would let go of the interpreter lock, and the thread that decides
    would have to wait to get it back.
    """
    process = os.urandom(8).hex()
    return map(f"{process}{{:016x}}".format, count(1)).__next__
