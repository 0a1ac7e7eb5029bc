"""What a validation says of the body of a request.

A body that was not seen whole is never taken for one that is in order: what is not known to fit does not fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.model import BodyState, Reason

if TYPE_CHECKING:
    from authz.model import Request
    from authz.policy.compiled import Validation
    from authz.policy.facts import Facts

Objection = tuple[Reason, str]


def objection(validation: Validation, facts: Facts) -> Objection | None:
    """Return why a body is refused, and the detail for the operator; `None` where nothing is wrong with it."""
    request = facts.request
    if request.body_state is BodyState.ABSENT:
        return None if validation.validator is None else (Reason.INVALID_BODY, "there is no body")
    if validation.content_type is not None and _media_type(request) != validation.content_type:
        return Reason.UNSUPPORTED_MEDIA_TYPE, f"the body is not {validation.content_type}"
    if validation.max_bytes is not None and (found := _too_large(request, validation.max_bytes)) is not None:
        return found
    return _content(validation, facts)


def _too_large(request: Request, allowed: int) -> Objection | None:
    """Return an objection to a body that has more bytes than allowed, or may have: what was cut off has."""
    length = request.headers.get("content-length", "")
    declared = int(length) if length.isascii() and length.isdecimal() and len(length) < 20 else None
    size = max(len(request.body), declared or 0)
    if size > allowed:
        return Reason.BODY_TOO_LARGE, f"the body has at least {size} bytes, {allowed} are allowed"
    if declared is not None or request.body_state is BodyState.COMPLETE:
        return None
    reason = Reason.BODY_TOO_LARGE if request.body_state is BodyState.TRUNCATED else Reason.INVALID_BODY
    return reason, f"how large the body is cannot be told: it is {request.body_state.value}"


def _content(validation: Validation, facts: Facts) -> Objection | None:
    if validation.validator is None:
        return None
    try:
        fault = validation.validator.fault(facts.body.json())
    except ValueError as error:
        fault = str(error)
    return None if fault is None else (Reason.INVALID_BODY, fault)


def _media_type(request: Request) -> str:
    """Return the media type without parameters; two of them in one header are none that anybody asks for."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
