"""Requests as Envoy sends them, and what can happen to their bytes.

`SEEDS` are whole; `mutate` damages one, at the level of bytes (what a broken or hostile sender does to protobuf) and at
the level of fields (what a hostile client does to HTTP). Both are functions of a seeded generator, so a case is
reproduced by its seed and number.
"""

from __future__ import annotations

import random
import re
from functools import wraps
from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError, Message

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

NOON = 1_795_435_200.0
LARGEST = 1 << 20
"""Bytes of the largest case; mutations that grow a message stop there."""

PATHS = (
    *("", "*", "/", "//", "///", "//admin/x", "/a//b", "/a//../b", "/a/../b", "/../../x", "/a/.", "/a/..", "/."),
    *("/%61dmin", "/admin%2fx", "/admin%5Cx", "/a%2F..%2Fb", "/public/%2e%2e/admin", "/.%2e/x", "/%252e%252e/admin"),
    *("/admin;x=y/z", "/user/..;a/admin", "/;/admin", "/a%3bb", "/a#b", "/a?b#c", "/a?b?c", "?a", "/a\tb", "/a b"),
    *("/a\\b", "/a%00b", "/a%", "/a%zz", "/%c0%af", "/%ff", "/\u00e4", "/%C3%A4", "http://evil/x", "host:443"),
    *("/admin", "/admin/", "/ADMIN", "/v1/orders", "/v1/orders/", "/v1//orders", "/v1/orders/%37?debug", "/x?debug=1"),
    *("/x?%64ebug", "/x?a=debug", "/%2561dmin", "/x/../admin", "/x/./../admin/y", "/admin?x", "/x?/admin"),
    *("/graph", "/graph?query=mutation%7Borders%7D", "/graph?query=%7Bsecrets%7D", "/tools", "/forms", "/forms/"),
    *(
        "/pages/gone?page=1",
        "/pages/a?page=10",
        "/pages/a?page=1&page=2",
        "/pages/a?page=1.0",
        "/pages/long-name?page=1",
    ),
    *("/pages/a?page=%31", "/pages/a?page=+1", "/pages/%61?page=1&x", "/pages/a/?page=1", "/pages/a"),
    *("a/b", "/" + "a" * 9000, "/a?" + "b=c&" * 500, "/a/{b}", "/a%0d%0ax: y", "/./../.././", "/..;/..;/x"),
)
HOSTS = (
    "",
    "A.EXAMPLE.com.",
    "a@b",
    "a:99999",
    "[::1]:8080",
    "[::1",
    "a..b",
    "a b",
    "x" * 300,
    "b\u00fccher.de",
    "a,b",
    "internal.example.com",
    "INTERNAL.Example.COM.:8443",
)
METHODS = ("", "GET", "HEAD", "POST", "get", "CONNECT", "OPTIONS", "PURGE", "GET /", "G\u00c9T", "DELETE\n", "X" * 1000)
NAMES = (
    *("authorization", "Authorization", "host", "content-length", "transfer-encoding", "x-envoy-auth-partial-body"),
    *("origin", "access-control-request-method", "access-control-request-headers", "upgrade", "x-level", "x-back"),
    *(
        "accept",
        "content-type",
        "content-encoding",
        ":path",
        ":authority",
        ":method",
        ":x",
        "x-role",
        "X-Role",
        "x_role",
        "x-role ",
        "",
        "cookie",
        "x-forwarded-uri",
    ),
)
VALUES = (
    *(b"", b"a", b"a,b", b"Bearer a,Bearer b", b'Digest a="b", c="d"', b"\xff\xfe", b"a\0b", b"a\r\nb: c", b"true"),
    *(b"https://shop.example.com", b"null", b"GET", b"websocket", b"//evil.example", b"https://evil.example/", b"/x"),
    *(b"session=1", b"a=b,session=1", b"text/html;q=0.9, */*", b"gzip", b"application/json", b"4", b"application/grpc"),
    *(b"admin", b"user,admin", b"user, Admin", b"administrator", b"adm\xefn", b"user;admin", b"7"),
    *(b"0", b"5", b"-1", b"99999999999999999999", b"chunked", b"false", b"x" * 5000, "\u00e4\u2028".encode()),
)


