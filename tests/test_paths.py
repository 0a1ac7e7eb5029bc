"""One reading of path, query, host and address, or a refusal."""

from __future__ import annotations

import ipaddress
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from authz import paths
from authz.errors import Refusal
from authz.model import Ambiguity, Reason

READ_ONE_WAY = {
    # P1: a leading `//` is no authority
    "//admin/x": "/admin/x",
    "///admin/x": "/admin/x",
    "/a//admin": "/a/admin",
    "//admin/x?y=1": "/admin/x",
    "//user@admin/x": "/user@admin/x",
    "//": "/",
    # P2: the query is no part of the path
    "/admin?x": "/admin",
    "/admin?": "/admin",
    "/admin??a": "/admin",
    "/x?/admin": "/x",
    "/secret?/public/": "/secret",
    "/a?b/../c": "/a",
    # P3: unreserved characters are decoded, once
    "/%61dmin": "/admin",
    "/%61%64%6d%69%6E": "/admin",
    "/%7euser/%5F": "/~user/_",
    "/%252e%252e/admin": "/%252e%252e/admin",
    "/%2561dmin": "/%2561dmin",
    "/%25%32%65": "/%252e",
    # P4: plain dot segments, as in RFC 3986, 5.2.4
    "/public/../admin": "/admin",
    "/../../x": "/x",
    "/a/.": "/a/",
    "/a/..": "/",
    "/.": "/",
    "/..": "/",
    "/a/./b": "/a/b",
    "/a/b/c/./../../g": "/a/g",
    "/foo/bar..baz": "/foo/bar..baz",
    "/foo/..bar/.baz/qux.": "/foo/..bar/.baz/qux.",
    "/...": "/...",
    "/foo/bar%2e%2ebaz": "/foo/bar..baz",
    "/.well-known/x": "/.well-known/x",
    "/a//./b": "/a/b",
    "//../x": "/x",
    # P6: an escaped `#` is data
    "/admin%23x": "/admin%23x",
    # P7: case matters, and no letter is folded into another
    "/ADMIN": "/ADMIN",
    "/ädmin": "/%C3%A4dmin",
    "/%c3%a4dmin": "/%C3%A4dmin",
    "/\u212aadmin": "/%E2%84%AAadmin",
    # P10: a gRPC method
    "/com.x.Svc/Del": "/com.x.Svc/Del",
    "//com.x.Svc/Del": "/com.x.Svc/Del",
    # P11 has characters that are odd and legal
    "/admin/*": "/admin/*",
    "/admin/a*b": "/admin/a*b",
    "/admin/~x": "/admin/~x",
    "/admin/(x)": "/admin/(x)",
    "/admin/x:y": "/admin/x:y",
    "/admin/x,y": "/admin/x,y",
    "/admin/%5Bv%5D": "/admin/%5Bv%5D",
    "/admin/[v]": "/admin/%5Bv%5D",
    "/a%20b": "/a%20b",
    "/a|b": "/a%7Cb",
    # slashes and ends
    "/": "/",
    "/a/": "/a/",
    "/a///": "/a/",
}

PARAMETERS_STRIPPED = {
    # P5: before and after dot segments
    "/admin;x=y/action;foo=bar": "/admin/action",
    "/user/..;a/admin": "/admin",
    "/user/..;foo=bar/admin": "/admin",
    "/;/admin": "/admin",
    "/admin;": "/admin",
    "/a/.;x/b": "/a/b",
    "/a/..;x": "/",
}

SLASHES_KEPT = {
    # P3: both cases of an escape are one
    "/admin%2fsecret": "/admin%2Fsecret",
    "/admin%2Fsecret": "/admin%2Fsecret",
    "/admin%5csecret": "/admin%5Csecret",
    "/admin%5Csecret": "/admin%5Csecret",
}

