"""The headers of a request, read the same from both of Envoy's encodings.

Envoy sends headers either as a map, with repeated values joined by commas and bytes outside UTF-8 replaced, or, with
`encode_raw_headers`, as a list of raw bytes. Both end as lower-case names with values joined by `,`, without pseudo
headers. A policy must not be able to tell the encodings apart, and a caller must not be able to hide in one of them.

Spellings that differ in case are one header, repeated. `x_role` is not `x-role`: no server here confuses them,
those behind may, and that is for policies to say.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from authz.errors import Refusal
from authz.model import Reason
from authz.paths import canonical_host

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz._pb.envoy.service.auth.v3.attribute_context_pb2 import AttributeContext

TOKEN = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
"""The bytes of a header name in lower case (RFC 9110, 5.6.2)."""

_DANGEROUS = ("\0", "\n", "\r")
"""What no header value may hold (RFC 9110, 5.5); other control characters may be kept, and are."""

_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_PARAMETER = _NAME + r' *+= *+(?:"(?:[^"\\]|\\.)*+"|[^\s",]*+) *+'
_ONE_CREDENTIAL = re.compile(f"{_NAME} ++{_PARAMETER}(?:, *+{_PARAMETER})*+")
"""A scheme with named parameters (RFC 9110, 11.4): the one way a comma is part of a credential."""

_LONGEST_LENGTH = 19
"""Digits of 2**63, which no body reaches and no reader has to."""

_SINGLE = ("authorization", "content-length", "host")
_READABLE = (*_SINGLE, "transfer-encoding", "x-envoy-auth-partial-body")
"""What frames a request or says who it is for: where one of these is no text, nothing is known of it."""


def read_headers(http: AttributeContext.HttpRequest) -> tuple[dict[str, str], frozenset[str]]:
    """Return the headers of a request, and the names of those whose bytes are no text.

    Raises `Refusal` where two readers would read them differently: a name that is no token, several or unreadable
    `Host`, `Authorization` or `Content-Length`, unreadable words about how the body is framed, a length that is no
    number or stands beside `Transfer-Encoding`, and pseudo headers that say something else than the attributes.
    """
    given = http.headers
    values = {name: given[name] for name in given}
    invalid: frozenset[str] = frozenset()
    _settle_pseudo_headers(values, http)
    if http.HasField("header_map") or not _is_plain(values):
        values, invalid = _merged(http)
    if "content-length" in values:
        _check_length(values)
    credential = values.get("authorization")
    if credential is not None and "," in credential and not _ONE_CREDENTIAL.fullmatch(credential):
        raise _ambiguous("several Authorization headers")
    return values, invalid


def _ambiguous(detail: str) -> Refusal:
    return Refusal(Reason.AMBIGUOUS_REQUEST, detail)


def _settle_pseudo_headers(values: dict[str, str], http: AttributeContext.HttpRequest) -> None:
    """Take out the pseudo headers; what they say, and a `Host` beside them, must be what the attributes say."""
    method, path, scheme, host = http.method, http.path, http.scheme, http.host
    take = values.pop
    if (
        take(":method", method) != method
        or take(":path", path) != path
        or take(":scheme", scheme) != scheme
        or take(":authority", host) != host
        or ("host" in values and canonical_host(values["host"]) != canonical_host(host))
    ):
        raise _ambiguous("a pseudo header or Host differs from the request's attributes")


def _is_plain(values: dict[str, str]) -> bool:
    """Whether every name is a lower-case token and every value is text, as Envoy sends them."""
    if "" in values or "".join(values).encode().translate(None, TOKEN):
        return False
    text = "".join(values.values())
    return not ("\n" in text or "\r" in text or "\0" in text)


def _merged(http: AttributeContext.HttpRequest) -> tuple[dict[str, str], frozenset[str]]:
    """Return what both encodings hold together, repeated values joined in order."""
    found: dict[str, list[str]] = {}
    invalid = set()
    for name, value in _pairs(http):
        if not is_token(name.removeprefix(":")):
            raise _ambiguous("a header name is no token")
        text = _text(value)
        if text is None:
            invalid.add(name.lower())
        else:
            found.setdefault(name.lower(), []).append(text)
    if any(name.startswith(":") or name in _READABLE for name in invalid):
        raise _ambiguous("a header that frames or routes the request is no text")
    for name in _SINGLE:
        if len(found.get(name, ())) > 1:
            raise _ambiguous(f"several {name} headers")
    values = {name: ",".join(texts) for name, texts in found.items() if name not in invalid}
    _settle_pseudo_headers(values, http)
    return {name: value for name, value in values.items() if name[0] != ":"}, frozenset(invalid)


def _pairs(http: AttributeContext.HttpRequest) -> Iterator[tuple[str, bytes]]:
    for header in http.header_map.headers:
        yield header.key, header.raw_value or header.value.encode()
    for name in sorted(http.headers):
        yield name, http.headers[name].encode()


def is_token(name: str) -> bool:
    """Whether a name can be a header's, in any case."""
    return name != "" and name.isascii() and not name.lower().encode().translate(None, TOKEN)


def _text(value: bytes) -> str | None:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return None
    return None if any(char in text for char in _DANGEROUS) else text


def _check_length(values: dict[str, str]) -> None:
    length = values["content-length"]
    if not (length.isascii() and length.isdigit() and len(length) <= _LONGEST_LENGTH):
        raise _ambiguous("several Content-Length headers, or one that is no number")
    if "transfer-encoding" in values:
        raise _ambiguous("Content-Length beside Transfer-Encoding")