BODIES = (
    *(b'{"a":1}', b'{"a":2}', b'{"a":1.0}', b'{"a":true}', b'{"a":"1"}', b'{"a":2,"a":1}', b'{"b":1}', b'[{"a":1}]'),
    *(
        b'{"query":"mutation { orders }"}',
        b'{"query":"{ orders secrets }"}',
        b'{"query":"{ secrets }","Query":"{ orders }"}',
    ),
    *(b'{"query":"{ ...F } fragment F on T { orders }"}', b'{"query":"{ orders }","documentId":"x"}', b'{"query":"{"}'),
    *(b'{"query":"{' + b"...F " * 2000 + b'} fragment F on T { ...F }"}', b"a=1&a=1", b"a=2", b"a=%31", b"a=1&b", b"a"),
    *(b'{"method":"tools/call","params":{"name":"pay","arguments":{"amount":101}}}', b'{"method":"tools/list"}'),
    *(b'{"method":"tools/call","Method":"x","params":{"name":"pay","arguments":{"amount":1}}}', b'[{"method":"x"}]'),
    *(b'{"a":1}{', b'{"a":NaN}', b'\xef\xbb\xbf{"a":1}', b'{"a":1}'.decode().encode("utf-16"), b"[" * 200, b"1e999"),
)
ADDRESSES = ("", "evil", "::ffff:1.2.3.4", "fe80::1%eth0", "9" * 500, "203.0.113.7", "::ffff:203.0.113.7", "203.0.113")


def _seed(method: str, path: str, headers: dict[str, str], body: bytes = b"", *, listed: bool = False) -> bytes:
    """Return a request as Envoy sends it; `listed` is the encoding of `encode_raw_headers`."""
    message = CheckRequest()
    attributes = message.attributes
    attributes.source.address.socket_address.address = "10.1.2.3"
    attributes.source.address.socket_address.port_value = 41822
    attributes.source.principal = "spiffe://cluster.local/ns/shop/sa/web"
    attributes.destination.address.socket_address.address = "::ffff:10.1.9.9"
    attributes.request.time.seconds = int(NOON)
    attributes.context_extensions["route"] = "orders"
    attributes.metadata_context.filter_metadata["envoy.filters.http.jwt_authn"]["sub"] = "alice"
    attributes.tls_session.sni = "api.example.com"
    http = attributes.request.http
    http.id, http.method, http.path, http.host = "1283046882394342398", method, path, "api.example.com"
    http.scheme, http.protocol, http.raw_body, http.size = "https", "HTTP/2", body, len(body)
    pseudo = {":authority": http.host, ":method": method, ":path": path, ":scheme": "https"}
    for name, value in {**pseudo, **headers}.items():
        if listed:
            http.header_map.headers.add(key=name, raw_value=value.encode())
        else:
            http.headers[name] = value
    return message.SerializeToString()


