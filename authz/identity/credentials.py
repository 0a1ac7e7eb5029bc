"""Finding a credential: where a provider looks, and what it takes for one.

Exactly one credential counts. Two in two places, or two in one, are refused rather than chosen between: what we
verify must be what the application behind us will read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from authz.errors import AuthzError
from authz.model import Request
from authz.paths import parse_query

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


Look = Callable[[Request], Sequence[str]]
"""Finds every credential in one place."""


def finder(places: Sequence[Place]) -> Callable[[Request], str | None]:
    """Return what finds the one credential in these places, or `None`.

    It raises `InvalidCredential` for two, and for one too long.
    """
    looks = tuple(map(_look, places))
    if len(looks) != 1:
        return lambda request: _only([credential for look in looks for credential in look(request)])
    alone, header = looks[0], places[0].header
    if header is None:
        return lambda request: _only(alone(request))
    # Most requests carry one of many kinds of credential: a provider whose only header is not there is done at once.
    return lambda request: (
        _only(alone(request)) if header in request.headers or request.invalid_headers else None
    )  # fmt: skip


def _only(found: Sequence[str]) -> str | None:
    if not found:
        return None
    if len(found) > 1:
        raise InvalidCredential("more than one credential was presented")
    if len(found[0]) > LONGEST:
        raise InvalidCredential(f"a credential longer than {LONGEST} characters was presented")
    return found[0]


def _look(place: Place) -> Look:
    if place.header is not None:
        return _in_header(place.header, place.scheme)
    if place.cookie is not None:
        return partial(_in_cookies, place.cookie)
    return partial(_in_query, place.query or "")


def _in_header(name: str, scheme: str | None) -> Look:
    """Take what follows the scheme (RFC 9110, section 11.1: case does not matter); another scheme is not ours.

    Only a space may part them, and many an application takes a tab: to it that is a credential, and so it is to us.
    """
    begins, length = f"{scheme} ".lower(), len(scheme or "") + 1

    def look(request: Request) -> Sequence[str]:
        value = request.headers.get(name) if not request.invalid_headers else _header(request, name)
        if value is None:
            return ()
        if scheme is None:
            return (value,)
        if value[:length].lower() != begins:
            named, part = value[: length - 1].lower() == begins[:-1], value[length - 1 : length]
            return ("",) if named and not part.strip() else ()
        credential = value[length:]
        # Looking for spaces is cheaper than cutting at them, and what is cut is long.
        if credential and " " not in credential and "\t" not in credential:
            return (credential,)
        return credential.split() or ("",)

    return look


def _header(request: Request, name: str) -> str | None:
    """Return a header, `None` where it is not there; one that can't be read is refused."""
    if request.invalid_headers and name in request.invalid_headers:
        raise InvalidCredential(f"the header {name} is no UTF-8")
    return request.headers.get(name)


def _in_query(name: str, request: Request) -> Sequence[str]:
    return parse_query(request.query).get(name, ())


def _in_cookies(name: str, request: Request) -> Sequence[str]:
    """Take every value of a cookie (RFC 6265, section 4.2); a name sent twice is two credentials.

    Two cookie headers arrive joined by a comma, which no cookie's value may hold (section 4.1.1). Space before the `=`
    belongs to no name: most servers drop it, and would take the first of `session =a; session=b`.
    """
    header = _header(request, "cookie")
    if header is None:
        return ()
    pairs = (pair.partition("=") for pair in header.replace(",", ";").split(";"))
    return [_bare(value) for key, equals, value in pairs if equals and key.strip() == name]


def _bare(value: str) -> str:
    return value.strip().removeprefix('"').removesuffix('"')
