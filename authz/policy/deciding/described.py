"""What a validation says of a request to an API that is described.

An operation or a query parameter that the description does not speak of is refused or only recorded, as the author
wants; what the description speaks of, it demands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.model import STATUS, Objection, Reason
from authz.policy.deciding.case import Failed

if TYPE_CHECKING:
    from authz.model import Unmet
    from authz.policy.compiled import Described, Validation
    from authz.policy.deciding.case import Case
    from authz.policy.deciding.places import Place

NOT_FOUND = 404


def objection(described: Described, validation: Validation, case: Case, place: Place) -> Objection | None:
    """Return why a request is refused, `None` where it fits the operation it calls."""
    facts = case.facts
    call = described.api.find(facts.request)
    if call is None:
        return _unless_recorded(_unknown(), described, validation, case, place)
    if described.provers is not None:
        refusal = call.refusal(facts.identity, described.provers)
        if refusal is not None:
            return refusal
    if unmet := call.undescribed:
        found = _unless_recorded(_undescribed(unmet), described, validation, case, place)
        if found is not None:
            return found
    return call.objection(facts.body)


def _unknown() -> Objection:
    return Objection(reason=Reason.NO_RULE, status=NOT_FOUND, detail="the API describes no such operation")


def _undescribed(unmet: tuple[Unmet, ...]) -> Objection:
    reason = Reason.INVALID_BODY
    detail = f"the operation does not speak of {unmet[0].told.partition(' does not')[0]}"
    return Objection(reason=reason, status=STATUS[reason], detail=detail, unmet=unmet)


def _unless_recorded(
    found: Objection, described: Described, validation: Validation, case: Case, place: Place
) -> Objection | None:
    """Return an objection, or keep it for the record where the author wants no more."""
    if described.refuses:
        return found
    case.errors.append(Failed(place, validation.name, found.detail))
    return None
