"""Both of Envoy's encodings read the same, and what two readers would read differently is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.errors import Refusal
from authz.model import Reason
from authz.wire.headers import is_token
from tests.wire.conftest import both_encodings, check_request, read

PSEUDO = [(":authority", "api.example.com"), (":method", "GET"), (":path", "/v1/orders/7"), (":scheme", "https")]
NAMES = st.sampled_from(["x-role", "x-tenant", "cookie", "accept", "x_role", "via", "forwarded"])
VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), max_size=12)


def refused(**request: object) -> None:
    """Assert that a request is refused as ambiguous."""
    with pytest.raises(Refusal) as refusal:
        read(check_request(**request))
    assert refusal.value.reason == Reason.AMBIGUOUS_REQUEST


@given(st.lists(st.tuples(NAMES, VALUES), max_size=8))
def test_both_encodings_read_the_same(pairs: list[tuple[str, str]]) -> None:
    """Rows H1, H2: the map and the list give the same headers, repeated values joined by `,` in order."""
    mapped, listed = both_encodings([*PSEUDO, *pairs])
    assert read(mapped).headers == read(listed).headers
    assert read(mapped).headers.keys() == {name for name, _ in pairs}


def test_repeated_values_are_joined_in_order() -> None:
    """Row H1: no value of a repeated header is lost in either encoding."""
    for message in both_encodings([("x-role", "user"), ("x-role", "admin"), ("cookie", "a=1"), ("cookie", "b=2")]):
        assert read(message).headers == {"x-role": "user,admin", "cookie": "a=1,b=2"}


def test_pseudo_headers_are_no_headers() -> None:
    """Names that begin with a colon are taken out, also those Envoy does not send."""
    for message in both_encodings([*PSEUDO, (":protocol", "websocket"), (":x", "y"), ("te", "trailers")]):
        assert read(message).headers == {"te": "trailers"}


@pytest.mark.parametrize(
    "pair",
    [(":method", "DELETE"), (":path", "/admin"), (":scheme", "http"), (":authority", "evil.com"), ("host", "evil.com")],
)
def test_a_pseudo_header_that_contradicts_the_attributes_is_refused(pair: tuple[str, str]) -> None:
    """Row H10: the attributes are what is decided on, so headers that say something else make the request two."""
    refused(headers=dict([pair]))
    refused(raw=[(pair[0], pair[1].encode())])
    refused(raw=[(name, value.encode()) for name, value in [*PSEUDO, pair]])


def test_a_host_header_that_agrees_is_kept() -> None:
    """A `Host` beside the attribute may be spelled differently as long as it names the same host."""
    assert read(check_request(headers={"host": "API.example.com."})).headers["host"] == "API.example.com."


def test_names_are_lower_case_and_spellings_are_one_header() -> None:
    """Row H4: `X-Role` and `x-role` are one header, repeated; `x_role` is another one."""
    message = check_request(headers={"X-Role": "a", "x-role": "b", "x_role": "c"})
    assert read(message).headers == {"x-role": "a,b", "x_role": "c"}
    message = check_request(raw=[("x-role", b"a"), ("X-ROLE", b"b"), ("x_role", b"c")])
    assert read(message).headers == {"x-role": "a,b", "x_role": "c"}


@pytest.mark.parametrize("name", ["x-role ", "", " x", "x:y", "x\u212a", "x\x00", "rôle", ":", "x\ny", "::x", "a,b"])
def test_a_name_that_is_no_token_is_refused(name: str) -> None:
    """Row H4: servers disagree on what `x-role ` is, so nobody decides on it."""
    refused(headers={name: "a"})
    refused(raw=[(name, b"a")])


@pytest.mark.parametrize(
    "value", [b"adm\xffin", b"\xe9", b"\xc0\xaf", b"\xed\xa0\x80", b"a\x00b", b"a\rb", b"a\nb"], ids=repr
)
def test_a_value_that_is_no_text_makes_its_header_invalid(value: bytes) -> None:
    """Row H3: the header is named as invalid and is not among the headers, also where another value is fine."""
    request = read(check_request(raw=[("x-role", b"user"), ("X-Role", value), ("x-ok", b"1")]))
    assert (request.headers, request.invalid_headers) == ({"x-ok": "1"}, {"x-role"})


@pytest.mark.parametrize("char", ["\n", "\r", "\0"])
def test_dangerous_characters_are_found_in_the_map_too(char: str) -> None:
    """Row H3: a line break or NUL in a value makes the header invalid in either encoding."""
    request = read(check_request(headers={"x-role": f"a{char}b", "x-ok": "1"}))
    assert (request.headers, request.invalid_headers) == ({"x-ok": "1"}, {"x-role"})


@pytest.mark.parametrize("name", ["authorization", "content-length", "host", ":path", ":authority"])
def test_an_unreadable_header_that_matters_is_refused(name: str) -> None:
    """Row H3: a credential of bytes must not look like no credential."""
    refused(raw=[(name, b"\xff")])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("authorization", "Bearer a"),
        ("authorization", 'Digest a="b"'),
        ("content-length", "5"),
        ("host", "api.example.com"),
    ],
)
def test_a_single_header_that_is_repeated_is_refused(name: str, value: str) -> None:
    """Row H1: two Host, Authorization or Content-Length headers are two readings, in either encoding or in both."""
    refused(raw=[(name, value.encode()), (name, value.encode())])
    refused(raw=[(name, value.encode()), (name.title(), value.encode())])
    refused(headers={name: value, name.title(): value})
    refused(headers={name: value}, raw=[(name, value.encode())])


def test_two_headers_that_join_into_one_credential_are_refused() -> None:
    """Row H1: the list knows that there were two, even where the join would read as one."""
    refused(raw=[("authorization", b"Digest a=b"), ("authorization", b"c=d")])


@pytest.mark.parametrize(
    "value",
    [
        "Bearer a,Bearer b",
        "Bearer a, Bearer b",
        "Basic dXNlcjpwdw==,Bearer b",
        "Bearer a,",
        ",Bearer a",
        "Bearer a,b",
        "Bearer a,Negotiate",
        'Digest username="x", realm="y",Bearer z',
        'Bearer z,Digest username="x", realm="y"',
        'Digest username="x,Bearer z',
        'Digest a="b",Digest c="d"',
        'Digest a="b",',
        "Negotiate,Bearer a",
    ],
)
def test_two_joined_credentials_are_refused(value: str) -> None:
    """Row H1: Envoy's map joins two Authorization headers with a comma; they are told from one with parameters."""
    refused(headers={"authorization": value})