JSON = {"content-type": "application/json"}
WHOLE = {"x-envoy-auth-partial-body": "false"}
SEEDS: tuple[bytes, ...] = (
    _seed("GET", "/v1/orders/7?expand=lines", {"accept": "*/*", "authorization": "Bearer e30.e30.c2ln"}),
    _seed("GET", "/v1/orders/7", {"accept": "*/*", "x-role": "user"}, listed=True),
    _seed("POST", "/v1/orders", {"content-length": "7", "content-type": "application/json"}, b'{"a":1}'),
    _seed("POST", "/v1/orders", {"content-type": "application/json"} | WHOLE, b'{"a":1}', listed=True),
    _seed("GET", "/public/page?x=1&y", {"x-role": "user,guest"}),
    _seed("POST", "/shop.Orders/Create", {"content-type": "application/grpc", "te": "trailers"}),
    _seed("POST", "/graph", JSON | WHOLE, b'{"query":"query Q { all: orders { id } }","variables":{"a":[1]}}'),
    _seed("GET", "/graph?query=%7Borders%7Bid%7D%7D", {"accept": "*/*"}),
    _seed("POST", "/tools", JSON | WHOLE, b'{"method":"tools/call","params":{"name":"pay","arguments":{"amount":9}}}'),
    _seed("GET", "/pages/a?page=2", {"accept": "text/html", "origin": "https://shop.example.com", "x-level": "2"}),
    _seed("GET", "/pages/b?page=9", {"cookie": "session=1; a=b", "origin": "null"}, listed=True),
    _seed("POST", "/forms", {"content-type": "application/x-www-form-urlencoded"} | WHOLE, b"a=1"),
    CheckRequest().SerializeToString(),
)
ASKED = {"origin": "https://shop.example.com", "access-control-request-method": "GET"}
ANSWERED: tuple[bytes, ...] = (
    _seed("OPTIONS", "/pages/a", ASKED),
    _seed("GET", "/pages/a?page=1", {"x-back": "/pages/b"}),
    _seed("GET", "/pages/gone?page=1", {"accept": "text/html"}),
)
"""Whole ones that are answered here, each in another way."""


def cases(count: int, seed: int) -> Iterator[bytes]:
    """Yield `count` damaged requests, the same for the same seed."""
    rng = random.Random(seed)
    for _ in range(count):
        yield mutate(rng, rng.choice((*SEEDS, *ANSWERED)))


def mutate(rng: random.Random, request: bytes) -> bytes:
    """Return a serialized CheckRequest damaged in one to three ways; it may be one no longer."""
    for _ in range(rng.randint(1, 3)):
        request = rng.choice(MUTATIONS)(rng, request)[:LARGEST]
    return request


def _flip(rng: random.Random, data: bytes) -> bytes:
    damaged = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        if damaged:
            damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def _cut(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randint(0, len(data))]


def _copy_slice(rng: random.Random, data: bytes) -> bytes:
    start, length, place = rng.randint(0, len(data)), rng.randint(0, 64), rng.randint(0, len(data))
    return data[:place] + data[start : start + length] + data[place:]


def _drop_slice(rng: random.Random, data: bytes) -> bytes:
    start = rng.randint(0, len(data))
    return data[:start] + data[start + rng.randint(1, 32) :]


def _insert_noise(rng: random.Random, data: bytes) -> bytes:
    place = rng.randint(0, len(data))
    return data[:place] + rng.randbytes(rng.randint(1, 16)) + data[place:]


def _add_unknown_field(rng: random.Random, data: bytes) -> bytes:
    content = rng.randbytes(rng.randint(0, 100))
    return data + bytes([0x82 | rng.randrange(8) << 4, 0x7F, len(content)]) + content


def _repeat_message(rng: random.Random, data: bytes) -> bytes:
    """Protobuf merges messages that follow each other: two requests become one with parts of both."""
    return data + rng.choice(SEEDS)


def _spoil_text(rng: random.Random, data: bytes) -> bytes:
    """Make one of the texts in the message invalid UTF-8."""
    texts = [text for text in re.findall(rb"[\x20-\x7e]{3,}", data) if text in data]
    if not texts:
        return data
    text = rng.choice(texts)
    place = rng.randrange(len(text))
    return data.replace(text, text[:place] + rng.choice((b"\xff", b"\xc0", b"\xed")) + text[place + 1 :], 1)


def _on_fields(change: Callable[[random.Random, CheckRequest], None]) -> Callable[[random.Random, bytes], bytes]:
    """Return a mutation of fields as one of bytes; what no longer parses is left as it is."""

    @wraps(change)
    def mutation(rng: random.Random, data: bytes) -> bytes:
        try:
            message = CheckRequest.FromString(data)
        except DecodeError:
            return data
        change(rng, message)
        return message.SerializeToString()

    return mutation


def _odd_target(rng: random.Random, message: CheckRequest) -> None:
    http = message.attributes.request.http
    path = rng.choice(PATHS)
    http.path = path if rng.random() < 0.5 else f"{path}{rng.choice(PATHS)}"
    if rng.random() < 0.8 and ":path" in http.headers:
        http.headers[":path"] = http.path


