"""Envoy's rate limit service over a store."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from authz._pb.envoy.service.ratelimit.v3.rls_pb2 import RateLimitRequest, RateLimitResponse
from authz._pb.envoy.type.v3.ratelimit_unit_pb2 import RateLimitUnit
from authz.limits.descriptors import Domains, read_domain
from authz.limits.memory import MemoryLimiter
from authz.limits.service import OVER, RateLimitService
from authz.model import Charge, LimitOutcome, LimitUsage, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SHOP = """
domain: shop
descriptors:
  - key: caller
    rate_limit: {unit: minute, requests_per_unit: 3, name: callers}
  - key: vip
    rate_limit: {unit: minute, requests_per_unit: 5, replaces: [{name: callers}]}
  - key: free
    rate_limit: {unlimited: true}
  - key: shady
    shadow_mode: true
    rate_limit: {unit: week, requests_per_unit: 1}
"""
OK, OVER_LIMIT = RateLimitResponse.OK, RateLimitResponse.OVER_LIMIT


class Call:
    """A call that keeps its answers."""

    def __init__(self, deadline: float | None = None) -> None:
        self.deadline = deadline
        self.answers: list[bytes] = []

    def answer(self, response: bytes) -> None:
        """Keep it."""
        self.answers.append(response)


class Broken:
    """A store that answers with whatever it is given."""

    def __init__(self, usage: Any) -> None:
        self.usage = usage
        self.deadline = 0.0

    def charge(self, charges: Sequence[Charge], deadline: float, done: Callable[[Usage], None]) -> None:
        """Answer."""
        self.deadline = deadline
        done(self.usage(charges))


@pytest.fixture
def service() -> RateLimitService:
    """Return the service over a store in memory, in a minute that does not end."""
    return made(MemoryLimiter(clock=lambda: 1_799_971_200.0))


def made(limiter: Any) -> RateLimitService:
    """Return the service over a store."""
    return RateLimitService(Domains([read_domain(SHOP, "shop.yaml")]), limiter, time.monotonic)


def request(*descriptors: tuple[str, str], domain: str = "shop", hits: int = 0) -> RateLimitRequest:
    """Return a question about descriptors of one entry each."""
    question = RateLimitRequest(domain=domain, hits_addend=hits)
    for key, value in descriptors:
        question.descriptors.add().entries.add(key=key, value=value)
    return question


def ask(service: RateLimitService, question: RateLimitRequest) -> RateLimitResponse:
    """Ask and return the one answer."""
    call = Call()
    service.check(question.SerializeToString(), call)
    (answer,) = call.answers
    return RateLimitResponse.FromString(answer)


def test_a_limit_is_counted_and_described(service: RateLimitService) -> None:
    """The first three are OK and say what is left; the fourth is over, until the minute ends."""
    answers = [ask(service, request(("caller", "a"))) for _ in range(4)]
    assert [answer.overall_code for answer in answers] == [OK, OK, OK, OVER_LIMIT]
    assert [answer.statuses[0].limit_remaining for answer in answers] == [2, 1, 0, 0]
    status = answers[3].statuses[0]
    assert status.code == OVER_LIMIT
    assert (status.current_limit.requests_per_unit, status.current_limit.name) == (3, "callers")
    assert status.current_limit.unit == RateLimitResponse.RateLimit.MINUTE
    assert status.duration_until_reset.ToSeconds() == 60
    assert ask(service, request(("caller", "b"))).overall_code == OK


def test_all_descriptors_are_charged_or_none(service: RateLimitService) -> None:
    """What one of them refuses costs the other nothing; statuses come in the question's order."""
    for _ in range(3):
        ask(service, request(("caller", "a")))
    refused = ask(service, request(("caller", "b"), ("caller", "a"), ("unknown", "x")))
    assert [status.code for status in refused.statuses] == [OK, OVER_LIMIT, OK]
    assert not refused.statuses[2].HasField("current_limit")
    assert ask(service, request(("caller", "b"))).statuses[0].limit_remaining == 2


def test_hits_are_the_cost(service: RateLimitService) -> None:
    """A descriptor's own go before the question's; none is one, and a descriptor's own none is free."""
    assert ask(service, request(("caller", "a"), hits=2)).statuses[0].limit_remaining == 1
    question = request(("caller", "a"), hits=2)
    question.descriptors[0].hits_addend.value = 0
    assert ask(service, question).overall_code == OK
    question.descriptors[0].hits_addend.value = 1
    assert ask(service, question).statuses[0].limit_remaining == 0


