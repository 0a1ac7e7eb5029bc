"""The health service's bytes; over the wire it is tested with the transports."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz._pb.grpc.health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from authz.model import Reason
from authz.transport.health import NOT_SERVING, SERVING, UNKNOWN_SERVICE, Health
from authz.transport.service import check


class Probe:
    """A call that keeps its answer."""

    deadline = None
    metadata = ()
    cancelled = False

    def __init__(self) -> None:
        self.answers: list[Any] = []

    def answer(self, response: bytes, /) -> None:
        self.answers.append(response)

    reject = answer


def _ask(health: Health, message: bytes | None) -> Any:
    probe = Probe()
    check(health.method(), message, probe)
    (answer,) = probe.answers
    return answer


def test_the_answers_are_what_health_proto_says() -> None:
    """SERVING is 1 and NOT_SERVING 2; neither is an empty message."""
    assert HealthCheckResponse.FromString(SERVING).status == 1
    assert HealthCheckResponse.FromString(NOT_SERVING).status == 2


@pytest.mark.parametrize(("serves", "answer"), [(True, SERVING), (False, NOT_SERVING), (None, UNKNOWN_SERVICE)])
def test_what_the_service_says_is_answered(serves: bool | None, answer: Any) -> None:
    """Yes, no, and "I don't know that name"."""
    asked = []
    health = Health(lambda name: (asked.append(name), serves)[1])
    assert _ask(health, HealthCheckRequest(service="a.B").SerializeToString()) == answer
    assert asked == ["a.B"]


def test_draining_is_not_serving() -> None:
    """Once draining, no service is SERVING, and an unknown one is still unknown."""
    health = Health(lambda name: True if name == "" else None)
    health.draining = True
    assert _ask(health, b"") == NOT_SERVING
    assert _ask(health, HealthCheckRequest(service="x").SerializeToString()) == UNKNOWN_SERVICE


def _raise(_name: str) -> bool:
    raise RuntimeError


@pytest.mark.parametrize("message", [b"", None, b"\x0a\xff", b"\x0a\x02\xff\xff", b"x" * 2000])
def test_doubt_is_not_serving(message: bytes | None) -> None:
    """A probe that can't be read, is too large or whose question raises is answered NOT_SERVING, exactly once."""
    assert _ask(Health(_raise), message) == NOT_SERVING


@given(st.binary(max_size=1500))
def test_every_probe_is_answered_once(message: bytes) -> None:
    """Whatever bytes come, there is one answer, and it is one of three."""
    assert _ask(Health(lambda _name: True), message) in {SERVING, NOT_SERVING, UNKNOWN_SERVICE}


def test_refusals_are_answers_of_health() -> None:
    """A probe is never answered with a CheckResponse."""
    probe = Probe()
    Health(lambda _name: True).refuse(Reason.OVERLOADED, probe)
    assert probe.answers == [NOT_SERVING]
