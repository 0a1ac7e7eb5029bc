"""Which pages of other origins may call: preflights answered, and what the answers to real requests say (Fetch, 3.3).

A preflight is a browser's question, not a request: it carries no credentials and no body, and asks about the method it
names. So the policies that govern that method are asked for their `cors`, identify nobody, and answer themselves;
nothing reaches the upstream. Where several policies speak of CORS, a page may do what all of them permit; policies
that do not speak of it neither help nor hinder. CORS guards users of browsers: what a request may do is decided all
the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from authz.model import STATUS, Decision, Effect, HeaderMutation, Reason

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from authz.model import Request
    from authz.policy import documents

ORIGIN = "origin"
METHOD = "access-control-request-method"
HEADERS = "access-control-request-headers"
ASKED = (ORIGIN, METHOD, HEADERS)
"""The headers that browsers ask with."""

REFUSED = 403
"""The status for a page that may not call; without a word of CORS, which is how browsers are told no."""

_SIMPLE = ("GET", "HEAD", "POST")
_LABELS = r"(?:[a-z0-9_-]+\.)+"
_MOST_HEADERS = 64
_LONGEST_ORIGIN = 300


class Cors(msgspec.Struct, frozen=True, kw_only=True):
    """What one policy says. `origins` matches those that may call, `None` where every one may."""

    origins: re.Pattern[str] | None
    methods: tuple[str, ...]
    headers: tuple[str, ...]
    expose: tuple[str, ...]
    credentials: bool
    max_age: int | None

    def admits(self, origin: str) -> bool:
        """Whether pages of an origin may call; `null`, which any page can be, never is one of those named."""
        if self.origins is None:
            return True
        return len(origin) <= _LONGEST_ORIGIN and self.origins.fullmatch(origin) is not None


def compiled(written: documents.Cors) -> Cors:
    """Return what a policy says of CORS."""
    return Cors(
        origins=None if "*" in written.origins else re.compile("|".join(map(_pattern, written.origins))),
        methods=tuple(map(str, written.methods or _SIMPLE)),
        headers=tuple(map(str, written.headers or ())),
        expose=tuple(map(str, written.expose or ())),
        credentials=written.credentials,
        max_age=written.max_age,
    )


def _pattern(origin: str) -> str:
    return re.escape(origin).replace(r"://\*\.", "://" + _LABELS)


def asked_method(request: Request) -> str | None:
    """Return the method a preflight asks about; `None` for any other request."""
    headers = request.headers
    return headers.get(METHOD) if request.method == "OPTIONS" and ORIGIN in headers else None


def headers(rules: Sequence[Cors], request: Request) -> tuple[HeaderMutation, ...]:
    """Return what the answer to a real request says, whatever is decided; nothing where no policy speaks of CORS."""
    return tuple(_told(rules, request.headers.get(ORIGIN))) if rules else ()


def answer(rules: Sequence[Cors], request: Request, policy: str) -> Decision:
    """Return the answer to a preflight: 204 and what is permitted, or 403 and not a word."""
    decision = Decision(
        effect=Effect.ANSWER, reason=Reason.PREFLIGHT, status=STATUS[Reason.PREFLIGHT], policy=policy, cors=_VARIES
    )
    origin, method = request.headers.get(ORIGIN), request.headers.get(METHOD)
    wanted = request.headers.get(HEADERS, "").lower().split(",")
    methods, permitted = _common([rule.methods for rule in rules]), _common([rule.headers for rule in rules])
    named = {name.strip() for name in wanted} - {""}
    if origin is None or not all(rule.admits(origin) for rule in rules) or method not in methods:
        return msgspec.structs.replace(decision, effect=Effect.DENY, status=REFUSED)
    if len(wanted) > _MOST_HEADERS or not named <= set(permitted):
        return msgspec.structs.replace(decision, effect=Effect.DENY, status=REFUSED)
    told = (*_origin(rules, origin), *_permissions(rules, methods, permitted), *_VARIES)
    return msgspec.structs.replace(decision, cors=told)


def _told(rules: Sequence[Cors], origin: str | None) -> Iterator[HeaderMutation]:
    if any(rule.origins is not None for rule in rules):
        yield HeaderMutation(name="vary", value=ORIGIN, append=True)
    if origin is None or not all(rule.admits(origin) for rule in rules):
        return
    yield from _origin(rules, origin)
    if exposed := _common([rule.expose for rule in rules]):
        yield HeaderMutation(name="access-control-expose-headers", value=", ".join(exposed))


def _origin(rules: Sequence[Cors], origin: str) -> Iterator[HeaderMutation]:
    """Yield who may read the answer: an origin that was named, or everybody without credentials."""
    named = any(rule.origins is not None for rule in rules)
    yield HeaderMutation(name="access-control-allow-origin", value=origin if named else "*")
    if all(rule.credentials for rule in rules):
        yield HeaderMutation(name="access-control-allow-credentials", value="true")


def _permissions(rules: Sequence[Cors], methods: Collection[str], names: Collection[str]) -> Iterator[HeaderMutation]:
    yield HeaderMutation(name="access-control-allow-methods", value=", ".join(methods))
    if names:
        yield HeaderMutation(name="access-control-allow-headers", value=", ".join(names))
    ages = [rule.max_age for rule in rules if rule.max_age is not None]
    if ages:
        yield HeaderMutation(name="access-control-max-age", value=str(min(ages)))


def _common(lists: Sequence[Sequence[str]]) -> list[str]:
    """Return what is in every list, in the order of the first."""
    return [word for word in lists[0] if all(word in other for other in lists[1:])]


_VARIES = (HeaderMutation(name="vary", value=", ".join(ASKED)),)
