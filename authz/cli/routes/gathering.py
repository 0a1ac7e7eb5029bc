"""Rows: every route of the policies with its tests, its last change and its traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from authz.cli.routes.history import Change, history
from authz.cli.routes.tested import asking
from authz.policy.exposure import Flag

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from authz.cli.routes.drift import Drift
    from authz.cli.routes.traffic import Seen, Traffic
    from authz.policy import Exposed, Exposure, PolicySet
    from authz.testing import Suite


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One route; `change` is the latest of the policies and guardrails that govern it, `seen` is `None` unasked."""

    line: Exposed
    tests: tuple[str, ...] = ()
    change: Change | None = None
    seen: Seen | None = None


class Exposing(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is shown; `drift` is `None` where no API was given."""

    rows: tuple[Row, ...]
    traffic: Traffic | None = None
    drift: tuple[Drift, ...] | None = None


def rows(policies: PolicySet, exposure: Exposure, suites: Sequence[Suite], traffic: Traffic | None) -> tuple[Row, ...]:
    """Return a row per route, with the flag of those that no test asks for."""
    asked = asking(exposure, suites)
    changes = history(one for one in policies.documents if one.mode is not None)
    return tuple(
        Row(
            line=_flagged(line, asked.get(line, ())),
            tests=asked.get(line, ()),
            change=_latest(line, changes),
            seen=None if traffic is None else traffic.of(line),
        )
        for line in exposure.lines
    )


def _flagged(line: Exposed, tests: Sequence[str]) -> Exposed:
    return line if tests else replace(line, flags=(*line.flags, Flag.NO_TESTS))


def _latest(line: Exposed, changes: Mapping[tuple[str, str], Change]) -> Change | None:
    """Return the latest change; what is not committed yet is later than any commit."""
    named = (*(("Policy", name) for name in line.policies), *(("Guardrail", name) for name in line.guardrails))
    known = [changes[key] for key in named if key in changes]
    return max(known, key=lambda change: (not change.commit, change.time), default=None)
