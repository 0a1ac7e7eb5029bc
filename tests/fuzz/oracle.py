"""A second opinion: a small policy in our language, and the same in plain Python over its own reading of the bytes.

`may_allow` is written by the letter of POLICY.md, sections 3 to 5, one step after the other, slow and without a line of
`authz`. Where it is not sure it says no: it bounds what may be allowed, it does not say what must be.
"""

from __future__ import annotations

import ipaddress
import json
import re
from typing import Any

from decoder import UndecodableError, decode

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckRequest

LARGEST = 64 * 1024
"""Bytes of the largest CheckRequest that the service under test is told to read."""

POLICIES = """\
apiVersion: authz/v1
kind: Guardrail
metadata: {name: everywhere}
spec:
  rules:
    - {name: admin, deny: 'request.path == "/admin" || request.path.startsWith("/admin/")'}
    - {name: role, deny: 'request.headers_all[?"x-role"].orValue([]).exists(role, role == "admin")'}
    - {name: host, deny: 'request.host == "internal.example.com"'}
    - {name: debug, deny: '"debug" in request.query'}
    - {name: network, deny: 'source.ip.inCidr("203.0.113.0/24")'}
---
apiVersion: authz/v1
kind: Policy
metadata: {name: site}
spec:
  match: [{paths: ["/**"]}]
  rules:
    - {name: methods, allow: 'request.method in ["GET", "HEAD", "POST"]'}
---
apiVersion: authz/v1
kind: Policy
metadata: {name: orders}
spec:
  match: [{paths: ["/v1/orders", "/v1/orders/{id}"]}]
  rules:
    - {name: readers, allow: request.method == "GET"}
    - {name: writers, allow: request.method == "POST" && request.json.a == 1}
---
apiVersion: authz/v1
kind: Policy
metadata: {name: graph}
spec:
  match: [{paths: [/graph]}]
  rules:
    - {name: orders, allow: 'request.graphql.operation_type == "query" && request.graphql.fields == ["orders"]'}
---
apiVersion: authz/v1
kind: Policy
metadata: {name: tools}
spec:
  match: [{paths: [/tools]}]
  rules:
    - {name: small, allow: 'request.mcp.tool == "pay" && request.mcp.arguments.amount <= 100'}
---
apiVersion: authz/v1
kind: Policy
metadata: {name: pages}
spec:
  match: [{paths: ["/pages/{name}"]}]
  cors: {origins: ["https://shop.example.com"], credentials: true}
  validate:
    - name: few
      query: {properties: {page: {type: integer, maximum: 9}}, required: [page], additionalProperties: false}
    - name: named
      params: {properties: {name: {maxLength: 5}}}
      headers: {properties: {x-level: {type: integer, maximum: 3}}}
  rules:
    - name: gone
      deny: request.params.name == "gone"
      body: {html: "<p title='${request.url}'>${request.path}</p>", json: {path: "${request.path}"}, text: gone}
    - {name: back, redirect: '${request.headers["x-back"]}', when: '"x-back" in request.headers'}
    - {name: others, allow: '!request.is_upgrade', cookies: {remove: [session]}, request_headers: {set: {x-at: "a"}}}
---
apiVersion: authz/v1
kind: Policy
metadata: {name: forms}
spec:
  match: [{paths: [/forms]}]
  validate:
    - name: form
      content_type: application/x-www-form-urlencoded
      max_bytes: 64
      schema: {properties: {a: {const: 1}}, required: [a], additionalProperties: false}
  rules:
    - {name: writers, allow: 'request.method == "POST"'}
"""

UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"


class DoubtError(Exception):
    """The request has no single reading here, so nobody may allow it."""


