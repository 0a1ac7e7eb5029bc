"""What a gRPC caller is told."""

from __future__ import annotations

import grpc as real
import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.wire import grpc
from tests.wire.conftest import check_request, read

CODES = {code.value[0]: code.name for code in real.StatusCode}


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "INVALID_ARGUMENT"), (401, "UNAUTHENTICATED"), (403, "PERMISSION_DENIED"), (404, "NOT_FOUND"),
        (413, "RESOURCE_EXHAUSTED"), (415, "INVALID_ARGUMENT"), (429, "RESOURCE_EXHAUSTED"), (451, "PERMISSION_DENIED"),
        (302, "PERMISSION_DENIED"), (204, "PERMISSION_DENIED"), (500, "INTERNAL"), (503, "UNAVAILABLE"),
        (504, "DEADLINE_EXCEEDED"), (599, "PERMISSION_DENIED"),
    ],
)  # fmt: skip
def test_every_status_has_a_code_that_is_no_success(status: int, name: str) -> None:
    """E14: 429 is RESOURCE_EXHAUSTED, which clients do not try again at once, and none is OK."""
    assert CODES[grpc.code(status)] == name


@pytest.mark.parametrize(
    ("content_type", "calls"),
    [
        ("application/grpc", True),
        ("application/grpc+proto", True),
        ("application/grpc;charset=utf-8", True),
        ("application/grpc-web", False),
        ("application/grpc-web+proto", False),
        ("application/json", False),
        ("", False),
    ],
)
def test_a_call_is_what_envoy_takes_for_one(content_type: str, calls: bool) -> None:
    """E14: gRPC-Web gets HTTP's answer, which browsers can read."""
    assert grpc.calls(read(check_request(headers={"content-type": content_type}))) is calls
    assert not grpc.calls(None)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_message_travels_as_visible_ascii(text: str) -> None:
    """Nothing in it ends the header, and gRPC's own reading of it is the text."""
    written = grpc.message(text)
    assert all(" " <= char <= "~" for char in written)
    pieces = written.encode().split(b"%")
    decoded = pieces[0] + b"".join(bytes([int(piece[:2], 16)]) + piece[2:] for piece in pieces[1:])
    assert decoded.decode() == text