REFUSED = [
    # P3, P4: encoded, mixed, and next to an encoded slash
    "/something%2F..%2Fadmin",
    "/public/%2e%2e/admin",
    "/public/.%2e/admin",
    "/public/%2e./admin",
    "/public/%2E%2E",
    "/a/%2e/b",
    "/foo/%2e%2e%5cbar",
    "/foo%5c%2e%2e/bar",
    "/foo/%2e%2e%2fbar",
    "/foo%2f%2e%2e/bar",
    "/foo/..%2Fbar",
    "/foo%2F../bar",
    "/foo%2F.",
    "/a/%2e%2e;x/b",
    "/a/..%3bx/b",
    "/a;x%2F../b",
    # readers that merge slashes first part from readers that resolve dots first
    "/a//../b",
    "/a/;/../b",
    # P5 is in PARAMETERS_STRIPPED, P6:
    "/admin#x",
    "/public#/../admin",
    "/a?b#c",
    # P8
    "/a%00b",
    "/xyz/.%00../abc",
    "/a%0ab",
    "/a%7f",
    "/a%c2%85b",
    "/a\x00b",
    "/a\tb",
    "/a\nb",
    "/a b",
    "/a\x85b",
    "/a%",
    "/a%2",
    "/a%zz",
    "/a%%34",
    "/%c0%af",
    "/%ff",
    "/%c3/%a4",
    "/%c3%41",
    "/%ed%a0%80",
    "/\ud800",
    "/a\\b",
    "",
    "?x",
    "/" + "a" * 65536,
    "/a?" + "b" * 65537,
    "/a?b\tc",
    "/a?b c",
    # P9
    "*",
    "http://evil/x",
    "host:443",
    # P10
    "com.x.Svc/Del",
    "a/b",
    "./a",
]


@pytest.mark.parametrize(("raw", "path"), READ_ONE_WAY.items())
def test_a_target_is_read_one_way(raw: str, path: str) -> None:
    """Rows P1 to P11: one canonical path, without ambiguity."""
    assert paths.canonical(raw) == paths.CanonicalPath(path=path, query=raw.partition("?")[2])


@pytest.mark.parametrize(("raw", "path"), PARAMETERS_STRIPPED.items())
def test_parameters_are_named_and_cut_before_dots_are_resolved(raw: str, path: str) -> None:
    """Row P5: the path is what a server that strips parameters serves, and the ambiguity is named."""
    read = paths.canonical(raw)
    assert (read.path, read.ambiguities) == (path, {Ambiguity.PATH_PARAMETERS})


@pytest.mark.parametrize(("raw", "path"), SLASHES_KEPT.items())
def test_encoded_slashes_are_named_and_kept(raw: str, path: str) -> None:
    """Row P3: `%2F` and `%5C` stay data, and the ambiguity is named, for either case of the escape."""
    read = paths.canonical(raw)
    assert (read.path, read.ambiguities) == (path, {Ambiguity.ENCODED_SLASH})


def test_both_ambiguities_are_named_together() -> None:
    """A path with parameters and an encoded slash needs both permissions, also where the slash is cut away."""
    assert paths.canonical("/a%2Fb;c").ambiguities == {Ambiguity.ENCODED_SLASH, Ambiguity.PATH_PARAMETERS}
    assert paths.canonical("/a;b%2Fc").ambiguities == {Ambiguity.ENCODED_SLASH, Ambiguity.PATH_PARAMETERS}


@pytest.mark.parametrize("raw", REFUSED)
def test_what_has_no_one_reading_is_refused(raw: str) -> None:
    """Rows P3 to P10: refused, with a detail that repeats nothing the client sent."""
    with pytest.raises(Refusal) as refusal:
        paths.canonical(raw)
    assert refusal.value.reason == Reason.AMBIGUOUS_REQUEST
    assert refusal.value.detail.isascii()
    assert len(raw) < 3 or raw not in refusal.value.detail


def test_the_words_are_the_models() -> None:
    """`paths` may not import `model`; its words are the same."""
    assert {paths.ENCODED_SLASH, paths.PATH_PARAMETERS} == set(Ambiguity)
    assert paths.AMBIGUOUS == Reason.AMBIGUOUS_REQUEST


def test_segments() -> None:
    """A trailing slash adds no segment, and the root has none."""
    assert paths.segments(paths.canonical("//admin/x").path) == ("admin", "x")
    assert [paths.segments(path) for path in ("/", "/a", "/a/")] == [(), ("a",), ("a",)]


