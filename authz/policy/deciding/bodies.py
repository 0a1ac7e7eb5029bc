"""What a validation says of a request: of its query, its headers, its path parameters and its body.

A body that was not seen whole is never taken for one that is in order: what is not known to fit does not fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.errors import Refusal
from authz.model import STATUS, BodyState, Objection, Reason, Unmet
from authz.paths import parse_query

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authz.model import Request
    from authz.policy.compiled import Validation
    from authz.policy.facts import Facts


def objection(validation: Validation, facts: Facts, params: Mapping[str, str]) -> Objection | None:
    """Return why a request is refused, `None` where nothing is wrong with it; `params` are what its path captures."""
    return _texts(validation, facts.request, params) or _body(validation, facts)


def _texts(validation: Validation, request: Request, params: Mapping[str, str]) -> Objection | None:
    """Return an objection to the parts of a request that are texts."""
    unmet: tuple[Unmet, ...] = ()
    if validation.params is not None:
        unmet += validation.params.unmet({name: [text] for name, text in params.items()}, separator=",")
    if validation.query is not None:
        try:
            unmet += validation.query.unmet(parse_query(request.query))
        except Refusal as refusal:
            return _invalid(refusal.detail)
    if validation.headers is not None:
        unmet += _unreadable(validation.headers.names & request.invalid_headers)
        unmet += validation.headers.unmet({name: [text] for name, text in request.headers.items()}, separator=",")
    return _invalid(unmet[0].told, unmet) if unmet else None


def _unreadable(names: frozenset[str]) -> tuple[Unmet, ...]:
    return tuple(Unmet(part="headers", pointer=f"/{name}", keyword="encoding") for name in sorted(names))


def _body(validation: Validation, facts: Facts) -> Objection | None:
    request = facts.request
    if request.body_state is BodyState.ABSENT:
        wanted = validation.validator is not None or validation.form is not None
        return _invalid("there is no body") if wanted else None
    if validation.content_type is not None and _media_type(request) != validation.content_type:
        return _refused(Reason.UNSUPPORTED_MEDIA_TYPE, f"the body is not {validation.content_type}")
    if validation.max_bytes is not None and (found := too_large(request, validation.max_bytes)) is not None:
        return found
    return _content(validation, facts)


def too_large(request: Request, allowed: int) -> Objection | None:
    """Return an objection to a body that has more bytes than allowed, or may have: what was cut off has."""
    length = request.headers.get("content-length", "")
    declared = int(length) if length.isascii() and length.isdecimal() and len(length) < 20 else None
    size = max(len(request.body), declared or 0)
    if size > allowed:
        return _refused(Reason.BODY_TOO_LARGE, f"the body has at least {size} bytes, {allowed} are allowed")
    if declared is not None or request.body_state is BodyState.COMPLETE:
        return None
    reason = Reason.BODY_TOO_LARGE if request.body_state is BodyState.TRUNCATED else Reason.INVALID_BODY
    return _refused(reason, f"how large the body is cannot be told: it is {request.body_state.value}")


def _content(validation: Validation, facts: Facts) -> Objection | None:
    try:
        if validation.validator is not None:
            unmet = validation.validator.unmet(facts.body.json())
        elif validation.form is not None:
            unmet = validation.form.unmet(facts.body.form())
        else:
            return None
    except ValueError as error:
        return _invalid(str(error))
    return _invalid(unmet[0].told, unmet) if unmet else None


def _refused(reason: Reason, detail: str, unmet: tuple[Unmet, ...] = ()) -> Objection:
    return Objection(reason=reason, status=STATUS[reason], detail=detail, unmet=unmet)


def _invalid(detail: str, unmet: tuple[Unmet, ...] = ()) -> Objection:
    return _refused(Reason.INVALID_BODY, detail, unmet)


def _media_type(request: Request) -> str:
    """Return the media type without parameters; two of them in one header are none that anybody asks for."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
