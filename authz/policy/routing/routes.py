"""Paths and hosts as the index wants them: decoded segments, and the routes that `match` stands for.

A request's path and a document's template are cut and decoded by the same function, once, so that no way of
writing a segment can miss a template or be decoded a second time in a capture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz import paths
from authz.policy.routing.entries import ANY_HOST, PathTemplate, Route

if TYPE_CHECKING:
    from collections.abc import Iterable

    from authz.policy.documents import Match

EVERYTHING = PathTemplate(segments=(), open=True)
"""The template of a document that names no paths."""


def segments(path: str) -> tuple[str, ...]:
    """Return the decoded segments of a canonical path."""
    cut = paths.segments(path)
    return tuple(map(paths.decoded, cut)) if "%" in path else cut


def template(text: str) -> PathTemplate:
    """Read a path template such as `/v1/orders/{id}/**`."""
    parts = paths.segments(text)
    if more := parts[-1:] == ("**",):
        parts = parts[:-1]
    return PathTemplate(
        segments=tuple(None if _is_wild(part) else paths.decoded(part) for part in parts),
        open=more,
        captures=tuple((part[1:-1], place) for place, part in enumerate(parts) if part.startswith("{")),
    )


def written(template: PathTemplate) -> str:
    """Return a template as it is written, but for names of segments that nobody captures."""
    names = {place: f"{{{name}}}" for name, place in template.captures}
    parts = [names.get(place, "*") if segment is None else segment for place, segment in enumerate(template.segments)]
    return "/" + "/".join([*parts, *(["**"] if template.open else [])])


def routes(matches: Iterable[Match]) -> tuple[Route, ...]:
    """Return every combination that an entry of `match` stands for; no entry at all stands for every request."""
    found = tuple(
        Route(host=host, template=path, methods=tuple(match.methods or ()))
        for match in matches
        for path in (tuple(map(template, match.paths)) if match.paths else (EVERYTHING,))
        for host in match.hosts or (ANY_HOST,)
    )
    return found or (Route(template=EVERYTHING),)


def _is_wild(part: str) -> bool:
    return part == "*" or part.startswith("{")
