"""Limits that are never charged, and those that all callers share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.model import Mode
from authz.policy.linting.codes import Lint
from authz.policy.linting.looking import warned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz.errors import Fault
    from authz.policy.documents import Guardrail, Limit, Policy


def odd(document: Policy | Guardrail) -> Iterator[Fault]:
    """Yield the warnings about the limits of one document."""
    for limit in document.spec.limits:
        if why := _idle(limit):
            yield warned(limit.name, Lint.IDLE_LIMIT, f'limit "{limit.name}" is never charged: {why}', "remove it")
        elif not limit.key:
            hint = "write key: identity.subject or client.ip; key: '\"all\"' where one budget for all is meant"
            yield warned(limit.name, Lint.SHARED_LIMIT, f'limit "{limit.name}": all callers share one count', hint)


def _idle(limit: Limit) -> str:
    if limit.mode is Mode.OFF:
        return "it is off"
    return "its condition is false" if limit.when is not None and limit.when.strip() == "false" else ""
