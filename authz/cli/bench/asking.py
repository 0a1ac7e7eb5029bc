"""The client: as many calls in flight as asked for, a new one as soon as one is answered, and how long each took."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from typing import TYPE_CHECKING

import grpc
import msgspec

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from authz.transport.service import CHECK

if TYPE_CHECKING:
    from collections.abc import Iterable

PATIENCE = 5.0
"""Seconds after which a call is given up."""

WARM = 0.2
"""Seconds of every round that are not counted: connections, caches, kept decisions."""


class Measured(msgspec.Struct):
    """What a client saw: `took` are seconds of each call, `answers` counts them by what was answered."""

    seconds: float = 0.0
    took: list[float] = []
    answers: Counter[str] = msgspec.field(default_factory=Counter)

    @property
    def rate(self) -> float:
        """Return answers per second; NaN where there was no time."""
        return len(self.took) / self.seconds if self.seconds else math.nan

    def percentiles(self, *shares: float) -> tuple[float, ...]:
        """Return the seconds within which these shares of calls were answered; NaN where there were none."""
        ordered = sorted(self.took)
        last = len(ordered) - 1
        return tuple(ordered[min(last, int(share * len(ordered)))] if ordered else math.nan for share in shares)

    def add(self, others: Iterable[Measured]) -> Measured:
        """Add other rounds."""
        for other in others:
            self.seconds += other.seconds
            self.took += other.took
            self.answers.update(other.answers)
        return self


def asked(address: str, payload: bytes, *, in_flight: int, seconds: float) -> Measured:
    """Ask a server for some time, one that is not counted before it."""
    return asyncio.run(_asked(address, payload, in_flight, seconds))


async def _asked(address: str, payload: bytes, in_flight: int, seconds: float) -> Measured:
    options = (("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1))
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        check = channel.unary_unary(CHECK)
        await _together(check, payload, in_flight, WARM)
        return await _together(check, payload, in_flight, seconds)


async def _together(
    check: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes], payload: bytes, in_flight: int, seconds: float
) -> Measured:
    measured, begun = Measured(), time.perf_counter()
    end = begun + seconds

    async def one() -> None:
        while (now := time.perf_counter()) < end:
            said = await _said(check, payload)
            measured.took.append(time.perf_counter() - now)
            measured.answers[said] += 1

    await asyncio.gather(*(one() for _ in range(in_flight)))
    measured.seconds = time.perf_counter() - begun
    return measured


async def _said(check: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes], payload: bytes) -> str:
    try:
        answer = CheckResponse.FromString(await check(payload, timeout=PATIENCE))
    except grpc.aio.AioRpcError as error:
        return f"gRPC {error.code().name}"
    return "allow" if answer.HasField("ok_response") else f"denied {answer.denied_response.status.code}"
