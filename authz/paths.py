"""One reading of what a request is aimed at: path, query, host, address.

Proxies, frameworks and file systems read a request target differently; every difference between what is decided on
and what is served is a way around a policy. So a target either has one reading, or it is refused:

* The query is split off at the first `?` and stays as it came; `parse_query` reads it.
* In the path, escapes of unreserved characters are decoded once, every other escape is kept in upper case, and
  what RFC 3986 does not allow unescaped is escaped. Nothing is decoded twice.
* Plain dot segments go (RFC 3986, 5.2.4), repeated slashes are one, a trailing slash stays.
* Encoded slashes and `;parameters` have two readings, and only a document can say which one is meant: they are
  named in `ambiguities`, and the path carries the reading a permission stands for. Everything else is refused.

Case matters in paths and not in hosts. `urllib.parse` is no help here: it takes `//admin/x` for a host and drops tabs.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

import msgspec

from authz.errors import Refusal

AMBIGUOUS = "ambiguous_request"
ENCODED_SLASH = "encoded_slash"
PATH_PARAMETERS = "path_parameters"

MAX_PATH = 8 * 1024
MAX_QUERY = 64 * 1024
MAX_PARAMETERS = 1000
MAX_HOST = 255
MAX_ADDRESS = 64

_PLAIN = re.compile(r"(?:/[A-Za-z0-9_~!$&'()*+,=:@-][A-Za-z0-9._~!$&'()*+,=:@-]*+)++/?|/")
_CONTROL = re.compile(r"[\x00-\x20\x7f-\x9f]")
_UNESCAPED = re.compile(r"[^A-Za-z0-9._~!$&'()*+,;=:@/%-]+")
_RESERVED = re.compile(r"[^A-Za-z0-9._~-]+")
_ESCAPE = re.compile(r"%(?:([0-9A-Fa-f]{2}))?")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_HIGH_ESCAPES = re.compile(r"(?:%[89A-F][0-9A-F])+")
_DOT_PIECE = re.compile(r"(?:/|%2F|%5C)(?:\.|%2E){1,2}(?=(/|;|%2F|%5C|%3B|$))")
_PARAMETERS = re.compile(r";[^/]*")
_SLASHES = re.compile(r"/{2,}")
_HOST = re.compile(r"(?:(\[[0-9A-Fa-f:.]+\])|([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)\.?)(?::([0-9]{0,5}))?")

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~")
_CONTROLS = frozenset((*range(0x20), 0x7F))


class CanonicalPath(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A request target, read one way.

    `path` starts with `/`, has no empty, dot or parameter part, and is its own canonical form. `query` is the raw text
    behind the first `?`. `ambiguities` holds words of `model.Ambiguity`: with `encoded_slash` the path keeps `%2F` and
    `%5C` as data; with `path_parameters` the parameters were cut before dot segments were resolved.
    """

    path: str
    query: str = ""
    ambiguities: frozenset[str] = frozenset()


