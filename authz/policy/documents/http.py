"""What a document may write where HTTP has a grammar: headers, hosts, paths, methods, media types, locations.

A request meets a document in its canonical form (`authz.paths`), so what no canonical request could ever equal is a
fault here: a rule that never fires reads like a rule that does.
"""

from __future__ import annotations

import re

from authz import paths
from authz.errors import Refusal
from authz.policy.codes import Code
from authz.policy.documents.grammar import refuse
from authz.policy.source import Text, quoted

HEADER = r"^[a-z0-9!#$%&'*+.^_`|~-]+$"
METHOD = r"^(?!\*$)[A-Za-z0-9!#$%&'*+.^_`|~-]+$"
MEDIA_TYPE = r"^[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*$"
LOCATION = r"^(https?://|/|\$\{)"
COOKIE = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"
REALM = r"^[ !#-\[\]-~]{1,64}$"
TRUST_DOMAIN = r"^[a-z0-9][a-z0-9._-]*$"
URL_PATH = r"^/[\x21-\x3a\x3c-\x7e]*$"

_HEADER, _METHOD, _MEDIA_TYPE, _LOCATION = map(re.compile, (HEADER, METHOD, MEDIA_TYPE, LOCATION))
_COOKIE, _REALM, _URL_PATH, _TRUST_DOMAIN = map(re.compile, (COOKIE, REALM, URL_PATH, TRUST_DOMAIN))
_UNFIT_FOR_COOKIE = re.compile(r"[^\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]")
_AUTHORITY = re.compile(r"https?://([^/?#$]*)")
_ORIGIN = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<any>\*\.)?(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?P<port>:[1-9][0-9]{0,4})?"
)
_UNFIT_FOR_PATH = re.compile(r"[^!$%&-;=@-Z_a-z~]|%(?![0-9A-Fa-f]{2})")
_ELSEWHERE = re.compile(r"/[/\\]")
_CAPTURE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE")
_CONNECTION = re.compile(
    "^(host|content-length|connection|transfer-encoding|keep-alive|proxy-connection|te|trailer|upgrade)$"
)


def header_name(text: Text) -> Text:
    """Return a header that a rule may write: a lower-case token that does not belong to the connection."""
    if text.startswith(":"):
        refuse(text, Code.HEADER, f"{quoted(text)} is a pseudo header and cannot be changed")
    if not _HEADER.fullmatch(text.lower()):
        refuse(text, Code.HEADER, f"{quoted(text)} is not a header name")
    if text != text.lower():
        refuse(text, Code.HEADER, f"header names are lower case, not {quoted(text)}", f'write "{text.lower()}"')
    if _CONNECTION.fullmatch(text):
        refuse(text, Code.HEADER, f"{quoted(text)} belongs to the connection and cannot be changed")
    return text


def header_value(text: Text) -> Text:
    """Return a header's value: no control characters."""
    if found := _CONTROL.search(text):
        hint = "end the block with |- or >-" if found.end() == len(text) and text.endswith("\n") else ""
        refuse(text, Code.HEADER, "a header's value is one line without control characters", hint)
    return text


def realm(text: Text) -> Text:
    """Return the name of what a password opens, as a challenge can quote it (RFC 9110, section 11.5)."""
    if not _REALM.fullmatch(text):
        refuse(text, Code.HEADER, f"{quoted(text)} is no realm", "at most 64 characters of ASCII, without quotes")
    return text


def location(text: Text) -> Text:
    """Return where a redirect leads: an absolute URL, or a path on the same host."""
    if not _LOCATION.match(text) or _CONTROL.search(text):
        refuse(text, Code.LOCATION, f"{quoted(text)} is no place to redirect to", 'begin with "https://" or "/"')
    if _ELSEWHERE.match(text):
        refuse(text, Code.LOCATION, f"{quoted(text)} is another host to browsers", "begin with one slash, or https://")
    authority = _AUTHORITY.match(text)
    if authority and not text.startswith("${", authority.end()) and not _is_host(authority[1]):
        refuse(text, Code.LOCATION, f"{quoted(text)} names no host", "a host name, with a port if need be, and a path")
    return text


def _is_host(text: str) -> bool:
    try:
        paths.canonical_host(text)
    except Refusal:
        return False
    return True


def origin(text: Text) -> Text:
    """Return an origin as browsers send it (RFC 6454, section 6.2), `*.` before its host, or `*` for every one."""
    found = _ORIGIN.fullmatch(text)
    if text == "*":
        return text
    if found is None or not _is_host(found["host"]) or (found["any"] and "." not in found["host"]):
        hint = "scheme and host, with a port if need be: https://app.example.com"
        refuse(text, Code.ORIGIN, f"{quoted(text)} is no origin that browsers send", hint)
    if found["port"] == {"http": ":80", "https": ":443"}.get(found["scheme"], "none"):
        refuse(text, Code.ORIGIN, f"browsers do not send the port in {quoted(text)}", "leave it out")
    return text


def cookie_name(text: Text) -> Text:
    """Return the name of a cookie: a token (RFC 6265, section 4.1.1)."""
    if not _COOKIE.fullmatch(text):
        refuse(text, Code.COOKIE, f"{quoted(text)} is not the name of a cookie", "letters, digits, '_' and '-'")
    return text


