"""The small grammars inside scalars: names, headers, hosts, paths, rates, networks.

Every function takes the scalar that was written and returns the value it stands for, or raises `Unfit` with a fault
that says what would fit. What a decision would have to guess at (a port in a host, half a segment of wildcard) is
refused here, when it can still be pointed at.
"""

from __future__ import annotations

import ipaddress
import re
from difflib import get_close_matches
from typing import NoReturn

from authz.errors import Fault
from authz.policy.codes import Code
from authz.policy.source import Scalar, Text

NAME = r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$"
IDENTIFIER = r"^[A-Za-z_][A-Za-z0-9_]{0,62}$"
HEADER_NAME = r"^[a-z0-9!#$%&'*+.^_`|~-]+$"
DURATION = r"^(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?$"

_NAME = re.compile(NAME)
_IDENTIFIER = re.compile(IDENTIFIER)
_HEADER_NAME = re.compile(HEADER_NAME)
_DURATION = re.compile(DURATION)


class Unfit(ValueError):
    """A value that does not fit its place."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(*(fault.message for fault in faults))
        self.faults = faults


def refuse(scalar: Scalar, code: Code, message: str, hint: str = "") -> NoReturn:
    """Raise `Unfit` with one fault under the whole scalar."""
    raise Unfit(scalar.fault(code, message, hint=hint))


_RESERVED = re.compile(
    "^(as|break|const|continue|else|false|for|function|if|import|in|let|loop|namespace|null|package|return|true|var|"
    "void|while)$"
)
_METHOD = re.compile(r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE")
_MEDIA_TYPE = re.compile(r"^[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*$")
_LABEL = re.compile(r"^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$")
_SEGMENT = re.compile(r"^(?:[A-Za-z0-9._~!$&'()*+,=:@-]|%[0-9A-F]{2})+$")
_UNRESERVED = re.compile(r"%(2[DE]|3\d|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])", re.IGNORECASE)
_CAPTURE = re.compile(r"^\{([A-Za-z_][A-Za-z0-9_]*)\}$")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_RATE = re.compile(r"^(\d+)/(second|minute|hour|day)$")
_PERIODS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}
_UNITS = (86400.0, 3600.0, 60.0, 1.0, 0.001)
_INTEGER = re.compile(r"^[-+]?\d+$")
_OWN_HEADERS = frozenset(
    (
        "host",
        "content-length",
        "connection",
        "transfer-encoding",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "upgrade",
    )
)


def name(text: Text) -> Text:
    """Return a name: letters, digits, `.`, `_` and `-`, at most 63, a letter or digit at both ends."""
    if not _NAME.match(text):
        hint = "letters, digits, '.', '_' and '-', at most 63, a letter or digit at both ends"
        refuse(text, Code.NAME, f"{quoted(text)} is not a name", hint)
    return text


def identifier(text: Text) -> Text:
    """Return a name that CEL can read behind a dot."""
    if not _IDENTIFIER.match(text):
        hint = f'write "{_snake(text)}"' if _IDENTIFIER.match(_snake(text)) else "letters, digits and '_'"
        refuse(text, Code.NAME, f"{quoted(text)} is not a name that expressions can read", hint)
    if _RESERVED.match(text):
        refuse(text, Code.NAME, f"{quoted(text)} is a word of CEL and cannot be a name")
    return text


def _snake(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", text)


def cel(scalar: Scalar) -> Scalar:
    """Return an expression, which may be as short as `true` or `1` but not empty."""
    if not scalar.strip():
        refuse(scalar, Code.TYPE, "an expression is empty")
    return scalar


def one_line(text: Text) -> Text:
    """Return a header's value: no control characters."""
    if found := _CONTROL.search(text):
        hint = "end the block with |- or >-" if found.end() == len(text) and text.endswith("\n") else ""
        refuse(text, Code.HEADER, "a header's value is one line without control characters", hint)
    return text


def location(text: Text) -> Text:
    """Return where a redirect leads: an absolute URL, or a path on the same host."""
    if not re.match(r"https?://|/|\$\{", one_line(text)):
        refuse(text, Code.LOCATION, f"{quoted(text)} is no place to redirect to", 'begin with "https://" or "/"')
    return text


def header_name(text: Text) -> Text:
    """Return a header that a rule may write: a lower-case token that is not Envoy's own business."""
    if not _HEADER_NAME.match(text.lower()):
        what = "pseudo headers cannot be changed" if text.startswith(":") else f"{quoted(text)} is not a header name"
        refuse(text, Code.HEADER, what)
    if text != text.lower():
        refuse(text, Code.HEADER, f"header names are lower case, not {quoted(text)}", f'write "{text.lower()}"')
    if text in _OWN_HEADERS:
        refuse(text, Code.HEADER, f"{quoted(text)} belongs to the connection and cannot be changed")
    return text


def host_pattern(text: Text) -> Text:
    """Return a host: exact, or `*.` and the rest; lower case, no port."""
    if text == "*":
        refuse(text, Code.HOST, "a host pattern needs a name", "leave hosts out to mean every host")
    bare = text.removeprefix("*.")
    lower = bare.lower().removesuffix(".")
    if re.fullmatch(r"(.*[^:]):\d+", bare):
        refuse(text, Code.HOST, f"{quoted(text)} has a port", f'write "{text.rpartition(":")[0]}"')
    if not _is_host(lower):
        refuse(text, Code.HOST, f"{quoted(text)} is not a host pattern", 'a host name, or "*." and a host name')
    if lower != bare:
        refuse(
            text, Code.HOST, f"hosts are lower case, not {quoted(text)}", f'write "{text.lower().removesuffix(".")}"'
        )
    return text