def may_allow(message: bytes) -> bool:
    """Say whether the policies can allow this serialized CheckRequest."""
    try:
        if len(message) > LARGEST:
            raise DoubtError("too large")
        attributes = decode(message, CheckRequest.DESCRIPTOR).get("attributes", {})
        http = attributes["request"]["http"]
        path, query = canonical_target(http.get("path", ""))
        headers = header_values(http)
        agree_with_pseudo_headers(http, headers)
        one_of_each(headers)
        if guarded(path, query, canonical_host(http.get("host", "")), headers, attributes.get("source", {})):
            return False
        method = http.get("method", "")
        if method not in {"GET", "HEAD", "POST"}:
            return False
        return is_asked_for(path, query, http, headers)
    except (UndecodableError, DoubtError, KeyError, UnicodeDecodeError):
        return False


def is_asked_for(path: str, query: str, http: dict[str, Any], headers: dict[str, list[bytes]]) -> bool:
    """Say whether the policy of a path, if it has one, can allow what is asked of it."""
    method = http.get("method", "")
    if is_order(path):
        return method == "GET" or (method == "POST" and ordered(http, headers))
    if (asked := CALLS.get(path.removesuffix("/"))) is not None:
        return asked(http, headers, query)
    if path.startswith("/pages/") and path.strip("/").count("/") == 1:
        return is_page(path.strip("/").partition("/")[2], query, headers)
    return True


def guarded(path: str, query: str, host: str, headers: dict[str, list[bytes]], source: dict[str, Any]) -> bool:
    """Say whether the guardrail denies."""
    if path == "/admin" or path.startswith("/admin/") or host == "internal.example.com":
        return True
    if any(role == "admin" for value in headers.get("x-role", []) for role in listed(value)):
        return True
    return "debug" in query_names(query) or in_risky_network(source)


def is_order(path: str) -> bool:
    """Say whether `orders` governs the path; a trailing slash does not matter."""
    segments = path.strip("/").split("/")
    return segments[:2] == ["v1", "orders"] and len(segments) <= 3


def canonical_target(target: str) -> tuple[str, str]:
    """Return path and query of a request target (section 5)."""
    if not target.startswith("/") or "#" in target:
        raise DoubtError("no origin form")
    path, _, query = target.partition("?")
    if len(path) > 8192 or len(query) > 65536:
        raise DoubtError("too long")
    for character in path + query:
        if ord(character) <= 0x20 or 0x7F <= ord(character) <= 0x9F:
            raise DoubtError("a control character or a space")
    if "\\" in path or ";" in path:
        raise DoubtError("a backslash or parameters")
    return without_dots(decoded_once(path)), query


def decoded_once(path: str) -> str:
    """Decode the escapes of unreserved characters once; everything else that is escaped stays, in upper case."""
    octets = b""
    result = ""
    rest = path.encode()
    while rest:
        octet, rest = rest[:1], rest[1:]
        escaped = octet == b"%"
        if escaped:
            if not re.fullmatch(rb"[0-9A-Fa-f]{2}", rest[:2]):
                raise DoubtError("an invalid escape")
            octet, rest = bytes.fromhex(rest[:2].decode()), rest[2:]
            if octet in b"/\\" or octet < b" " or octet == b"\x7f":
                raise DoubtError("an encoded slash, backslash or control character")
            if octet == b".":
                result += "\0"  # an encoded dot, until it is known where it stands
                octets += octet
                continue
        octets += octet
        plain = octet in UNRESERVED or (not escaped and octet < b"\x80" and octet not in b'"<>^`{|}')
        result += octet.decode() if plain else f"%{octet[0]:02X}"
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        raise DoubtError("no UTF-8") from None
    if any(0x80 <= ord(character) <= 0x9F for character in text):
        raise DoubtError("a control character")
    for segment in result.split("/"):
        if "\0" in segment and segment.replace("\0", ".") in {".", ".."}:
            raise DoubtError("an encoded or mixed dot segment")
    return result.replace("\0", ".")


