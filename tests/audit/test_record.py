"""A record says what happened and nothing that could be used against us."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.audit.record import LONGEST, line_of, record_of
from authz.model import ANONYMOUS, UNLIMITED, Decision, Effect, Identity, Outcome, Peer, Reason, Request

if TYPE_CHECKING:
    from collections.abc import Callable

CANARY = "canary-5ecret"


def test_a_record_says_what_happened(outcome: Callable[..., Outcome]) -> None:
    """Decision, reason, rule, documents, generation and duration are in the line."""
    line = json.loads(line_of(record_of(outcome(), worker=2)))
    assert line["format"] == "authz.record/v1"
    assert line["time"] == "2026-09-21T14:13:20.250000Z"
    assert (line["decision"], line["reason"], line["status"]) == ("allow", "allowed", 200)
    assert (line["policy"], line["rule"]) == ("orders", "writers")
    assert line["documents"] == [
        {"name": "orders", "kind": "Policy", "mode": "enforce", "outcome": "allow", "rule": "writers"}
    ]
    assert (line["generation"], line["duration_us"], line["worker"]) == (3, 123, 2)


def test_no_secret_of_the_request_is_in_it(outcome: Callable[..., Outcome]) -> None:
    """O2: credentials in headers, cookies, query values, bare query parts and body stay out."""
    assert CANARY not in line_of(record_of(outcome())).decode()


def test_query_parameters_are_named_without_values(outcome: Callable[..., Outcome]) -> None:
    """A part without `=` may be a value itself: only its presence is told."""
    line = json.loads(line_of(record_of(outcome())))
    assert line["request"]["query_keys"] == ["?", "access_token", "page"]


def test_a_request_that_could_not_be_read_has_a_record(outcome: Callable[..., Outcome]) -> None:
    """Every check leaves a record, also one that brought no request."""
    line = json.loads(line_of(record_of(outcome(request=None, detail="no http attributes"))))
    assert line["request"] is None
    assert line["detail"] == "no http attributes"


@pytest.mark.parametrize("text", ["a\nb", "a\rb", '"}\n{"', "\x1b[31mred", "\u2028", "\u2029", "\x7f", "\x85", "\x00"])
def test_nothing_in_a_record_ends_its_line(outcome: Callable[..., Outcome], text: str) -> None:
    """O1: whatever a client sends, a record is one line of JSON without control characters."""
    line = line_of(record_of(outcome(identity=Identity(subject=text))))
    assert line.decode().splitlines() == [line.decode()[:-1]]
    assert not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in line.decode()[:-1])
    assert json.loads(line)["identity"]["subject"] == text


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=2 * LONGEST)


@given(TEXTS)
def test_any_text_is_kept_in_one_bounded_line(text: str) -> None:
    """Every text that is UTF-8 can be recorded; a long one is cut and marked."""
    peer = Peer(ip="10.0.0.1", port=1, principal=text)
    read = Request(
        id=text, method=text, scheme="https", host=text, port=443, path=text, query=text, protocol="HTTP/2", time=0.0,
        headers={"user-agent": text}, source=peer, destination=peer,
    )  # fmt: skip
    made = Outcome(
        id="d", decision=Decision(effect=Effect.DENY, reason=Reason.NO_RULE, status=403), request=read,
        identity=ANONYMOUS, usage=UNLIMITED, generation=1, policy_digest="",
    )  # fmt: skip
    line = line_of(record_of(made)).decode()
    assert line.count("\n") == 1
    assert json.loads(line)["request"]["path"] == (text if len(text) <= LONGEST else text[:LONGEST] + "…")