class CanonicalHost(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A host in lower case, IPv6 in brackets and compressed; `port` is `None` where none is written."""

    name: str
    port: int | None = None


def canonical(raw: str) -> CanonicalPath:
    """Return the one reading of a request target in origin form.

    Raises `Refusal` (`ambiguous_request`) for everything else: also for `OPTIONS *` and for CONNECT, whose targets name
    no resource a policy could be about, and for the absolute form, whose host would compete with the Host header.
    """
    if "#" in raw:
        raise _refused("the target holds a fragment")
    path, _, query = raw.partition("?")
    if len(path) > MAX_PATH or len(query) > MAX_QUERY:
        raise _refused("the target is too long")
    if query and _CONTROL.search(query):
        raise _refused("the query holds a control character or a space")
    if _PLAIN.fullmatch(path):
        return CanonicalPath(path=path, query=query)
    escaped = _escaped(path)
    return CanonicalPath(path=_resolved(_PARAMETERS.sub("", escaped)), query=query, ambiguities=_ambiguities(escaped))


def segments(path: str) -> tuple[str, ...]:
    """Return the segments of a canonical path; a trailing slash adds none, and `/` has none."""
    return tuple(path.strip("/").split("/")) if path != "/" else ()


def decoded(segment: str) -> str:
    """Return a segment with its escapes decoded once; those of a canonical path are UTF-8."""
    return _ESCAPES.sub(lambda match: _text(match[0]), segment) if "%" in segment else segment


@lru_cache(maxsize=1024)
def canonical_host(raw: str) -> CanonicalHost:
    """Return the one reading of a `Host` or `:authority` value; raise `Refusal` where it has none.

    Refused: empty, user information, an illegal character, an empty label, a port outside 1..65535. Names are compared
    as they travel, so an internationalised name is its A-label.
    """
    match = _HOST.fullmatch(raw) if len(raw) <= MAX_HOST else None
    if match is None:
        raise _refused("the host is empty or holds an illegal character")
    literal, name, digits = match.groups()
    port = int(digits) if digits else None
    if port is not None and not 1 <= port <= 65535:
        raise _refused("the host's port is out of range")
    return CanonicalHost(name=_bracketed(literal) if literal else name.lower(), port=port)


def canonical_ip(raw: str) -> str:
    """Return an address as canonical text, or `""` if it is none.

    An IPv4-mapped address is the IPv4 address it maps, or `10.0.0.0/8` would not hold `::ffff:10.0.0.1`; a zone id is
    dropped, it means nothing on another machine.
    """
    return _address(raw) if len(raw) <= MAX_ADDRESS else ""


def parse_query(raw: str) -> dict[str, list[str]]:
    """Return every value of every query parameter, in order; `a` and `a=` are both one empty value.

    Names and values are form-decoded (`+` is a space); `;` separates nothing. Raises `Refusal` for an invalid escape,
    for escapes that are no UTF-8, and above `MAX_QUERY` characters or `MAX_PARAMETERS` parameters.
    """
    if len(raw) > MAX_QUERY or raw.count("&") >= MAX_PARAMETERS:
        raise _refused("the query is too long")
    if _BROKEN_ESCAPE.search(raw):
        raise _refused("the query holds an invalid escape")
    parameters: dict[str, list[str]] = {}
    for pair in raw.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            parameters.setdefault(_form_decoded(name), []).append(_form_decoded(value))
    return parameters


def percent_encoded(text: str) -> str:
    """Return text with everything but unreserved characters escaped (RFC 3986, 2.1); `ValueError` for no UTF-8."""
    return _RESERVED.sub(_escapes, text)


def _refused(detail: str) -> Refusal:
    return Refusal(AMBIGUOUS, detail)


def _escaped(path: str) -> str:
    """Return the path with exactly the escapes it needs, or refuse it."""
    if not path.startswith("/"):
        raise _refused("the path is empty, relative or in another form than origin form")
    if "\\" in path or _CONTROL.search(path):
        raise _refused("the path holds a control character, a space or a backslash")
    try:
        path = _UNESCAPED.sub(_escapes, path)
        path = _ESCAPE.sub(_decoded_once, path)
        controls = any("\x80" <= char <= "\x9f" for run in _HIGH_ESCAPES.findall(path) for char in _text(run))
    except UnicodeError:
        raise _refused("the path is no UTF-8") from None
    if controls:
        raise _refused("the path holds an escaped control character")
    for piece in _DOT_PIECE.finditer(path):
        if "%" in piece[0] or "%" in piece[1]:
            raise _refused("the path holds an encoded or mixed dot segment")
    return path.replace("%2E", ".")


def _escapes(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode())


def _decoded_once(escape: re.Match[str]) -> str:
    """Return the escape in upper case, or the unreserved character it stands for; dots wait for their check."""
    if escape[1] is None:
        raise _refused("the path holds an invalid escape")
    byte = int(escape[1], 16)
    if byte in _CONTROLS:
        raise _refused("the path holds an escaped control character")
    return chr(byte) if byte in _UNRESERVED else escape[0].upper()


def _ambiguities(path: str) -> frozenset[str]:
    found = set()
    if "%2F" in path or "%5C" in path:
        found.add(ENCODED_SLASH)
    if ";" in path:
        found.add(PATH_PARAMETERS)
    return frozenset(found)


def _resolved(path: str) -> str:
    """Return the path without dot segments and repeated slashes.

    Some readers merge slashes first, some resolve dots first, and they part at `/a//../b`: refused.
    """
    merged = _without_dots(_SLASHES.sub("/", path))
    if merged != _SLASHES.sub("/", _without_dots(path)):
        raise _refused("a dot segment follows an empty segment")
    return merged


def _without_dots(path: str) -> str:
    kept: list[str] = []
    parts = path.split("/")[1:]
    for part in parts:
        if part == "..":
            del kept[-1:]
        elif part != ".":
            kept.append(part)
    if parts[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)


def _text(escapes: str) -> str:
    return bytes.fromhex(escapes.replace("%", "")).decode()


def _form_decoded(text: str) -> str:
    try:
        return _ESCAPES.sub(lambda match: _text(match[0]), text.replace("+", " "))
    except UnicodeError:
        raise _refused("the query is no UTF-8") from None


def _bracketed(literal: str) -> str:
    try:
        return f"[{ipaddress.IPv6Address(literal[1:-1])}]"
    except ValueError:
        raise _refused("the host is no IPv6 address") from None


@lru_cache(maxsize=4096)
def _address(raw: str) -> str:
    try:
        address = ipaddress.ip_address(raw.partition("%")[0] if ":" in raw else raw)
    except ValueError:
        return ""
    return str(getattr(address, "ipv4_mapped", None) or address)
