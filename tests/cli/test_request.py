"""A request from the command line reads as the same request from Envoy would."""

from pathlib import Path

import pytest

from authz import wire
from authz.cli.request import Asked, content, header, message
from authz.model import BodyState, Request


def _request(**asked: object) -> Request:
    return wire.read(message(Asked(**{"method": "GET", "url": "/", "time": 0.5, **asked})), now=99.0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://API.example.com/v1/orders?a=1&b", ("https", "api.example.com", 443, "/v1/orders", "a=1&b")),
        ("http://localhost:8080", ("http", "localhost", 8080, "/", "")),
        ("/v1/orders?x", ("http", "localhost", 80, "/v1/orders", "x")),
        ("//admin/x", ("http", "localhost", 80, "/admin/x", "")),
        ("http://h//admin/x", ("http", "h", 80, "/admin/x", "")),
    ],
)
def test_a_url_is_split_as_envoy_splits_it(url: str, expected: tuple[str, str, int, str, str]) -> None:
    """Scheme and authority are Envoy's attributes; the rest is the path, whatever it looks like (row P1)."""
    request = _request(url=url)
    assert (request.scheme, request.host, request.port, request.path, request.query) == expected


def test_headers_peer_and_time_arrive() -> None:
    """What was typed is what policies read."""
    request = _request(headers=(("x-tenant", "acme"), ("x-a", "1"), ("x-a", "2")), ip="203.0.113.7", time=1.5)
    assert (request.headers["x-tenant"], request.headers["x-a"]) == ("acme", "1,2")
    assert (request.source.ip, request.time) == ("203.0.113.7", 1.5)


@pytest.mark.parametrize(
    ("body", "headers", "state"),
    [
        (None, (), BodyState.ABSENT),
        (b"{}", (), BodyState.COMPLETE),
        (b"", (), BodyState.ABSENT),
        (b"{}", (("content-length", "5"),), BodyState.TRUNCATED),
        (b"{}", (("x-envoy-auth-partial-body", "true"),), BodyState.TRUNCATED),
    ],
)
def test_a_body_is_whole_unless_said_otherwise(
    body: bytes | None, headers: tuple[tuple[str, str], ...], state: BodyState
) -> None:
    """A typed header stands, so that a truncated body can be tried too."""
    assert _request(method="POST", body=body, headers=headers).body_state is state


@pytest.mark.parametrize(
    ("text", "expected"), [("A: b: c", ("a", "b: c")), ("x-empty:", ("x-empty", "")), ("X-Y:z ", ("x-y", "z"))]
)
def test_a_header_is_typed_as_for_curl(text: str, expected: tuple[str, str]) -> None:
    """Name, colon, value; names are lower case, as Envoy sends them."""
    assert header(text) == expected


@pytest.mark.parametrize("text", ["name", ": value", ""])
def test_what_has_no_name_or_colon_is_no_header(text: str) -> None:
    """And says how to write one."""
    with pytest.raises(ValueError, match='write "name: value"'):
        header(text)


def test_a_body_is_text_or_a_file(tmp_path: Path) -> None:
    """`-d @FILE` reads the file's bytes."""
    (tmp_path / "body").write_bytes(b"\xff")
    assert (content("a@b"), content(f"@{tmp_path}/body")) == (b"a@b", b"\xff")
