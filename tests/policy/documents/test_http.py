"""Tests of what a document may write where HTTP has a grammar (rows E6, E7, H4, P4, P5, P11)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz import paths
from authz.policy.codes import Code
from authz.policy.documents import http
from authz.policy.documents.grammar import Unfit
from authz.policy.source import Source, Text

Check = Callable[[Text], Text]


def text(value: str) -> Text:
    """Return a text as if it stood alone in a file."""
    found = Text.at(value, Source("p.yaml", value), 0, len(value))
    assert isinstance(found, Text)
    return found


def hint(check: Check, value: str, code: Code) -> str:
    """Return the hint of the one fault that a check raises."""
    with pytest.raises(Unfit) as raised:
        check(text(value))
    (fault,) = raised.value.faults
    assert fault.code == code
    return fault.hint


@pytest.mark.parametrize("value", ["x-subject", "authorization", "x_user", "set-cookie", "x-envoy-a", "~"])
def test_a_header(value: str) -> None:
    """A lower-case token can be written and removed."""
    assert http.header_name(text(value)) == value


@pytest.mark.parametrize("value", ["", "x y", "x:", "x\r\ny", "ä", "x-user\n", '"x"'])
def test_no_header(value: str) -> None:
    """E6: what is no token never reaches Envoy."""
    assert hint(http.header_name, value, Code.HEADER) == ""


@pytest.mark.parametrize(
    "value", [":path", ":authority", ":x", "host", "content-length", "connection", "transfer-encoding", "te", "upgrade"]
)
def test_a_header_of_the_connection(value: str) -> None:
    """E6, E7: pseudo headers, host and what frames the message cannot be written or removed."""
    assert hint(http.header_name, value, Code.HEADER) == ""


def test_an_upper_case_header() -> None:
    """H4: a name with upper case comes with its right spelling."""
    assert hint(http.header_name, "X-Subject", Code.HEADER) == 'write "x-subject"'


def test_a_header_value_is_one_line() -> None:
    """J11: a line break in a value would be a second header; a block scalar's own is worth a hint."""
    assert http.header_value(text("a ${identity.subject} ü")) == "a ${identity.subject} ü"
    assert hint(http.header_value, "a\r\nb: c", Code.HEADER) == ""
    assert hint(http.header_value, "a\n", Code.HEADER) == "end the block with |- or >-"


@pytest.mark.parametrize("value", ["https://a.example/x", "http://a", "/login", "${variables.login}"])
def test_a_location(value: str) -> None:
    """A redirect leads to an absolute URL, a path, or where CEL says."""
    assert http.location(text(value)) == value


@pytest.mark.parametrize(
    "value", ["", "login", "javascript:alert(1)", "ftp://a", " https://a", "https://a\nset-cookie: b"]
)
def test_no_location(value: str) -> None:
    """Other schemes and line breaks are refused."""
    assert hint(http.location, value, Code.LOCATION)


@pytest.mark.parametrize("value", ["GET", "PURGE", "VERSION-CONTROL", "custom", "M-SEARCH"])
def test_a_method(value: str) -> None:
    """A method is a token, in the case it has."""
    assert http.method(text(value)) == value


def test_no_method() -> None:
    """P12: no client sends `get`, and a method is one word."""
    assert hint(http.method, "get", Code.METHOD) == 'write "GET"'
    assert hint(http.method, "GET POST", Code.METHOD) == ""
    assert hint(http.method, "", Code.METHOD) == ""
    assert hint(http.method, "*", Code.METHOD) == "leave methods out to mean every method"


@pytest.mark.parametrize("value", ["application/json", "application/vnd.api+json", "text/plain"])
def test_a_media_type(value: str) -> None:
    """A type and a subtype in lower case."""
    assert http.media_type(text(value)) == value


@pytest.mark.parametrize(
    "value", ["", "json", "Application/JSON", "application/json; charset=utf-8", "*/*", "a/b/c", "a/b\n"]
)
def test_no_media_type(value: str) -> None:
    """B9: parameters and ranges are not compared, so they are not written."""
    assert hint(http.media_type, value, Code.MEDIA_TYPE)