def _is_host(text: str) -> bool:
    if text.startswith("["):
        try:
            return text.endswith("]") and str(ipaddress.IPv6Address(text[1:-1])) == text[1:-1]
        except ValueError:
            return False
    return len(text) <= 253 and all(_LABEL.match(label) for label in text.split("."))


def path_template(text: Text) -> Text:
    """Return a path by segments: `{name}` and `*` take one, `**` none or more and only at the end."""
    if not text.startswith("/"):
        refuse(text, Code.PATH, f"{quoted(text)} is not a path", 'a path begins with "/"')
    segments = text[1:].split("/")
    if segments[-1] == "":
        segments.pop()
    captures: set[str] = set()
    for number, segment in enumerate(segments, 1):
        _check_segment(text, segment, last=number == len(segments), captures=captures)
    return text


def _check_segment(text: Text, segment: str, *, last: bool, captures: set[str]) -> None:
    if segment == "*" or (segment == "**" and last):
        return
    if segment == "**":
        refuse(text, Code.PATH, 'in a path "**" stands only at the end')
    if capture := _CAPTURE.match(segment):
        if capture[1] in captures:
            refuse(text, Code.PATH, f'a path captures "{capture[1]}" twice')
        captures.add(capture[1])
    elif segment in ("", ".", ".."):
        refuse(
            text,
            Code.PATH,
            f"no request has the path {quoted(text)}",
            "empty and dot segments are removed before matching",
        )
    elif "*" in segment or "{" in segment or "}" in segment:
        refuse(
            text,
            Code.PATH,
            f"{quoted(segment)} is a wildcard in part of a segment",
            'a wildcard is a whole segment: "*" or "{name}"',
        )
    elif _UNRESERVED.search(segment) or not _SEGMENT.match(segment):
        refuse(text, Code.PATH, f"no canonical path has the segment {quoted(segment)}")


def method(text: Text) -> Text:
    """Return a method; methods are case-sensitive."""
    if not _METHOD.match(text):
        refuse(text, Code.METHOD, f"{quoted(text)} is not a method")
    if text not in _METHODS and text.upper() in _METHODS:
        refuse(
            text,
            Code.METHOD,
            f"methods are case-sensitive, and no client sends {quoted(text)}",
            f'write "{text.upper()}"',
        )
    return text


def media_type(text: Text) -> Text:
    """Return a media type without parameters."""
    if not _MEDIA_TYPE.match(text):
        refuse(
            text,
            Code.MEDIA_TYPE,
            f"{quoted(text)} is not a media type",
            "lower case, without parameters: application/json",
        )
    return text


def file_name(text: Text) -> Text:
    """Return the name of a file beside the document: relative, and not above its folder."""
    parts = text.split("/")
    if not text or "\\" in text or _CONTROL.search(text) or any(part in ("", ".", "..") for part in parts):
        refuse(text, Code.FILE, f"{quoted(text)} is not a file beside this one", "a relative path without '..'")
    return text


def network(text: Text) -> Text:
    """Return a network or an address."""
    try:
        found = ipaddress.ip_network(text, strict=False)
    except ValueError:
        refuse(text, Code.NETWORK, f"{quoted(text)} is neither a network nor an address")
    address = ipaddress.ip_address(text.partition("/")[0])
    if address != found.network_address:
        refuse(text, Code.NETWORK, f"{quoted(text)} has bits behind its prefix", f'write "{found}"')
    if found.version == 6 and found.network_address.ipv4_mapped is not None:
        refuse(text, Code.NETWORK, f"{quoted(text)} is an IPv4 network written as IPv6", "write it as IPv4")
    return text


def flag(scalar: Scalar) -> bool:
    """Return `true` or `false`."""
    return scalar == "true"


def whole(scalar: Scalar, low: int, high: int) -> int:
    """Return a whole number from `low` to `high`."""
    if not _INTEGER.match(scalar):
        refuse(scalar, Code.TYPE, f"expected a whole number, not {scalar}")
    value = int(scalar) if len(scalar) < 20 else high + 1
    if not low <= value <= high:
        refuse(scalar, Code.RANGE, f"{scalar} is out of range", f"from {low} to {high}")
    return value


def duration(text: Text) -> float:
    """Return seconds: `90s`, `5m`, `1h30m`, `250ms`."""
    found = _DURATION.match(text)
    if not found or not text:
        refuse(text, Code.DURATION, f"{quoted(text)} is not a duration", "a number and a unit: 90s, 5m, 24h, 7d, 250ms")
    parts = zip(found.groups(), _UNITS, strict=True)
    return sum(int(part.rstrip("dhms")) * unit for part, unit in parts if part)


def rate(scalar: Scalar, most: int) -> tuple[int, float]:
    """Return requests and seconds of `3/minute`."""
    found = _RATE.match(scalar)
    if not found:
        hint = "N/second, N/minute, N/hour, N/day, or {requests: N, per: 90s}"
        refuse(scalar, Code.RATE, f"{quoted(scalar)} is not a rate", hint)
    if len(found[1]) > 12 or int(found[1]) > most:
        refuse(scalar, Code.RANGE, f"{found[1]} requests are out of range", f"at most {most}")
    return int(found[1]), _PERIODS[found[2]]


def quoted(text: str) -> str:
    """Return a text as a message shows it: in quotes, escaped, cut at 60 characters."""
    shown = text if len(text) <= 60 else text[:57] + "..."
    return '"' + shown.encode("unicode_escape").decode("ascii").replace('"', '\\"') + '"'


def nearest(word: str, known: list[str]) -> str:
    """Return the known word that was probably meant, or nothing."""
    found = get_close_matches(word, known, n=1, cutoff=0.6)
    return found[0] if found else ""
