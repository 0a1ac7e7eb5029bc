"""Which tests ask for which route. Nothing is run: what a test asks is known from what is written."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from authz.errors import Refusal
from authz.paths import canonical, canonical_host
from authz.testing.trials import trials

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from authz.policy import Exposed, Exposure
    from authz.testing import Suite
    from authz.testing.asking import Asked


def asking(exposure: Exposure, suites: Iterable[Suite]) -> Mapping[Exposed, tuple[str, ...]]:
    """Return the titles of the tests that ask for each route, in their order."""
    found: defaultdict[Exposed, dict[str, None]] = defaultdict(dict)
    for suite in suites:
        for trial in trials(suite):
            title = " / ".join(part for part in (suite.name, trial.group, trial.name) if part)
            for line in filter(None, {_line(exposure, act.asked) for act in trial.acts}):
                found[line][title] = None
    return {line: tuple(titles) for line, titles in found.items()}


def _line(exposure: Exposure, asked: Asked) -> Exposed | None:
    _, authority, target = asked.parts
    try:
        host, path = canonical_host(authority).name, canonical(target).path
    except Refusal:
        return None
    return exposure.of(host, path, asked.method)
