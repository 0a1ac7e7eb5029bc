"""Envoy's trace is found in what Envoy sends, and nothing that a client made up is taken for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.telemetry import sampled_parent, trace_id

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(("metadata", "expected"), [
    ([("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")], "4bf92f3577b34da6a3ce929d0e0e4736"),
    ([("user-agent", "envoy"), ("traceparent", b"00-4bf9")], ""),
    ([("traceparent", "garbage")], ""),
    ([("traceparent", "00-" + "x" * 32 + "-00f067aa0ba902b7-01")], ""),
    ([("traceparent", "00-" + "0" * 32 + "-00f067aa0ba902b7-01")], ""),
    ([], ""),
])  # fmt: skip
def test_the_trace_id_is_envoys(metadata: list[tuple[str, str | bytes]], expected: str) -> None:
    """The trace id in the record is the one of the request that Envoy traced, and nothing a client made up."""
    assert trace_id(metadata) == expected


@pytest.mark.parametrize(("value", "parent"), [
    (f"00-{TRACE}-{SPAN}-01", SPAN),
    (f"00-{TRACE}-{SPAN}-03", SPAN),
    (f"00-{TRACE}-{SPAN}-00", ""),
    (f"00-{TRACE}-{SPAN}-02", ""),
    (f"cc-{TRACE}-{SPAN}-01-what-may-come", SPAN),
    (f"ff-{TRACE}-{SPAN}-01", ""),
    (f"00-{TRACE}-{'0' * 16}-01", ""),
    (f"00-{'0' * 32}-{SPAN}-01", ""),
    (f"00-{TRACE}-{SPAN}-1", ""),
    (f"00-{TRACE}-{SPAN}-01".encode(), ""),
    (f"00-{TRACE.upper()}-{SPAN}-01", ""),
    ("1" * 55, ""),
    ("", ""),
])  # fmt: skip
def test_a_span_is_wanted_where_the_caller_records_the_trace(value: str | bytes, parent: str) -> None:
    """The sampled flag is the lowest bit; version ff, all-zero ids and any other form are no context."""
    assert sampled_parent([("user-agent", "envoy"), ("traceparent", value)]) == parent


@given(st.text() | st.binary())
def test_no_value_is_an_error(value: str | bytes) -> None:
    """Whatever stands there, both readers answer with hex digits or with nothing."""
    metadata = [("traceparent", value)]
    assert len(trace_id(metadata)) in {0, 32}
    assert len(sampled_parent(metadata)) in {0, 16}
    assert sampled_parent([]) == ""