@pytest.mark.parametrize(
    "value",
    [
        "Bearer abc.def-ghi_~+/==",
        'Digest username="Mufasa", realm="a, b", uri="/dir?a=1,2", nc=00000001, response="x\\"y"',
        "AWS4-HMAC-SHA256 Credential=AK/20261123/eu/s3/aws4_request, SignedHeaders=host;range, Signature=fe5f80",
        'Signature keyId="k",algorithm="rsa-sha256",headers="(request-target) date",signature="Ab+/=="',
        'OAuth realm="",oauth_token = "a" , oauth_nonce="b"',
        "",
    ],
)
def test_one_credential_with_parameters_is_one(value: str) -> None:
    """Commas between the parameters of one credential do not make it two."""
    assert read(check_request(headers={"authorization": value})).headers["authorization"] == value


@pytest.mark.parametrize("value", ["5,5", "5, 6", "-1", "+5", "0x5", "5 ", "", "\u0665", "1e3", "\u00b2", "9" * 5000])
def test_a_length_that_is_no_number_is_refused(value: str) -> None:
    """Content-Length is digits, once (RFC 9110, 8.6)."""
    refused(headers={"content-length": value})


def test_two_framings_are_refused() -> None:
    """Content-Length beside Transfer-Encoding is how requests are smuggled (RFC 9112, 6.1)."""
    refused(headers={"content-length": "5", "transfer-encoding": "chunked"})


@pytest.mark.parametrize(
    ("name", "token"), [("x-role", True), ("X_Role", True), ("", False), ("x role", False), ("\u212a", False)]
)
def test_tokens(name: str, token: bool) -> None:
    """A name is a token in any case, and in ASCII only."""
    assert is_token(name) is token


def test_bytes_go_before_text() -> None:
    """H1: Envoy sends a header in one of two fields; where both are there, the bytes are what was sent."""
    message = check_request()
    message.attributes.request.http.header_map.headers.add(key="x-role", value="user", raw_value=b"admin")
    assert read(message).headers["x-role"] == "admin"
