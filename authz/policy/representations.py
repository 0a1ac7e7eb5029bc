"""The forms the body of an answer can have, and which of them a caller gets (RFC 9110, section 12.5.1).

A rule writes one text, or a page, JSON and text side by side. The caller's `Accept` chooses; where it prefers none, or
says nothing, JSON comes before text and text before a page: programs rarely say, browsers always do. A caller that
accepts none of them gets the first all the same: a denial in the wrong form is better than none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from authz.policy.template import Template

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

TEXT, HTML, JSON = "text/plain; charset=utf-8", "text/html; charset=utf-8", "application/json"

ACCEPT = "accept"
"""The header that chooses."""

MOST = 1024
"""Characters of `Accept` that are read; browsers send a tenth of it."""

_RANGE = re.compile(r"\s*([a-z0-9!#$&^_.+*-]+/[a-z0-9!#$&^_.+*-]+)\s*((?:;[^,]*)?)", re.IGNORECASE)
_WEIGHT = re.compile(r";\s*q=([01](?:\.\d{0,3})?)\s*(?:;|$)", re.IGNORECASE)


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """JSON with texts to fill in: maps, lists, templates, and values as they are."""

    root: object


class Representation(msgspec.Struct, frozen=True, kw_only=True):
    """One form of a body."""

    media_type: str
    content: Template | Tree


def chosen(forms: Sequence[Representation], headers: Mapping[str, str]) -> Representation:
    """Return the form that a caller prefers; of those it likes equally the first."""
    accept = headers.get(ACCEPT, "") if len(forms) > 1 else ""
    if not accept or len(accept) > MOST:
        return forms[0]
    ranges = [(found[1].lower(), _weight(found[2])) for found in map(_RANGE.fullmatch, accept.split(",")) if found]
    return max(forms, key=lambda form: _liking(form.media_type.partition(";")[0], ranges))


def _weight(parameters: str) -> float:
    found = _WEIGHT.search(parameters)
    return float(found[1]) if found else 1.0


def _liking(name: str, ranges: Sequence[tuple[str, float]]) -> float:
    """Return how much a caller likes a media type: the most specific range that names it counts."""
    told = dict(ranges)
    for wanted in (name, name.partition("/")[0] + "/*", "*/*"):
        if wanted in told:
            return told[wanted]
    return 0.0


def filled(node: object, value: Callable[[Template], object]) -> object:
    """Return JSON with every template filled in."""
    if isinstance(node, dict):
        return {name: filled(item, value) for name, item in node.items()}
    if isinstance(node, list):
        return [filled(item, value) for item in node]
    return value(node) if isinstance(node, Template) else node


def serialized(tree: object) -> str:
    """Return JSON as text that is safe even where somebody takes it for a page."""
    return msgspec.json.encode(tree).decode().replace("<", "\\u003c")