@pytest.mark.parametrize(
    "value", ["api.example.com", "*.example.com", "localhost", "x_y.z", "10.0.0.1", "[::1]", "xn--bcher-kva.example"]
)
def test_a_host(value: str) -> None:
    """Exact hosts, `*.` hosts and addresses are matched as canonical requests have them."""
    assert http.host_pattern(text(value)) == value


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ("API.example.com", 'write "api.example.com"'),
        ("*.Example.com", 'write "*.example.com"'),
        ("api.example.com:443", 'write "api.example.com"'),
        ("api.example.com.", 'write "api.example.com"'),
        ("[0:0::1]", 'write "[::1]"'),
        ("*", "leave hosts out to mean every host"),
        ("bücher.example", "write it as it travels, in ASCII: xn--..."),
    ],
)
def test_a_host_that_nothing_matches(value: str, right: str) -> None:
    """H10: a pattern with a port, upper case or a trailing dot never matches; the fault says what would."""
    assert hint(http.host_pattern, value, Code.HOST) == right


@pytest.mark.parametrize(
    "value",
    ["", "a b", "*.*.example.com", "api.*.com", "a*.example.com", "http://a", "a/b", "::1", "bücher.example", "*."],
)
def test_no_host(value: str) -> None:
    """A wildcard is `*.` at the start, and nothing else."""
    assert hint(http.host_pattern, value, Code.HOST)


@pytest.mark.parametrize(
    "value",
    [
        "/",
        "/**",
        "/v1/orders",
        "/v1/orders/",
        "/v1/{id}/items/{item}",
        "/*/x",
        "/a/**",
        "/a~b/c:d/e,f",
        "/ä",
        "/[x]",
        "/%5Bx%5D",
        "/a%2Fb",
        "/a%2fb",
        "/~a",
        "/.a",
        "/a..b",
    ],
)
def test_a_path(value: str) -> None:
    """P11: literal segments of any characters a path can have, captures, `*`, and `**` at the end."""
    assert http.path_template(text(value)) == value


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            "v1",
            "**",
            "//a",
            "/a//b",
            "/./a",
            "/a/..",
            "/a/../b",
            "/**/a",
            "/a**",
            "/a*",
            "/{a}b",
            "/{a",
            "/a}",
            "/{}",
            "/{1}",
            "/{a-b}",
        ),
        *("/{a}/{a}", "/a;b", "/a?b", "/a?", "/a#b", "/%zz", "/%00", "/a b", "/a\\b", "/%2e%2e", "/a\n", "/%ff"),
    ],
)
def test_no_path(value: str) -> None:
    """P4, P5, P8: what no canonical request has, and wildcards in part of a segment, are refused."""
    hint(http.path_template, value, Code.PATH)


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ("/a b", 'write "a%20b"'),
        ("/100%", 'write "100%25"'),
        ("/a#b", 'write "a%23b"'),
        ("/a?b=1", "a query is no part of the path: read request.query in a rule"),
        ("/a;b", "parameters are no part of the path: leave out what begins with ;"),
        ("/{order-id}", 'letters, digits and "_", no digit first: "{order_id}"'),
        ("/{id}x", 'a wildcard is a whole segment: "*" or "{name}"'),
        ("/{a}{b}", 'a wildcard is a whole segment: "*" or "{name}"'),
        ("/%2e", ""),
    ],
)
def test_how_a_path_is_mended(value: str, right: str) -> None:
    """The fault says what to write instead, where there is such a thing."""
    assert hint(http.path_template, value, Code.PATH) == right


@given(st.lists(st.text("ab~%2Fé[;.*{}", min_size=1, max_size=5), max_size=3))
def test_a_literal_path_is_one_that_requests_can_have(segments: list[str]) -> None:
    """Law: a literal template that is accepted is itself a path that has one reading."""
    value = "/" + "/".join(segments)
    try:
        http.path_template(text(value))
    except Unfit:
        return
    if not set(segments) & {"*", "**"} and "{" not in value:
        assert paths.canonical(value).ambiguities <= {paths.ENCODED_SLASH}
