"""What is known of a body, with Envoy's buffering as it ships and without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.conftest import filter_of, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.conftest import Edge

JSON = {"content-type": "application/json"}
CHUNKED = {"transfer-encoding": "chunked"}
LIMIT = 65536


def chunked(*parts: bytes) -> bytes:
    """Return parts as a chunked body."""
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@pytest.fixture(scope="module")
def unbuffered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """Return an Envoy that shows no bodies."""

    def change(configuration: dict[str, Any]) -> None:
        del filter_of(configuration)["with_request_body"]

    with running(tmp_path_factory.mktemp("unbuffered"), change=change) as edge:
        yield edge


@pytest.fixture(scope="module")
def partial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """Return an Envoy that shows the beginnings of bodies."""

    def change(configuration: dict[str, Any]) -> None:
        filter_of(configuration)["with_request_body"] |= {"allow_partial_message": True, "max_request_bytes": 64}

    with running(tmp_path_factory.mktemp("partial"), change=change) as edge:
        yield edge


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """Return an Envoy that shows the beginnings of bodies, and a service that is told where it cuts."""

    def change(configuration: dict[str, Any]) -> None:
        filter_of(configuration)["with_request_body"] |= {"allow_partial_message": True, "max_request_bytes": 64}

    with running(tmp_path_factory.mktemp("told"), "--check-body-limit", "64B", change=change) as edge:
        yield edge


@pytest.mark.parametrize(
    ("method", "headers", "body", "state", "size"),
    [
        ("GET", {}, b"", "absent", 0),
        ("POST", {"content-length": "0"}, b"", "absent", 0),
        ("POST", {}, b"", "unavailable", None),
        ("POST", {}, b"abc", "complete", 3),
        ("POST", CHUNKED, chunked(b"abc", b"de"), "complete", 5),
        ("POST", {}, b"x" * LIMIT, "complete", LIMIT),
        ("POST", {}, b"\xff\x00", "complete", 2),
    ],
)
def test_a_body_is_shown_whole(
    method: str, headers: dict[str, str], body: bytes, state: str, size: int | None, edge: Edge
) -> None:
    """Rows B1 and B3: with a length, in chunks, up to the limit, byte for byte; one nobody announced may be one."""
    answer = edge.ask(method, "/body", headers, body)
    assert (answer.status, answer["x-body-state"]) == (200, state)
    assert answer["x-body-size"] == (None if size is None else str(size))


def test_a_body_that_is_too_long_goes_nowhere(edge: Edge) -> None:
    """Row B1: 413, whether its length was told or not."""
    assert edge.ask("POST", "/body", body=b"x" * (LIMIT + 1)).status == 413


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"a":1}', 200),
        (b'{"a":2}', 403),
        (b'{"a":1,"a":1}', 403),
        (b'{"a":1', 403),
        (b'{"a":true}', 403),
        (b'\xef\xbb\xbf{"a":1}', 403),
        ('{"a":1}'.encode("utf-16"), 403),
        (b"[" * 5000, 403),
        (b"", 403),
    ],
)
def test_a_rule_reads_json_or_denies(body: bytes, status: int, edge: Edge) -> None:
    """Rows B5 to B8: one reading, or none."""
    assert edge.ask("POST", "/json", JSON, body).status == status


def test_text_that_calls_itself_something_else_is_not_read(edge: Edge) -> None:
    """Row B9: the media type is compared, not searched."""
    assert edge.ask("POST", "/json", {"content-type": "text/plain; x=application/json"}, b'{"a":1}').status == 403


@pytest.mark.parametrize(("headers", "body"), [({}, b'{"a":1}'), (CHUNKED, chunked(b'{"a":1}'))])
def test_a_body_that_is_not_shown_is_not_absent(headers: dict[str, str], body: bytes, unbuffered: Edge) -> None:
    """Row B2: without buffering a body is `unavailable`, and a rule that reads it does not allow."""
    assert unbuffered.ask("POST", "/body", headers, body)["x-body-state"] == "unavailable"
    assert unbuffered.ask("POST", "/json", JSON | headers, body).status == 403


@pytest.mark.parametrize("headers", [{}, {"x-envoy-auth-partial-body": "false"}])
def test_half_a_body_is_not_a_whole_one(headers: dict[str, str], partial: Edge) -> None:
    """Rows B1 and H7: a valid beginning is `truncated`, whatever the caller says; a whole body is whole."""
    long = b'{"a":1}' + b" " * 100
    assert partial.ask("POST", "/body", headers, long)["x-body-state"] == "truncated"
    assert partial.ask("POST", "/json", JSON | headers, long).status == 403
    in_chunks = headers | CHUNKED
    assert partial.ask("POST", "/body", in_chunks, chunked(long))["x-body-state"] == "truncated"
    assert partial.ask("POST", "/json", JSON | in_chunks, chunked(long)).status == 403
    assert partial.ask("POST", "/json", JSON | headers, b'{"a":1}').status == 200


def test_a_body_that_is_cut_exactly_at_the_bound_is_not_whole_where_that_is_known(told: Edge) -> None:
    """B1: Envoy calls it whole; `check.body_limit` says where it cuts, and what fills that proves nothing."""
    begun = b'{"a":1}'.ljust(64)
    assert told.ask("POST", "/body", CHUNKED, chunked(begun))["x-body-state"] == "truncated"
    assert told.ask("POST", "/json", JSON | CHUNKED, chunked(begun)).status == 403
    assert told.ask("POST", "/json", JSON, b'{"a":1}').status == 200
    assert told.ask("POST", "/json", JSON | CHUNKED, chunked(b'{"a":1}')).status == 200
