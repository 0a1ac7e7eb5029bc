"""Finding a credential: where a provider looks, and what it takes for one.

Exactly one credential counts. Two in two places, or two in one, are refused rather than chosen between: what we
verify must be what the application behind us will read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from authz.errors import AuthzError
from authz.paths import parse_query

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from authz.model import Request

LONGEST = 16 * 1024
"""Characters of a credential; a longer one is refused before anything looks into it."""


class InvalidCredential(AuthzError):
    """A credential that was presented and proves nothing; the message is the operator's and never repeats it."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One place to look: a header (with the scheme before the credential, if any), a cookie, or a query parameter."""

    header: str | None = None
    scheme: str | None = None
    cookie: str | None = None
    query: str | None = None


def find(request: Request, places: Sequence[Place]) -> str | None:
    """Return the one credential in these places, or `None`; raises `InvalidCredential` for two, or for one too long."""
    found = [credential for place in places for credential in _look(request, place)]
    if not found:
        return None
    if len(found) > 1:
        raise InvalidCredential("more than one credential was presented")
    if len(found[0]) > LONGEST:
        raise InvalidCredential(f"a credential longer than {LONGEST} characters was presented")
    return found[0]


def _look(request: Request, place: Place) -> Iterator[str]:
    if place.header is not None:
        value = _header(request, place.header)
        if value is not None:
            yield from _in_header(value, place.scheme)
    elif place.cookie is not None:
        yield from _in_cookies(_header(request, "cookie") or "", place.cookie)
    elif place.query is not None:
        yield from parse_query(request.query).get(place.query, ())


def _header(request: Request, name: str) -> str | None:
    if name in request.invalid_headers:
        raise InvalidCredential(f"the header {name} is no UTF-8")
    return request.headers.get(name)


def _in_header(value: str, scheme: str | None) -> Iterator[str]:
    """Yield what follows the scheme (RFC 9110, section 11.1: case does not matter); another scheme is not ours."""
    if scheme is None:
        yield value
        return
    first, _, rest = value.partition(" ")
    if first.lower() == scheme.lower():
        yield from rest.split() or [""]


def _in_cookies(header: str, name: str) -> Iterator[str]:
    """Yield every value of a cookie (RFC 6265, section 4.2); a name sent twice is two credentials.

    Two cookie headers arrive joined by a comma, which no cookie's value may hold (section 4.1.1).
    """
    for pair in header.replace(",", ";").split(";"):
        key, equals, value = pair.strip().partition("=")
        if equals and key == name:
            yield value.removeprefix('"').removesuffix('"')
