"""From the documents that govern a request to their plan, and the plans of those in shadow beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.model import Mode
from authz.policy.deciding.plan import Plan
from authz.policy.deciding.readers import memo
from authz.policy.deciding.reads import read_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authz.policy.compiled import Document
    from authz.policy.deciding.plan import World
    from authz.policy.routing.entries import Match


def arrange(matches: Sequence[Match[Document]], world: World) -> Plan:
    """Return the plan of the documents that are enforced; those in shadow have plans of their own beside it."""
    enforced = [match for match in matches if match.document.mode is Mode.ENFORCE]
    providers = tuple(dict.fromkeys(name for match in enforced for name in match.document.providers))
    plan = Plan(enforced, world, providers)
    shadows = [match for match in matches if match.document.mode is Mode.SHADOW]
    asked = tuple(dict.fromkeys((*providers, *(name for match in shadows for name in match.document.providers))))
    plan.tried = asked if asked != providers else ()
    plan.shadows = tuple(_shadow(match, world, providers, asked) for match in shadows)
    if plan.shadows:
        plan.reads = read_by(match.document for match in matches)  # so that what is tried in shadow is on record
    else:
        plan.memo = memo(plan)
    return plan


def _shadow(match: Match[Document], world: World, providers: Sequence[str], asked: tuple[str, ...]) -> Plan:
    """Return the plan of a document in shadow: one that asks others than those in force is told what these say."""
    tried = () if set(match.document.providers) <= set(providers) else asked
    plan = Plan([match], world, tried or providers)
    plan.tried = tried
    return plan
