"""A few thousand cases are read in every run of the tests."""

from __future__ import annotations

from collections import Counter

import pytest
from mutations import SEEDS, cases
from promises import outcome

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckRequest


@pytest.mark.parametrize("seed", range(4))
def test_every_case_is_a_request_or_a_refusal(seed: int) -> None:
    """Row G1: nothing else comes out of `wire.read`, and what comes out keeps its promises."""
    seen = Counter(outcome(data) for data in cases(1000, seed))
    assert seen.keys() == {"request", "malformed", "ambiguous_request"}
    assert min(seen.values()) > 50, "the cases lean to one side"


def test_the_seeds_are_requests() -> None:
    """Undamaged, every seed but the empty one is read."""
    assert sorted(outcome(seed) for seed in SEEDS) == ["malformed"] + ["request"] * (len(SEEDS) - 1)


@pytest.mark.parametrize("name", ["x-envoy-auth-partial-body", "transfer-encoding", "content-length"])
@pytest.mark.parametrize("value", ["a\r\nb: c", "\0", "a\nb"])
def test_a_word_about_the_body_that_is_no_text_is_no_silence(name: str, value: str) -> None:
    """Row B1, found by the fuzzer: an unreadable header is not an absent one where bodies are framed."""
    message = CheckRequest.FromString(SEEDS[2])
    message.attributes.request.http.headers[name] = value
    assert outcome(message.SerializeToString()) == "ambiguous_request"