def without_dots(path: str) -> str:
    """Remove dot segments (RFC 3986, 5.2.4) and make repeated slashes one."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            if kept:
                kept.pop()
        elif segment not in {".", ""}:
            kept.append(segment)
    slash = "/" if kept and segments[-1] in {"", ".", ".."} else ""
    return "/" + "/".join(kept) + slash


def canonical_host(host: str) -> str:
    """Return a host name in lower case, without port and final dot."""
    name = re.fullmatch(r"([A-Za-z0-9_.-]+?)\.?(?::[0-9]*)?|\[[0-9A-Fa-f:.]+\](?::[0-9]*)?", host)
    if name is None:
        raise DoubtError("no host")
    return (name[1] or "").lower()


def header_values(http: dict[str, Any]) -> dict[str, list[bytes]]:
    """Return every value of every header, from both encodings, by lower-case name."""
    values: dict[str, list[bytes]] = {}
    for header in http.get("header_map", {}).get("headers", []):
        values.setdefault(header.get("key", "").lower(), []).append(
            header.get("raw_value") or header.get("value", "").encode()
        )
    for name, value in http.get("headers", {}).items():
        values.setdefault(name.lower(), []).append(value.encode())
    if not all(re.fullmatch(r":?[!#$%&'*+.^_`|~0-9a-z-]+", name) for name in values):
        raise DoubtError("a header name that is none")
    return values


def agree_with_pseudo_headers(http: dict[str, Any], headers: dict[str, list[bytes]]) -> None:
    """Doubt what Envoy says twice and not alike."""
    for name, field in ((":method", "method"), (":path", "path"), (":scheme", "scheme"), (":authority", "host")):
        if any(value != http.get(field, "").encode() for value in headers.get(name, [])):
            raise DoubtError("a pseudo header that differs")
    if any(canonical_host(text_of(value)) != canonical_host(http.get("host", "")) for value in headers.get("host", [])):
        raise DoubtError("another host")


def one_of_each(headers: dict[str, list[bytes]]) -> None:
    """Doubt several Host, Authorization or Content-Length, and a length that is no number."""
    for name in ("host", "authorization", "content-length"):
        values = headers.get(name, [])
        if len(values) > 1 or any(b"," in value and b"=" not in value for value in values):
            raise DoubtError("several of a header there is one of")
    if not all(re.fullmatch(rb"[0-9]{1,19}", value) for value in headers.get("content-length", [])):
        raise DoubtError("a length that is none")


def text_of(value: bytes) -> str:
    """Return a header's value as text; one that is none can't be read."""
    if re.search(rb"[\0\r\n]", value):
        raise DoubtError("a value that would break its line")
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise DoubtError("a value that is no UTF-8") from None


def listed(value: bytes) -> list[str]:
    """Return the members of a header that is a list."""
    return [member.strip(" \t") for member in text_of(value).split(",")]


def query_names(query: str) -> set[str]:
    """Return the names of the query's parameters, decoded."""
    return set(query_values(query))


def query_values(query: str) -> dict[str, list[str]]:
    """Return the query's parameters, decoded."""
    if re.search(r"%(?![0-9A-Fa-f]{2})", query):
        raise DoubtError("an invalid escape")
    values: dict[str, list[str]] = {}
    for pair in filter(None, query.split("&")):
        name, value = (
            re.sub(rb"%(..)", lambda escape: bytes.fromhex(escape[1].decode()), part.replace("+", " ").encode())
            for part in (pair.partition("=")[0], pair.partition("=")[2])
        )
        values.setdefault(text_of_query(name), []).append(text_of_query(value))
    return values


def text_of_query(octets: bytes) -> str:
    """Return a decoded name or value as text."""
    try:
        return octets.decode()
    except UnicodeDecodeError:
        raise DoubtError("a query that is no UTF-8") from None


def in_risky_network(source: dict[str, Any]) -> bool:
    """Say whether the peer is in the network that is shut out; one without an address can't be told."""
    text = source.get("address", {}).get("socket_address", {}).get("address", "")
    try:
        address = ipaddress.ip_address(text.partition("%")[0] if ":" in text else text)
    except ValueError:
        raise DoubtError("a peer without an address") from None
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address) in ipaddress.ip_network("203.0.113.0/24")