def _odd_attributes(rng: random.Random, message: CheckRequest) -> None:
    http = message.attributes.request.http
    http.host = rng.choice(HOSTS)
    http.method = rng.choice(METHODS)
    if rng.random() < 0.8 and ":path" in http.headers:
        http.headers[":authority"], http.headers[":method"] = http.host, http.method
    http.scheme = rng.choice(("", "HTTPS", "ftp", "https"))
    http.protocol = rng.choice(("", "HTTP/1.0", "HTTP/1.1", "HTTP/3"))


def _swap_texts(rng: random.Random, message: CheckRequest) -> None:
    http = message.attributes.request.http
    one, other = rng.sample(("id", "method", "path", "host", "scheme", "query", "fragment", "protocol", "body"), 2)
    first, second = getattr(http, one), getattr(http, other)
    setattr(http, one, second)
    setattr(http, other, first)


def _odd_header(rng: random.Random, message: CheckRequest) -> None:
    http = message.attributes.request.http
    name, value = rng.choice(NAMES), rng.choice(VALUES)
    if rng.random() < 0.5:
        http.header_map.headers.add(key=name, raw_value=value)
    else:
        http.headers[name] = value.decode("latin-1")


def _change_encoding(_rng: random.Random, message: CheckRequest) -> None:
    http = message.attributes.request.http
    for name in sorted(http.headers):
        http.header_map.headers.add(key=name, raw_value=http.headers[name].encode())
    http.headers.clear()


def _flood_headers(rng: random.Random, message: CheckRequest) -> None:
    http = message.attributes.request.http
    for number in range(rng.choice((*(100,) * 20, 1000, 10_000))):
        http.headers[f"x-{number}"] = "a"


def _odd_body(rng: random.Random, message: CheckRequest) -> None:
    http = message.attributes.request.http
    http.raw_body = rng.choice((rng.randbytes(rng.randint(0, 200)), rng.choice(BODIES)))
    http.body = rng.choice(("", "", "{}", "\u00e4" * 50, '{"a":1}'))
    http.size = rng.choice((-1, 0, 5, len(http.raw_body), 2**62))
    if rng.random() < 0.5 and "content-length" in http.headers:
        http.headers["content-length"] = str(len(http.raw_body))


def _odd_peer(rng: random.Random, message: CheckRequest) -> None:
    peer = rng.choice((message.attributes.source, message.attributes.destination))
    peer.address.socket_address.address = rng.choice(ADDRESSES)
    peer.principal = rng.choice(("", "spiffe://a\0b", "spiffe://a,spiffe://b"))
    peer.certificate = "x" * rng.choice((0, 10, 100_000))


def _deep_metadata(rng: random.Random, message: CheckRequest) -> None:
    value = message.attributes.metadata_context.filter_metadata["deep"].fields["a"]
    for _ in range(rng.choice((5, 40, 200))):
        value = value.struct_value.fields["a"]
    value.number_value = float("nan")


def _drop_part(rng: random.Random, message: CheckRequest) -> None:
    part: Message = rng.choice((message.attributes, message.attributes.request, message.attributes.request.http))
    if fields := part.ListFields():
        part.ClearField(rng.choice(fields)[0].name)


BYTES = (_flip, _cut, _copy_slice, _drop_slice, _insert_noise, _add_unknown_field, _repeat_message, _spoil_text)
FIELDS = (
    *(_odd_target, _odd_target, _odd_attributes, _swap_texts, _odd_header, _odd_header, _change_encoding),
    *(_flood_headers, _odd_body, _odd_peer, _deep_metadata, _drop_part),
)
_OF_FIELDS = tuple(map(_on_fields, FIELDS))
MUTATIONS: Sequence[Callable[[random.Random, bytes], bytes]] = (*BYTES, *_OF_FIELDS, *_OF_FIELDS)
"""Fields twice: most damage to bytes ends in the parser, where there is less to find."""
