"""What is odd about one expression: patterns without anchors, paths taken for text, comparisons that never hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from authz.model import BodyState
from authz.policy.documents.values import nearest
from authz.policy.linting.codes import Lint
from authz.policy.linting.looking import text
from authz.policy.linting.matching import REGISTERED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from authz.cel import Part
    from authz.errors import Fault
    from authz.policy.linting.looking import Looked

_WHOLE = re.compile(
    r"(request\.(path|host|url|params|segments|method|scheme)|source\.principal|client\.ip|identity\.\w+)\b"
    r"|request\.headers\[\??[\"'](origin|referer)[\"']\]"
)
"""What is compared as a whole when somebody compares it; in a user agent one looks for a word."""

_FLAGS = re.compile(r"\(\?[a-zA-Z]+\)")
_PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)
"""An escaped character, a class, or one character of a pattern."""

_TEXTS = frozenset({"startsWith", "endsWith", "contains", "matches"})
_COMPARED = frozenset({"==", "!=", "in"})
_OF_CONNECTION = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "proxy-authenticate"}
)
_BODY_STATES = tuple(state.value for state in BodyState)
_NO_HEADERS = {
    "host": "request.host",
    ":authority": "request.host",
    ":path": "request.path",
    ":method": "request.method",
    ":scheme": "request.scheme",
}
_FORWARDED = {
    "x-forwarded-for": "client.ip is the caller behind the proxies that are trusted",
    "x-real-ip": "client.ip is the caller behind the proxies that are trusted",
    "forwarded": "client.ip is the caller behind the proxies that are trusted",
    "x-forwarded-host": "request.host is the host that was asked for",
    "x-forwarded-proto": "request.scheme is what Envoy knows of it",
    "x-original-url": "request.path is the path that Envoy routes by",
    "x-rewrite-url": "request.path is the path that Envoy routes by",
    "x-http-method-override": "request.method is the method that Envoy routes by",
    "x-forwarded-client-cert": "name a provider with peer_certificate, which believes it only from trusted hops",
}


def odd(looked: Looked) -> Iterator[Fault]:
    """Yield the warnings about one expression."""
    for part in looked.whole.walk():
        if part.operator == "matches":
            yield from _unanchored(looked, part)
        if part.operator in _TEXTS:
            yield from _path_as_text(looked, part)
        elif part.operator in _COMPARED:
            yield from _never_equal(looked, part)
    yield from _headers(looked)


def _unanchored(looked: Looked, part: Part) -> Iterator[Fault]:
    subject, pattern = part.parts[0], part.parts[-1]
    written = text(pattern)
    if written is not None and _WHOLE.match(subject.text) and not anchored(written):
        message = f"the pattern is looked for anywhere in {subject.text}"
        yield looked.warned(pattern, Lint.UNANCHORED, message, 'write "^(...)$"')


def anchored(pattern: str) -> bool:
    """Tell whether each alternative of a pattern is held at both ends, or goes on for ever there."""
    flags = _FLAGS.match(pattern)
    return all(_is_held(each) for each in _alternatives(pattern[flags.end() if flags else 0 :]))


def _is_held(pattern: str) -> bool:
    escaped = len(pattern) - len(pattern[:-1].rstrip("\\")) - 1
    ends = pattern.endswith((r"\z", ".*", ".+")) or (pattern.endswith("$") and escaped % 2 == 0)
    return pattern.startswith(("^", r"\A", ".*", ".+")) and ends


def _alternatives(pattern: str) -> Iterator[str]:
    """Yield what stands between the bars that are in no group and no class."""
    depth, alternative = 0, ""
    for piece in _PIECE.findall(pattern):
        depth += (piece == "(") - (piece == ")")
        if piece == "|" and depth == 0:
            yield alternative
            alternative = ""
        else:
            alternative += piece
    yield alternative


def _path_as_text(looked: Looked, part: Part) -> Iterator[Fault]:
    subject, wanted = part.parts[0].text, text(part.parts[-1])
    if subject == "request.url" and wanted and re.search(r"\w", wanted):
        message = "request.url holds scheme, host and query as well"
        yield looked.warned(part, Lint.PATH_AS_TEXT, message, "read request.host, request.path or request.query")
    elif subject == "request.path" and part.operator == "startsWith" and wanted and wanted != "/":
        whole = wanted.rstrip("/")
        holds = f"this does not hold for {whole}" if wanted.endswith("/") else f"this holds for {wanted}x as well"
        yield looked.warned(part, Lint.PATH_AS_TEXT, holds, f'write request.path.glob("{whole}/**")')


def _never_equal(looked: Looked, part: Part) -> Iterator[Fault]:
    for index, other in enumerate(part.parts):
        fitting = _FITTING.get(other.text)
        if fitting is None:
            continue
        against = part.parts[1 - index]
        for literal in (against, *(against.parts if against.operator == "[...]" else ())):
            written = text(literal)
            if written is not None and (fitted := fitting(written)) != written:
                message = f"{other.text} is never {literal.text}"
                yield looked.warned(literal, Lint.NEVER_EQUAL, message, f'write "{fitted}"')


def _host(written: str) -> str:
    return re.sub(r":\d+$", "", written).lower()


def _path(written: str) -> str:
    return "/" + written.partition("?")[0].lstrip("/")


def _body_state(written: str) -> str:
    return written if written in _BODY_STATES else nearest(written, _BODY_STATES) or BodyState.COMPLETE


_FITTING: Mapping[str, Callable[[str], str]] = {
    "request.body_state": _body_state,
    "request.host": _host,
    "request.method": lambda written: written.upper() if written.upper() in REGISTERED else written,
    "request.scheme": str.lower,
    "request.path": _path,
}
"""How a value is written that a name can have."""


def _headers(looked: Looked) -> Iterator[Fault]:
    for attribute in looked.expression.reads:
        if attribute.variable in {"request.headers", "request.headers_all"} and attribute.keys:
            name = str(attribute.keys[0])
            if said := _of_header(name):
                part = next((one for one in looked.whole.walk() if text(one) == name), looked.whole)
                yield looked.warned(part, *said)


def _of_header(name: str) -> tuple[Lint, str, str] | None:
    """Return what is odd about reading a header."""
    if attribute := _NO_HEADERS.get(name.lower()):
        return Lint.NEVER_EQUAL, f"{name} does not get here as a header", f"read {attribute}"
    if name != name.lower():
        return Lint.NEVER_EQUAL, f"no header is called {name}", f'write "{name.lower()}"'
    if hint := _FORWARDED.get(name):
        return Lint.BORROWED_HEADER, f"{name} holds whatever a caller sent", hint
    if name.startswith("x-envoy-"):
        return Lint.BORROWED_HEADER, f"Envoy removes or writes {name} itself", "say it in a header of your own"
    if name in _OF_CONNECTION:
        return (
            Lint.BORROWED_HEADER,
            f"{name} belongs to one connection and does not get here",
            "say it in a header of your own",
        )
    return None
