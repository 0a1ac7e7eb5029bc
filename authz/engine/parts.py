"""What the engine is made of, and what it asks of those around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from authz import wire
from authz.policy import nowhere

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from authz.model import Charge, Location, Outcome, Request, Usage
    from authz.policy import Body, Identifier, PolicySet


class Call(Protocol):
    """One call as the transport brings it."""

    @property
    def deadline(self) -> float | None:
        """Monotonic seconds; `None` where the caller set none."""

    @property
    def cancelled(self) -> bool:
        """Whether the caller has gone away."""

    @property
    def metadata(self) -> Sequence[tuple[str, str | bytes]]:
        """The gRPC metadata the caller sent."""

    def answer(self, response: bytes, /) -> None:
        """Send a serialized `CheckResponse`; from any thread; only the first counts."""


class Snapshot(Protocol):
    """The policies of one generation."""

    @property
    def policies(self) -> PolicySet:
        """What is in force."""

    @property
    def generation(self) -> int:
        """Counts from 1, one more for every set of policies that came into force."""

    @property
    def commit(self) -> str:
        """The commit they were taken from, `""` where that is not known."""


class Limiter(Protocol):
    """Counts. `done` is called once and never later than `deadline` (monotonic seconds)."""

    def charge(self, charges: Sequence[Charge], deadline: float, done: Callable[[Usage], None], /) -> None:
        """Take all charges or none."""

    def peek(self, charges: Sequence[Charge], deadline: float, done: Callable[[Usage], None], /) -> None:
        """Take nothing and say whether all would fit."""


class Observer(Protocol):
    """Is told of every outcome."""

    def __call__(self, outcome: Outcome, /) -> None:
        """Take note, after the answer has been given; must neither block nor raise."""


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine is made of; the composition root fills it in.

    `identifier` is asked in place of the policies' own where it is given: the command line and tests of policies say
    who is calling. `clock` is seconds since the epoch, `monotonic` the clock of deadlines, `ids` makes the decision
    ids, `trace` finds the trace id in a call's metadata and `parent`, where spans are wanted, the span that is recorded
    there, `client_ip` the caller behind trusted hops, `locate` where an address is, `fault` is told of what was raised
    and should not have been, `write` serializes the answer. `unrecorded`, where nobody may be let in without a record,
    says that none can be kept. `body_limit` are the bytes at which Envoy cuts bodies, where it does (`wire.read`).
    """

    snapshot: Callable[[], Snapshot | None]
    identifier: Identifier | None = None
    limiter: Limiter
    body: Callable[[Request], Body]
    client_ip: Callable[[Request], str]
    locate: Callable[[str], Location | None] = nowhere
    clock: Callable[[], float]
    monotonic: Callable[[], float]
    ids: Callable[[], str]
    trace: Callable[[Sequence[tuple[str, str | bytes]]], str]
    parent: Callable[[Sequence[tuple[str, str | bytes]]], str] | None = None
    fault: Callable[[BaseException], None]
    unrecorded: Callable[[], bool] | None = None
    body_limit: int | None = None
    write: Callable[[Outcome], bytes] = wire.write
    observers: tuple[Observer, ...] = ()