def test_a_limit_that_is_replaced_is_not_charged(service: RateLimitService) -> None:
    """A caller with the other limit, too, has only that one."""
    for _ in range(5):
        answer = ask(service, request(("caller", "a"), ("vip", "a")))
        assert answer.overall_code == OK
    assert not answer.statuses[0].HasField("current_limit")
    assert ask(service, request(("caller", "a"))).statuses[0].limit_remaining == 2


def test_what_has_no_limit_is_fine(service: RateLimitService) -> None:
    """Unlimited, unknown, or of a domain nobody knows."""
    assert ask(service, request(("free", "x"))).statuses[0].limit_remaining == 2**32 - 1
    assert ask(service, request(("unknown", "x"))).overall_code == OK
    assert ask(service, request(("caller", "x"), domain="other")).overall_code == OK


def test_a_shadow_limit_holds_nobody_back(service: RateLimitService) -> None:
    """It counts, and a unit that Envoy has no word for is left out."""
    answers = [ask(service, request(("shady", "a"))) for _ in range(3)]
    assert {answer.overall_code for answer in answers} == {OK}
    assert not answers[0].statuses[0].HasField("current_limit")


def test_a_limit_of_the_question_itself_is_taken(service: RateLimitService) -> None:
    """In place of the configured one."""
    question = request(("caller", "a"))
    question.descriptors[0].limit.requests_per_unit = 1
    question.descriptors[0].limit.unit = RateLimitUnit.DAY
    assert [ask(service, question).overall_code for _ in range(2)] == [OK, OVER_LIMIT]
    assert ask(service, question).statuses[0].current_limit.unit == RateLimitResponse.RateLimit.DAY


@pytest.mark.parametrize("unit", [0, 77])
def test_a_limit_in_no_unit_is_refused(service: RateLimitService, unit: int) -> None:
    """Nobody could count it."""
    question = request(("caller", "a"))
    question.descriptors[0].limit.requests_per_unit = 1
    question.descriptors[0].limit.unit = unit  # type: ignore[assignment]
    assert ask(service, question).overall_code == OVER_LIMIT


@pytest.mark.parametrize(
    "message",
    [b"", b"\xff", request(domain="shop").SerializeToString(), request(("caller", "a"), domain="").SerializeToString()],
)
def test_a_question_about_nothing_is_over_the_limit(service: RateLimitService, message: bytes) -> None:
    """Envoy takes an error for OK, so there is none; also not for a descriptor without entries."""
    call = Call()
    service.check(message, call)
    assert call.answers == [OVER]
    empty = request()
    empty.descriptors.add()
    assert ask(service, empty).overall_code == OVER_LIMIT


def test_a_refusal_is_over_the_limit(service: RateLimitService) -> None:
    """Overload, oversize: never UNKNOWN, which Envoy takes for OK."""
    call = Call()
    service.refuse("overloaded", call)
    assert RateLimitResponse.FromString(call.answers[0]).overall_code == OVER_LIMIT


def test_a_store_that_is_gone_answers_as_the_limit_says() -> None:
    """Degraded and admitted is OK, degraded and refused is over."""
    for outcome, code in ((LimitOutcome.DEGRADED_ALLOW, OK), (LimitOutcome.DEGRADED_DENY, OVER_LIMIT)):

        def usage(charges: Sequence[Charge], outcome: LimitOutcome = outcome) -> Usage:
            each = LimitUsage(charge=charges[0], outcome=outcome, remaining=0, reset=0.0)
            return Usage(admitted=outcome is LimitOutcome.DEGRADED_ALLOW, limits=(each,))

        answer = ask(made(Broken(usage)), request(("caller", "a")))
        assert (answer.overall_code, answer.statuses[0].code) == (code, code)


def test_an_answer_that_cannot_be_written_is_over_the_limit(caplog: pytest.LogCaptureFixture) -> None:
    """On the limiter's thread nobody else would answer."""
    assert ask(made(Broken(lambda _: None)), request(("caller", "a"))).overall_code == OVER_LIMIT
    assert "could not be written" in caplog.text


def test_the_store_gets_the_callers_deadline() -> None:
    """A little less, so that the answer arrives in time."""
    store = Broken(lambda _: Usage(admitted=True))
    made(store).check(request(("caller", "a")).SerializeToString(), Call(deadline=100.0))
    assert 99.9 < store.deadline < 100.0