FRAGMENTS = st.sampled_from(
    [
        "/",
        "//",
        ".",
        "..",
        "%2e",
        "%2E",
        "%2f",
        "%5C",
        ";",
        "%3b",
        "a",
        "B",
        "%41",
        "%c3%a4",
        "ä",
        "%25",
        "2e",
        "?",
        "*",
    ]
)
TARGETS = st.one_of(st.lists(FRAGMENTS, max_size=12).map(lambda parts: "/" + "".join(parts)), st.text(max_size=40))


def accepted(raw: str) -> paths.CanonicalPath | None:
    """Return the reading, or `None` for a refusal; anything else fails the test."""
    try:
        return paths.canonical(raw)
    except Refusal:
        return None


@given(TARGETS)
def test_a_canonical_path_is_its_own_canonical_form(raw: str) -> None:
    """Reading twice is reading once."""
    if read := accepted(raw):
        again = paths.canonical(read.path)
        assert again.path == read.path
        assert again.ambiguities <= read.ambiguities - {Ambiguity.PATH_PARAMETERS}


@given(TARGETS)
def test_a_canonical_path_holds_nothing_to_read_differently(raw: str) -> None:
    """No empty segment, no dot segment in any encoding, no parameter, nothing unescaped that needs an escape."""
    if read := accepted(raw):
        assert re.fullmatch(r"/(?:[A-Za-z0-9._~!$&'()*+,=:@/-]|%[0-9A-F]{2})*", read.path)
        assert "//" not in read.path
        assert not re.search(r"(?:/|%2F|%5C)\.{1,2}(?:/|%2F|%5C|$)", read.path)
        assert not re.search(r"%(?:2E|2D|5F|7E|3[0-9]|4[1-9A-F]|5[0-9A]|6[1-9A-F]|7[0-9A])", read.path)


@given(TARGETS)
def test_the_case_of_an_escape_changes_nothing(raw: str) -> None:
    """Row P3: `%2f` and `%2F` are one, in every reading and in every refusal."""
    upper = re.sub(r"%[0-9A-Fa-f]{2}", lambda escape: escape[0].upper(), raw)
    lower = re.sub(r"%[0-9A-Fa-f]{2}", lambda escape: escape[0].lower(), raw)
    readings = [accepted(spelling.partition("?")[0]) for spelling in (raw, upper, lower)]
    assert readings[0] == readings[1] == readings[2]


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="/\\"), min_size=1))
@example("%2e%2e")
@example("..%2f")
def test_nothing_is_decoded_twice(text: str) -> None:
    """A segment escaped twice reads as the segment escaped once, whatever it spells."""
    once = "".join(f"%{byte:02x}" for byte in text.encode())
    twice = once.replace("%", "%25")
    read = paths.canonical(f"/{twice}")
    assert read.path == f"/{twice}"
    assert not read.ambiguities


@given(st.text(st.characters(codec="ascii", exclude_characters="%"), max_size=30))
def test_escaping_an_unreserved_letter_changes_nothing(text: str) -> None:
    """A letter and its escape are one reading, unless the letter's neighbours make the path refused."""
    escaped = "".join(f"%{ord(char):02x}" if char.isalnum() else char for char in text)
    assert accepted(f"/{text}".partition("?")[0]) == accepted(f"/{escaped}".partition("?")[0])


HOSTS = {
    "Admin.Example.COM": ("admin.example.com", None),
    "admin.example.com:443": ("admin.example.com", 443),
    "admin.example.com.": ("admin.example.com", None),
    "admin.example.com.:8443": ("admin.example.com", 8443),
    "admin.example.com:": ("admin.example.com", None),
    "localhost:10000": ("localhost", 10000),
    "my_service": ("my_service", None),
    "127.0.0.1:80": ("127.0.0.1", 80),
    "[::1]:8080": ("[::1]", 8080),
    "[2001:DB8:0:0::1]": ("[2001:db8::1]", None),
}


@pytest.mark.parametrize(("raw", "expected"), HOSTS.items())
def test_a_host_is_read_one_way(raw: str, expected: tuple[str, int | None]) -> None:
    """Row H10: lower case, port split off, one trailing dot removed, IPv6 compressed in brackets."""
    host = paths.canonical_host(raw)
    assert (host.name, host.port) == expected


