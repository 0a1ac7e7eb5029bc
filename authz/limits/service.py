"""Envoy's rate limit service, `envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit`, over any store.

One question is charged as a whole: every limit of every descriptor, or none. What nobody has put a limit on is OK; what
can't be read, can't be counted by its limit's `on_error`, or fails in us is over the limit, for Envoy lets through what
ends in a gRPC error (`failure_mode_deny` is off by default).
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from google.protobuf.message import DecodeError

from authz._pb.envoy.service.ratelimit.v3.rls_pb2 import RateLimitRequest, RateLimitResponse
from authz._pb.envoy.type.v3.ratelimit_unit_pb2 import RateLimitUnit
from authz.limits.descriptors import Match, Unit
from authz.model import UNLIMITED, Charge, LimitOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from authz._pb.envoy.extensions.common.ratelimit.v3.ratelimit_pb2 import RateLimitDescriptor
    from authz.limits.descriptors import Domains
    from authz.model import LimitUsage, Usage

LOG = logging.getLogger(__name__)
SHOULD_RATE_LIMIT = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit"
OK, OVER_LIMIT = RateLimitResponse.OK, RateLimitResponse.OVER_LIMIT
OVER = RateLimitResponse(overall_code=OVER_LIMIT).SerializeToString()
"""The answer to what is not counted."""

GIVE_UP = 0.002
"""Seconds before the caller's deadline at which an answer must leave to be of use."""

_NO_BUDGET = 3600.0
_MOST = 2**32 - 1
_UNITS = {
    Unit.SECOND: RateLimitResponse.RateLimit.SECOND,
    Unit.MINUTE: RateLimitResponse.RateLimit.MINUTE,
    Unit.HOUR: RateLimitResponse.RateLimit.HOUR,
    Unit.DAY: RateLimitResponse.RateLimit.DAY,
    Unit.MONTH: RateLimitResponse.RateLimit.MONTH,
    Unit.YEAR: RateLimitResponse.RateLimit.YEAR,
}
_REFUSED = frozenset({LimitOutcome.OVER, LimitOutcome.DEGRADED_DENY})


class Call(Protocol):
    """One call as the transport brings it."""

    @property
    def deadline(self) -> float | None:
        """Monotonic seconds; `None` where the caller set none."""

    def answer(self, response: bytes, /) -> None:
        """Send a serialized response; from any thread; only the first counts."""


class Limiter(Protocol):
    """What counts."""

    def charge(self, charges: Sequence[Charge], deadline: float, done: Callable[[Usage], None], /) -> None:
        """Take all charges or none."""


class _Asked(NamedTuple):
    """One descriptor: what is said of it, if anything, and what it is charged, if anything."""

    match: Match | None
    charge: Charge | None


class RateLimitService:
    """Answers `ShouldRateLimit`; `monotonic` is the clock of deadlines."""

    def __init__(self, domains: Domains, limiter: Limiter, monotonic: Callable[[], float]) -> None:
        self._domains = domains
        self._limiter = limiter
        self._monotonic = monotonic

    def check(self, message: bytes, call: Call) -> None:
        """Answer one serialized `RateLimitRequest`, now or when the store has spoken."""
        try:
            request = RateLimitRequest.FromString(message)
            asked = self._asked(request)
        except (DecodeError, ValueError):
            call.answer(OVER)
            return
        charges = [each.charge for each in asked if each.charge is not None]
        if charges:
            deadline = self._monotonic() + _NO_BUDGET if call.deadline is None else call.deadline - GIVE_UP
            self._limiter.charge(charges, deadline, partial(_answer, call, asked))
        else:
            _answer(call, asked, UNLIMITED)

    def refuse(self, _reason: object, call: Call) -> None:
        """Answer a call that is not counted."""
        call.answer(OVER)

    def _asked(self, request: RateLimitRequest) -> list[_Asked]:
        """Return what each descriptor asks; raises `ValueError` for a question about nothing."""
        if not request.domain or not request.descriptors:
            raise ValueError("no domain or no descriptors")
        matches = [self._match(request.domain, descriptor) for descriptor in request.descriptors]
        replaced = frozenset().union(*(match.rule.replaces for match in matches if match))
        kept = [None if match and match.rule.name in replaced else match for match in matches]
        costs = [_cost(descriptor, request.hits_addend) for descriptor in request.descriptors]
        return [_Asked(match, _charge(match, cost)) for match, cost in zip(kept, costs, strict=True)]

    def _match(self, domain: str, descriptor: RateLimitDescriptor) -> Match | None:
        if not descriptor.entries:
            raise ValueError("a descriptor of nothing")
        entries = [(entry.key, entry.value) for entry in descriptor.entries]
        if not descriptor.HasField("limit"):
            return self._domains.match(domain, entries)
        unit = Unit(RateLimitUnit.Name(descriptor.limit.unit).lower())
        return self._domains.override(domain, entries, descriptor.limit.requests_per_unit, unit)


def _cost(descriptor: RateLimitDescriptor, hits: int) -> int:
    return descriptor.hits_addend.value if descriptor.HasField("hits_addend") else hits or 1


def _charge(match: Match | None, cost: int) -> Charge | None:
    if match is None or match.rule.limit is None:
        return None
    return Charge(limit=match.rule.limit, key=match.key, cost=cost)


def _answer(call: Call, asked: Iterable[_Asked], usage: Usage) -> None:
    """Answer on whichever thread, where nobody else would catch what is raised."""
    try:
        response = _written(asked, usage)
    except Exception:
        LOG.exception("an answer could not be written")
        response = OVER
    call.answer(response)


def _written(asked: Iterable[_Asked], usage: Usage) -> bytes:
    response = RateLimitResponse(overall_code=OK if usage.admitted else OVER_LIMIT)
    answered = {(each.charge.limit.name, each.charge.key): each for each in usage.limits}
    for match, charge in asked:
        status = response.statuses.add(code=OK)
        if match is not None and charge is None:
            status.limit_remaining = _MOST
        elif match is not None and charge is not None:
            _describe(status, match, charge)
            each = answered.get((charge.limit.name, charge.key))
            if each is not None:
                _tell(status, each)
    return response.SerializeToString()


def _describe(status: RateLimitResponse.DescriptorStatus, match: Match, charge: Charge) -> None:
    """Say what the limit is, where one of Envoy's units can."""
    rule = match.rule
    if rule.unit in _UNITS:
        status.current_limit.requests_per_unit = min(charge.limit.requests, _MOST)
        status.current_limit.unit = _UNITS[rule.unit]
        status.current_limit.name = rule.name


def _tell(status: RateLimitResponse.DescriptorStatus, each: LimitUsage) -> None:
    if each.outcome in _REFUSED:
        status.code = OVER_LIMIT
    status.limit_remaining = min(max(0, each.remaining), _MOST)
    status.duration_until_reset.FromMicroseconds(round(each.reset * 1_000_000))