def ordered(http: dict[str, Any], headers: dict[str, list[bytes]]) -> bool:
    """Say whether the body is whole, is said to be JSON and is, with one reading, and its `a` is 1."""
    value = whole_json(http, headers)
    return isinstance(value, dict) and not isinstance(value.get("a"), bool) and value.get("a") == 1


def whole_json(http: dict[str, Any], headers: dict[str, list[bytes]]) -> object:
    """Return the value of a body that is said to be JSON and is; doubt any other."""
    try:
        body = whole(http, headers, b"application/json").decode()
        return json.loads(body, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise DoubtError("no JSON") from None


def whole(http: dict[str, Any], headers: dict[str, list[bytes]], media_type: bytes) -> bytes:
    """Return a body that is whole and of a type; doubt any other."""
    if [value.split(b";")[0].strip().lower() for value in headers.get("content-type", [])] != [media_type]:
        raise DoubtError("another type")
    raw, text = http.get("raw_body", b""), http.get("body", "").encode()
    body = raw or text
    if raw and text and raw != text:
        raise DoubtError("two bodies")
    partial = headers.get("x-envoy-auth-partial-body", [])
    if any(value != b"false" for value in partial) or http.get("size", 0) > len(body):
        raise DoubtError("a part of a body")
    lengths = [int(value) for value in headers.get("content-length", [])]
    if lengths != [len(body)] and (lengths or not partial):
        raise DoubtError("a body of another length")
    return body


def is_graph(http: dict[str, Any], headers: dict[str, list[bytes]], query: str) -> bool:
    """Say whether a GraphQL request can be a query of orders and nothing else."""
    if http.get("raw_body") or http.get("body"):
        value = whole_json(http, headers)
        if not isinstance(value, dict) or value.keys() & {"documentId", "doc_id", "id", "extensions"}:
            return False
        document = value.get("query")
    else:
        values = query_values(query).get("query", [])
        document = values[0] if len(values) == 1 else None
    words = re.findall(r"\w+|\S", re.sub(r"#[^\n\r]*", "", document)) if isinstance(document, str) else []
    return "orders" in words and not {"mutation", "subscription"} & set(words[:1])


def is_small(http: dict[str, Any], headers: dict[str, list[bytes]], _query: str) -> bool:
    """Say whether an MCP request is a call of `pay` for no more than 100."""
    value = whole_json(http, headers)
    call = value.get("params") if isinstance(value, dict) and value.get("method") == "tools/call" else None
    arguments = call.get("arguments") if isinstance(call, dict) and call.get("name") == "pay" else None
    amount = arguments.get("amount") if isinstance(arguments, dict) else None
    return isinstance(amount, int | float) and not isinstance(amount, bool) and amount <= 100


def is_form(http: dict[str, Any], headers: dict[str, list[bytes]], _query: str) -> bool:
    """Say whether a form says that `a` is 1 and nothing else, or nothing at all is sent by a method that may not."""
    body = whole(http, headers, b"application/x-www-form-urlencoded")
    return http.get("method") == "POST" and len(body) <= 64 and query_values(body.decode("ascii")) == {"a": ["1"]}


def is_page(name: str, query: str, headers: dict[str, list[bytes]]) -> bool:
    """Say whether a page of a short name may be asked for, one of the first nine, and no upgrade."""
    values = query_values(query)
    page = values.get("page", [])
    if values.keys() != {"page"} or len(page) != 1 or not re.fullmatch(r"-?[0-9]{1,18}", page[0]) or int(page[0]) > 9:
        return False
    level = [text_of(value) for value in headers.get("x-level", [])]
    if level and (len(level) > 1 or not re.fullmatch(r"-?[0-9]{1,18}", level[0]) or int(level[0]) > 3):
        return False
    return name != "gone" and not {"upgrade", "x-back"} & headers.keys()


CALLS = {"/graph": is_graph, "/tools": is_small, "/forms": is_form}
"""What is asked of the one path it stands for."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("a name that comes twice")
    return dict(pairs)


def _no_constant(_name: str) -> None:
    raise ValueError("no number of JSON")
