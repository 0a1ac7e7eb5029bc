"""A record says what happened and nothing that could be used against us."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import jsonschema
import msgspec
import pytest
from google.protobuf.json_format import Parse
from hypothesis import given
from hypothesis import strategies as st

from authz._pb.authz.v1 import record_pb2
from authz.audit.line import LineWriter, encoded, line_of, record_in
from authz.audit.record import Record
from authz.audit.text import LONGEST
from authz.audit.written import HEADERS
from authz.model import (
    ANONYMOUS,
    UNLIMITED,
    Charge,
    Decision,
    DocumentTrace,
    Effect,
    Identity,
    Limit,
    LimitOutcome,
    LimitUsage,
    Mode,
    Outcome,
    Peer,
    Reason,
    Request,
    Usage,
)
from tests.audit.conftest import request

if TYPE_CHECKING:
    from collections.abc import Callable

CANARY = "canary-5ecret"


def test_a_record_says_what_happened(outcome: Callable[..., Outcome]) -> None:
    """Decision, reason, rule, documents, generation and duration are in the line."""
    line = json.loads(LineWriter(worker=2)(outcome()))
    assert line["format"] == "authz.record/v1"
    assert line["time"] == "2026-09-21T14:13:20.250000Z"
    assert (line["decision"], line["reason"], line["status"]) == ("allow", "allowed", 200)
    assert (line["policy"], line["rule"]) == ("orders", "writers")
    assert line["documents"] == [
        {
            "name": "orders",
            "kind": "Policy",
            "mode": "enforce",
            "outcome": "allow",
            "rule": "writers",
            "error": None,
        }
    ]
    assert (line["generation"], line["duration_us"], line["worker"]) == (3, 123, 2)


@pytest.mark.parametrize(
    ("started", "written"),
    [
        (1_790_000_000.0, "2026-09-21T14:13:20.000000Z"),
        (1_790_000_000.000_001, "2026-09-21T14:13:20.000001Z"),
        (1_790_000_000.999_999, "2026-09-21T14:13:20.999999Z"),
        (1_790_000_000.999_999_9, "2026-09-21T14:13:21.000000Z"),
    ],
)
def test_times_have_six_digits(outcome: Callable[..., Outcome], started: float, written: str) -> None:
    """Lines sort by time as texts; what is nearer to the next second is in it."""
    assert json.loads(line_of(outcome(started=started)))["time"] == written


def test_lines_say_which_policies_decided_each(outcome: Callable[..., Outcome]) -> None:
    """During a swap, decisions of two generations, and of one from two commits, stand side by side."""
    lines = LineWriter()
    told = [(1, "a", ""), (2, "b", ""), (1, "a", ""), (2, "b", "152b608f"), (2, 'b"\x7f', "")]
    written = [
        json.loads(lines(outcome(generation=number, policy_digest=digest, policy_commit=commit)))
        for number, digest, commit in told
    ]
    assert [(line["generation"], line["policy_digest"], line["policy_commit"]) for line in written] == told


def test_headers_that_may_be_recorded_are(outcome: Callable[..., Outcome]) -> None:
    """Each under its own name; one that was not sent is not there."""
    for names in (HEADERS, HEADERS[::2], ()):
        headers = {name: f"the {name}" for name in names}
        line = json.loads(line_of(outcome(request=request(headers=headers | {"authorization": CANARY}))))
        assert line["request"]["headers"] == headers


def test_no_secret_of_the_request_is_in_it(outcome: Callable[..., Outcome]) -> None:
    """O2: credentials in headers, cookies, query values, bare query parts and body stay out."""
    assert CANARY not in line_of(outcome()).decode()


def test_query_parameters_are_named_without_values(outcome: Callable[..., Outcome]) -> None:
    """A part without `=` may be a value itself: only its presence is told."""
    line = json.loads(line_of(outcome()))
    assert line["request"]["query_keys"] == ["?", "access_token", "page"]


def test_a_request_that_could_not_be_read_has_a_record(outcome: Callable[..., Outcome]) -> None:
    """Every check leaves a record, also one that brought no request."""
    line = json.loads(line_of(outcome(request=None, detail="no http attributes")))
    assert line["request"] is None
    assert line["detail"] == "no http attributes"


@pytest.mark.parametrize("text", ["a\nb", "a\rb", '"}\n{"', "\x1b[31mred", "\u2028", "\u2029", "\x7f", "\x85", "\x00"])
def test_nothing_in_a_record_ends_its_line(outcome: Callable[..., Outcome], text: str) -> None:
    """O1: whatever a client sends, a record is one line of JSON without control characters."""
    line = line_of(outcome(identity=Identity(subject=text)))
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
    line = line_of(made).decode()
    assert line.count("\n") == 1
    assert json.loads(line)["request"]["path"] == (text if len(text) <= LONGEST else text[:LONGEST] + "…")


def full(text: str, number: int) -> Outcome:
    """Return an outcome in which everything a client, a mesh or a policy says is this text, so many times."""
    peer = Peer(ip="2001:db8::1", port=1, principal=text)
    read = Request(
        id=text, method=text, scheme="https", host=text, port=443, path=text,
        query="&".join(f"{text}{n}={text}" for n in range(number)), protocol="HTTP/2", time=0.0,
        headers=dict.fromkeys(("user-agent", "x-request-id", "content-type", "accept", "origin"), text),
        extensions={"route": text}, body=text.encode(), source=peer, destination=peer,
    )  # fmt: skip
    trace = DocumentTrace(name="d", kind="Policy", mode=Mode.SHADOW, outcome="none", rule="r", error=text)
    limit = Limit(name="d/l", requests=1, period=1)
    usage = LimitUsage(charge=Charge(limit=limit, key=(text,)), outcome=LimitOutcome.OVER, remaining=0, reset=1.0)
    decision = Decision(
        effect=Effect.DENY, reason=Reason.NO_RULE, status=403, policy="d", rule="r", documents=(trace,) * number
    )
    who = Identity(authenticated=True, provider="p", subject=text, issuer=text, key_id=text, claims={text: text})
    return Outcome(
        id="d", decision=decision, request=read, identity=who, usage=Usage(admitted=False, limits=(usage,) * number),
        generation=1, policy_digest="abc", detail=text, trace_id="0" * 32,
    )  # fmt: skip


def test_the_longest_line_is_bounded() -> None:
    """A caller that sends a megabyte of what JSON escapes worst, to a thousand documents, gets half a megabyte."""
    assert len(line_of(full("\x00" * 100_000, 1000))) < 512 * 1024


def test_a_line_is_what_its_schema_and_its_message_say(outcome: Callable[..., Outcome]) -> None:
    """`authz schema record` and `record.proto` describe every field that is written, and no other."""
    schema = msgspec.json.schema(Record)
    for made in (outcome(), outcome(request=None), full("text", 3)):
        line = LineWriter(worker=1)(made)
        jsonschema.validate(json.loads(line), schema, jsonschema.Draft202012Validator)
        read = Parse(line, record_pb2.Record())  # raises at a field that the message does not have
        assert (read.id, read.worker, read.format) == (made.id, 1, "authz.record/v1")


def test_the_caller_is_told_apart_from_the_peer(outcome: Callable[..., Outcome]) -> None:
    """`source` is who connected, `client` who stands behind the proxies, `route` what the operator called it."""
    read = msgspec.structs.replace(full("r", 1).request, source=Peer(ip="10.0.0.1", principal="spiffe://mesh/a"))
    record = record_in(line_of(outcome(request=read, client_ip="198.51.100.7")))
    assert (record.source, record.client, record.principal) == ("10.0.0.1", "198.51.100.7", "spiffe://mesh/a")
    assert record.request is not None
    assert record.request.route == "r"


def test_what_is_no_decision_says_so() -> None:
    """A reader tells policy events from decisions by their format; both have a time and a worker."""
    line = json.loads(
        encoded([LineWriter(worker=3).event({"event": "policies_loaded", "generation": 2}, 1_790_000_000.25)])
    )
    assert line == {
        "format": "authz.event/v1", "time": "2026-09-21T14:13:20.250000Z", "worker": 3,
        "event": "policies_loaded", "generation": 2,
    }  # fmt: skip