def cookie_value(text: Text) -> Text:
    """Return the value of a cookie; what stands in its holes is CEL, and is looked at when it is filled in."""
    if "${" not in text and (found := _UNFIT_FOR_COOKIE.search(text)):
        hint = "url.encode makes any text fit"
        refuse(text, Code.COOKIE, f"a cookie's value cannot hold {quoted(found[0])}", hint)
    return text


def trust_domain(text: Text) -> Text:
    """Return a trust domain as certificates have it (SPIFFE-ID, section 2.1), or a DNS domain."""
    if not _TRUST_DOMAIN.fullmatch(text):
        hint = "a name in lower case, without spiffe:// and path: cluster.local"
        refuse(text, Code.HOST, f"no certificate is of the trust domain {quoted(text)}", hint)
    return text


def url_path(text: Text) -> str:
    """Return the path of a cookie."""
    if not _URL_PATH.fullmatch(text):
        refuse(text, Code.COOKIE, f"{quoted(text)} is not the path of a cookie", 'begin with "/"; no ";", no space')
    return str(text)


def domain(text: Text) -> str:
    """Return the domain of a cookie: a host name of several labels."""
    if host_pattern(text).startswith("*") or "." not in text or text.startswith("["):
        refuse(text, Code.COOKIE, f"{quoted(text)} is not the domain of a cookie", "a host name: example.com")
    return str(text)


def method(text: Text) -> Text:
    """Return a method; methods are case-sensitive."""
    if not _METHOD.fullmatch(text):
        hint = "leave methods out to mean every method" if text == "*" else ""
        refuse(text, Code.METHOD, f"{quoted(text)} is not a method", hint)
    if text not in _METHODS and text.upper() in _METHODS:
        message = f"methods are case-sensitive, and no client sends {quoted(text)}"
        refuse(text, Code.METHOD, message, f'write "{text.upper()}"')
    return text


def media_type(text: Text) -> Text:
    """Return a media type without parameters."""
    if not _MEDIA_TYPE.fullmatch(text):
        hint = "lower case, without parameters: application/json"
        refuse(text, Code.MEDIA_TYPE, f"{quoted(text)} is not a media type", hint)
    return text


def host_pattern(text: Text) -> Text:
    """Return a host: exact, or `*.` and the rest; as canonical requests have it."""
    wildcard = "*." if text.startswith("*.") else ""
    try:
        host = paths.canonical_host(text.removeprefix("*."))
    except Refusal:
        hint = "leave hosts out to mean every host" if text == "*" else 'a host name, or "*." and a host name'
        hint = hint if text.isascii() else "write it as it travels, in ASCII: xn--..."
        refuse(text, Code.HOST, f"{quoted(text)} is not a host pattern", hint)
    if wildcard + host.name != text:
        form = "without port" if host.port is not None else "in lower case" if text.lower() != text else "in one form"
        message = f"hosts are matched {form}, so nothing matches {quoted(text)}"
        refuse(text, Code.HOST, message, f'write "{wildcard}{host.name}"')
    return text


def path_template(text: Text) -> Text:
    """Return a path by segments: `{name}` and `*` take one, `**` none or more and only at the end."""
    if not text.startswith("/"):
        refuse(text, Code.PATH, f"{quoted(text)} is not a path", 'a path begins with "/"')
    segments = text.removesuffix("/")[1:].split("/") if text != "/" else []
    captures: set[str] = set()
    for number, segment in enumerate(segments, 1):
        capture = _CAPTURE.fullmatch(segment)
        if capture is None:
            _check_segment(text, segment, last=number == len(segments))
        elif capture[1] in captures:
            refuse(text, Code.PATH, f'the path captures "{capture[1]}" twice')
        else:
            captures.add(capture[1])
    return text


def _check_segment(text: Text, segment: str, *, last: bool) -> None:
    if segment == "*" or (segment == "**" and last):
        return
    if segment == "**":
        refuse(
            text, Code.PATH, '"**" takes the rest of the path, and stands only at its end', "write * for one segment"
        )
    if segment in ("", ".", ".."):
        hint = "requests are matched without empty and dot segments"
        refuse(text, Code.PATH, f"no request has the path {quoted(text)}", hint)
    if segment[0] == "{" and segment.find("}") == len(segment) - 1:
        hint = 'letters, digits and "_", no digit first: "{order_id}"'
        refuse(text, Code.PATH, f"{quoted(segment)} captures under no name that expressions can read", hint)
    if re.search(r"[*{}]", segment):
        hint = 'a wildcard is a whole segment: "*" or "{name}"'
        refuse(text, Code.PATH, f"{quoted(segment)} is a wildcard in part of a segment", hint)
    if not _is_canonical(segment):
        refuse(text, Code.PATH, f"no request has the segment {quoted(segment)} in its path", _canonical_hint(segment))


def _canonical_hint(segment: str) -> str:
    """Return how an author can say what the segment seems to mean."""
    if "?" in segment:
        return "a query is no part of the path: read request.query in a rule"
    if ";" in segment:
        return "parameters are no part of the path: leave out what begins with ;"
    escaped = _UNFIT_FOR_PATH.sub(lambda found: paths.percent_encoded(found[0]), segment)
    return f'write "{escaped}"' if escaped != segment and _is_canonical(escaped) else ""


def _is_canonical(segment: str) -> bool:
    """Tell whether a canonical path can hold the segment; an encoded slash is data where a document allows it."""
    try:
        found = paths.canonical("/" + segment)
    except Refusal:
        return False
    return "?" not in segment and paths.PATH_PARAMETERS not in found.ambiguities
