"""One request, held against the operation it calls: its parameters, its credentials, its body.

What the operation does not speak of is told apart from what it forbids: whether the former is refused is for whoever
asks to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from authz.content.openapi import security
from authz.content.openapi.bodies import Body, Content, undescribed
from authz.content.openapi.parameters import Parameter, Texts
from authz.content.pointers import pointer
from authz.errors import Refusal
from authz.model import STATUS, Objection, Reason, Unmet
from authz.paths import parse_query

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authz.content.openapi.security import Alternative, Scheme
    from authz.model import Identity, Request


class Prepared(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """An operation, compiled."""

    parameters: tuple[Parameter, ...]
    body: Body | None
    security: tuple[Alternative, ...]
    takes_any_query: bool


class Call:
    """One request to one operation; `params` are the parameters of its path."""

    __slots__ = ("_error", "_operation", "_params", "_places", "_request")

    def __init__(self, request: Request, operation: Prepared, params: Mapping[str, str]) -> None:
        self._request = request
        self._operation = operation
        self._params = params
        self._error = ""
        self._places: dict[str, Texts] = {}

    @property
    def undescribed(self) -> tuple[Unmet, ...]:
        """Return the query parameters that the operation does not speak of; a map of any names speaks of all.

        A query that cannot be read speaks of none: `objection` refuses it.
        """
        if not self._request.query or self._operation.takes_any_query:
            return ()
        return tuple(
            Unmet(part="query", pointer=pointer([name]), keyword="additionalProperties") for name in self._rest("query")
        )

    def objection(self, content: Content) -> Objection | None:
        """Return why the request is not what the operation wants."""
        self._texts("query")
        if self._error:
            return _invalid(self._error)
        unmet = tuple(each for parameter in self._operation.parameters for each in self._unmet(parameter))
        if unmet:
            return _invalid(unmet[0].told, unmet)
        body = self._operation.body
        return undescribed(self._request) if body is None else body.objection(self._request, content)

    def refusal(self, identity: Identity, provers: Mapping[str, str]) -> Objection | None:
        """Return why the caller may not make the request; `provers` are providers by the schemes they prove."""
        return security.refused(self._operation.security, identity, provers)

    def _unmet(self, parameter: Parameter) -> tuple[Unmet, ...]:
        place, name = parameter.written.place, parameter.written.name
        header = {"header": name, "cookie": "cookie"}.get(place)
        if header in self._request.invalid_headers:  # it is there, and what it says cannot be read
            return (Unmet(part="headers", pointer=pointer([header]), keyword="encoding"),)
        return parameter.unmet(self._texts(place), self._rest(place) if parameter.is_map else {})

    def _texts(self, place: str) -> Texts:
        """Return what stands in a place, read once; a query that cannot be read holds nothing, and is an error."""
        if place not in self._places:
            try:
                self._places[place] = _READERS[place](self._request, self._params)
            except Refusal as refusal:
                self._error = refusal.detail
                self._places[place] = {}
        return self._places[place]

    def _rest(self, place: str) -> Texts:
        """Return the texts of a place that nothing described claims; one map of any names claims them all."""
        here = [parameter for parameter in self._operation.parameters if parameter.written.place == place]
        keys = {scheme.key for each in self._operation.security for scheme in _schemes(each) if scheme.place == place}
        return {
            name: texts
            for name, texts in self._texts(place).items()
            if name not in keys and not any(parameter.claims(name) for parameter in here)
        }


def _schemes(alternative: Alternative) -> list[Scheme]:
    return [demand.scheme for demand in alternative]


def _cookies(request: Request, _params: Mapping[str, str]) -> Texts:
    """Return every value of every cookie (RFC 6265, 4.2.1).

    Envoy joins several Cookie headers with a comma. Where one could stand for that, what follows it is a cookie, too;
    and who reads it as a part of the value has two of that.
    """
    found: dict[str, list[str]] = {}
    for pair in request.headers.get("cookie", "").split(";"):
        pieces = pair.split(",")
        joined = pieces if any("=" in piece for piece in pieces[1:]) else ()
        for each in (pair, *joined):
            name, equals, text = each.strip().partition("=")
            if equals:
                found.setdefault(name, []).append(text)
    return found


_READERS: dict[str, Callable[[Request, Mapping[str, str]], Texts]] = {
    "path": lambda _request, params: {name: [text] for name, text in params.items()},
    "query": lambda request, _params: parse_query(request.query),
    "header": lambda request, _params: {name: [text] for name, text in request.headers.items()},
    "cookie": _cookies,
}


def _invalid(detail: str, unmet: tuple[Unmet, ...] = ()) -> Objection:
    return Objection(reason=Reason.INVALID_BODY, status=STATUS[Reason.INVALID_BODY], detail=detail, unmet=unmet)