@pytest.mark.parametrize(
    "raw",
    [
        *(
            "",
            ".",
            "..",
            "a..b",
            ".a",
            "a..",
            ":80",
            "a:b",
            "a:0",
            "a:65536",
            "a:123456",
            "a:80:80",
            "a:-1",
            "a:8\u0660",
        ),
        *(
            "a@b",
            "user:pass@b",
            "a b",
            "a\tb",
            "a/b",
            "a\\b",
            "a,b",
            "a%2eb",
            "a%00b",
            "a\x00b",
            "a#b",
            "a?b",
            "bücher.de",
        ),
        *("[::1", "::1", "[]", "[::g]", "[fe80::1%25eth0]", "[::1].", "[1.2.3.4]", "[::1]80", "a" * 256),
    ],
)
def test_a_host_without_one_reading_is_refused(raw: str) -> None:
    """Row H10: empty, user information, illegal characters, bad ports and half literals."""
    with pytest.raises(Refusal):
        paths.canonical_host(raw)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("::FFFF:0a00:0001", "10.0.0.1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::1", "::1"),
        *((raw, "") for raw in ("", "evil", "1.2.3.4:80", "[::1]", "127.1", "010.0.0.1", "1.2.3.4%eth0", "1.2.3.4 ")),
        ("::1%" + "x" * 100_000, ""),
    ],
)
def test_an_address_has_one_text(raw: str, expected: str) -> None:
    """Rows H8, H9: IPv4-mapped addresses are unmapped, zone ids dropped, everything else is no address."""
    assert paths.canonical_ip(raw) == expected


@given(st.ip_addresses())
def test_every_address_keeps_its_meaning(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    """The canonical text is the address, and canonical itself."""
    text = paths.canonical_ip(str(address))
    expected = address.ipv4_mapped or address if isinstance(address, ipaddress.IPv6Address) else address
    assert ipaddress.ip_address(text) == expected
    assert paths.canonical_ip(text) == text


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("", {}),
        ("role=user&role=admin", {"role": ["user", "admin"]}),
        ("a=1;b=2", {"a": ["1;b=2"]}),
        ("a", {"a": [""]}),
        ("a=", {"a": [""]}),
        ("=a", {"": ["a"]}),
        ("a=b=c&&d", {"a": ["b=c"], "d": [""]}),
        ("a+b=c%2Bd", {"a b": ["c+d"]}),
        ("%61=%C3%A4&a=ä", {"a": ["ä", "ä"]}),
        ("a=%2526", {"a": ["%26"]}),
        ("?a=1", {"?a": ["1"]}),
    ],
)
def test_a_query_keeps_every_value(raw: str, expected: dict[str, list[str]]) -> None:
    """Row P13: a list for each name, in order; `;` separates nothing, nothing is decoded twice."""
    assert paths.parse_query(raw) == expected


@pytest.mark.parametrize(
    "raw",
    ["a=%ff", "%ff=a", "a=%", "a=%zz", "a=%c0%af", "a=%c3ä", "&".join(f"k{n}" for n in range(10_000)), "a" * 65537],
)
def test_a_query_without_one_reading_is_refused(raw: str) -> None:
    """Row P13: invalid escapes, bytes outside UTF-8 and floods are refused, not repaired."""
    with pytest.raises(Refusal):
        paths.parse_query(raw)


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=8))
def test_an_encoded_query_reads_back(pairs: list[tuple[str, str]]) -> None:
    """Form-encoding and `parse_query` are inverse."""
    expected: dict[str, list[str]] = {}
    for name, value in pairs:
        expected.setdefault(name, []).append(value)
    encoded = [["".join(f"%{byte:02X}" for byte in text.encode()) for text in pair] for pair in pairs]
    assert paths.parse_query("&".join("=".join(pair) for pair in encoded)) == expected


@given(st.text())
def test_percent_encoded_text_reads_back(text: str) -> None:
    """What `percent_encoded` writes is nothing but unreserved characters and escapes, and reads back as the text."""
    encoded = paths.percent_encoded(text)
    assert re.fullmatch(r"(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})*", encoded)
    assert paths.parse_query(f"k={encoded}") == {"k": [text]}
