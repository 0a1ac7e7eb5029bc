"""Whether a change can only let more requests in, or only fewer, whatever is asked; otherwise it may do either.

Certain of every request or not said: a limit that is raised lets more in, a deny rule that is new lets less in. What a
condition does depends on the request; tests and records say more of that.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from authz.model import Effect, Mode, OnError
from authz.policy.documents import Guardrail, Limit, Rule, Validation

if TYPE_CHECKING:
    from collections.abc import Collection

    from authz.policy.documents import Document

Part = Rule | Limit | Validation


class Direction(StrEnum):
    """What a change does to which requests get through: `NONE`, it is about something else."""

    WIDER = "wider"
    NARROWER = "narrower"
    EITHER = "either"
    NONE = "none"


OPPOSITE = {
    Direction.WIDER: Direction.NARROWER,
    Direction.NARROWER: Direction.WIDER,
    Direction.EITHER: Direction.EITHER,
    Direction.NONE: Direction.NONE,
}

ACCEPTED = frozenset({"algorithms", "audiences", "providers", "trust_domains"})
"""Lists of what is accepted: more of it lets more in."""

_DECIDES = frozenset({"allow", "deny", "redirect", "when", "mode"})
_LENIENT = {OnError.DENY: 0, OnError.LOCAL: 1, OnError.ALLOW: 2}


def of_new_document(document: Document) -> Direction:
    """Return what a document does that is added."""
    if not isinstance(document, Guardrail):
        return Direction.EITHER
    return Direction.NARROWER if document.spec.mode is Mode.ENFORCE else Direction.NONE


def of_new_part(part: Part) -> Direction:
    """Return what a rule, limit or validation does that is added to a document in force."""
    if isinstance(part, Validation):
        return Direction.NARROWER
    if part.mode is not Mode.ENFORCE:
        return Direction.NONE
    return Direction.NARROWER if isinstance(part, Limit) else _EFFECTS[part.effect]


_EFFECTS = {
    Effect.ALLOW: Direction.WIDER,
    Effect.DENY: Direction.NARROWER,
    Effect.REDIRECT: Direction.EITHER,
}


def of_key(key: str, before: Part, after: Part) -> Direction:
    """Return what a key does that says something else in a rule, limit or validation."""
    if key == "mode":
        return of_mode(of_new_part(before), of_new_part(after))
    if isinstance(before, Limit) and isinstance(after, Limit):
        return _of_limit(key, before, after)
    if isinstance(before, Validation) and isinstance(after, Validation):
        both = before.max_bytes is not None and after.max_bytes is not None
        return _raised(before.max_bytes or 0, after.max_bytes or 0) if key == "max_bytes" and both else Direction.EITHER
    return Direction.EITHER if key in _DECIDES else Direction.NONE


def of_mode(before: Direction, after: Direction) -> Direction:
    """Return what another mode does, by what adding the part or document would do in each."""
    if (before is Direction.NONE) == (after is Direction.NONE):
        return Direction.NONE
    return OPPOSITE[before] if after is Direction.NONE else after


def of_accepted(before: Collection[str], after: Collection[str]) -> Direction:
    """Return what another list of what is accepted does; an empty one means something of its own."""
    if not before or not after:
        return Direction.EITHER
    if set(after) > set(before):
        return Direction.WIDER
    return Direction.NARROWER if set(after) < set(before) else Direction.EITHER


def _of_limit(key: str, before: Limit, after: Limit) -> Direction:
    if key == "rate":
        much = _raised(before.rate.requests, after.rate.requests)
        often = _raised(before.rate.requests / before.rate.per, after.rate.requests / after.rate.per)
        return (
            much if much is often or often is Direction.NONE else often if much is Direction.NONE else Direction.EITHER
        )
    if key == "burst" and before.burst is not None and after.burst is not None:
        return _raised(before.burst, after.burst)
    if key == "on_error":
        return _raised(_LENIENT[before.on_error], _LENIENT[after.on_error])
    return Direction.EITHER


def _raised(before: float, after: float) -> Direction:
    if before == after:
        return Direction.NONE
    return Direction.WIDER if after > before else Direction.NARROWER
