"""Two thousand mutated CheckRequests against both transports in every run, and proof that it would tell."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from fuzz import fuzz, read
from oracle import POLICIES

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckResponse

if TYPE_CHECKING:
    from pathlib import Path


def test_no_mutated_request_is_allowed_that_should_not_be(tmp_path: Path) -> None:
    """Row G1: every answer is a CheckResponse, none allows more than the oracle, all are on record."""
    fuzzing = fuzz(2000, 1, tmp_path)
    assert fuzzing.violations == {}
    assert fuzzing.answers["fast"] == fuzzing.answers["aio"]
    assert fuzzing.answers["fast"].total() == fuzzing.cases == 2000
    assert fuzzing.answers["fast"].keys() >= {"allowed", "deny_rule", "malformed", "body_too_large", "no_rule"}
    assert fuzzing.answers["fast"].keys() >= {"preflight", "redirect_rule", "invalid_body"}
    assert fuzzing.answers["fast"]["allowed"] > 0.8 * fuzzing.expected["allowable"] > 100


@pytest.mark.parametrize("gone", ["{name: role,", "{name: debug,", "{name: back,"])
def test_a_rule_that_is_missing_is_found(gone: str, tmp_path: Path) -> None:
    """Served policies that deny less than the oracle's are a violation: the oracle is no echo."""
    served = "\n".join(line for line in POLICIES.splitlines() if gone not in line)
    fuzzing = fuzz(2000, random.Random(gone).randint(1, 99), tmp_path, served)
    assert {what.partition(": ")[2] for what in fuzzing.violations} == {"allowed, where the oracle denies"}


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (b"", "an empty answer"),
        (b"\xff", "no CheckResponse"),
        (CheckResponse(denied_response={}).SerializeToString(), "an empty answer"),
        (CheckResponse(status={"code": 0}, ok_response={}).SerializeToString(), "an answer that contradicts itself"),
        (CheckResponse(status={"code": 7}).SerializeToString(), "an answer without what it means"),
    ],
)
def test_a_bad_answer_is_told(answer: bytes, verdict: str) -> None:
    """Row I2: what Envoy would take for an allow, and what says nothing."""
    assert read(answer) == verdict
