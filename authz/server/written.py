"""What documents say of providers, as `identity` takes it: places, challenges, files that must be usable."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from authz.identity.credentials import Place
from authz.policy import Unfit
from authz.policy.faults import Together

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from authz.policy.documents import tokens
    from authz.policy.source import Text

T = TypeVar("T")

REALM = "api"
"""What a challenge names where the document does not: RFC 6750, section 3, wants a parameter behind `Bearer`."""


def places_of(places: Sequence[tokens.Place]) -> tuple[Place, ...]:
    """Return where credentials are looked for."""
    return tuple(
        Place(
            header=None if place.header is None else str(place.header),
            scheme=None if place.scheme is None else str(place.scheme),
            cookie=None if place.cookie is None else str(place.cookie),
            query=None if place.query is None else str(place.query),
        )
        for place in places
    )


def challenge_of(places: Sequence[Place], usual: str) -> str:
    """Return what a 401 invites with: the scheme of the first place that has one."""
    scheme = next((place.scheme for place in places if place.scheme is not None), usual)
    return f'{scheme} realm="{REALM}"'


def usable(place: Text, make: Callable[[], T]) -> T:
    """Return what a document names, made; what is wrong with it is a fault at the key that names it."""
    try:
        return make()
    except (ValueError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise Unfit(place.fault(Together.PROOF, f'"{place}" cannot be used: {reason}')) from None
