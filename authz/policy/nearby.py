"""Documents that nearly govern a request: all but one of host, path and method fit, or they are off."""

from __future__ import annotations

from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TYPE_CHECKING

from authz.model import Mode
from authz.policy.routing.entries import ANY_HOST
from authz.policy.routing.routes import written

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from authz.policy.compiled import Document
    from authz.policy.routing.entries import Entry, PathTemplate, Route

CLOSE = 0.8
"""How much of a segment is the same where it is nearly another."""

MOST = 8
"""Documents that are named; those that fit best first."""


def nearby(
    governed: Iterable[Entry[Document]], selected: Collection[Document], host: str, segments: Sequence[str], method: str
) -> list[tuple[Document, str]]:
    """Return documents that do not govern a request and nearly do, each with why it does not."""
    found = []
    for entry in governed:
        document = entry.document
        if document not in selected:
            whys = [why for route in entry.routes for why in _why(route, host, segments, method)]
            if not whys and document.mode is Mode.OFF:
                found.append((0.0, document, "its mode is off"))
            elif whys:
                nearest = max(whys)
                found += [(-nearest[0], document, nearest[1])] if nearest[0] > 0 else []
    found.sort(key=lambda each: (each[0], each[1].kind, each[1].name))
    return [(document, why) for _, document, why in found[:MOST]]


def _why(route: Route, host: str, segments: Sequence[str], method: str) -> Iterator[tuple[float, str]]:
    """Yield how near a route comes, from 0 to 1, and what does not fit; nothing for one that fits.

    Any path on quite another host is not near: everything would be.
    """
    wrong = [
        why
        for fits, why in (
            (_is_host(route.host, host), f"its host is {route.host or 'any'}, not {host}"),
            (not route.methods or method in route.methods, f"its methods are {', '.join(route.methods)}, not {method}"),
        )
        if not fits
    ]
    alike = _alike(route.template, segments)
    if alike < 1:
        wrong.append(f"its path is {written(route.template)}")
    if wrong:
        told = _is_host(route.host, host) or any(route.template.segments) or _is_like(route.host, host)
        yield (alike if len(wrong) == 1 and told else 0.0), "; ".join(wrong)


def _is_host(pattern: str, host: str) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return pattern in {ANY_HOST, host}


def _alike(template: PathTemplate, segments: Sequence[str]) -> float:
    """Return which share of a path fits a template, 1 where it does; a path that begins otherwise is not alike."""
    pairs = list(zip_longest(template.segments, segments, fillvalue=""))
    if template.open:
        pairs = pairs[: len(template.segments)]
    if not pairs:
        return 1.0
    fits = [_fit(wanted, segment) for wanted, segment in pairs]
    return sum(fits) / len(fits) if fits[0] or len(fits) == 1 else 0.0


def _fit(wanted: str | None, segment: str) -> float:
    """Return how well one segment fits: wholly, half where it is nearly what was wanted, or not at all."""
    if wanted is None:
        return float(segment != "")
    if wanted == segment:
        return 1.0
    return 0.5 if segment and _is_like(wanted, segment) else 0.0


def _is_like(wanted: str, text: str) -> bool:
    return SequenceMatcher(None, wanted, text).ratio() > CLOSE
