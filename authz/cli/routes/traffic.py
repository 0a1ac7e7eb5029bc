"""What was seen of each route: counted from decision records, or for its policies by a service that runs.

A record says which request it was, so it counts for the one most specific route. A service keeps counts by document
only; a route then shows those of the policy that governs it and says so.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from authz.cli.admin import data
from authz.server.records import read, stretches

if TYPE_CHECKING:
    from pathlib import Path

    from authz.policy import Exposed, Exposure


class Seen(msgspec.Struct, kw_only=True):
    """How often a route was asked for, by what was decided; `last` is when, as records write it."""

    decisions: Counter[str] = msgspec.field(default_factory=Counter)
    last: str = ""

    def add(self, decision: str, time: str) -> None:
        """Count one decision."""
        if decision in _DECISIONS:
            self.decisions[decision] += 1
            self.last = max(self.last, time)


class Traffic(msgspec.Struct, kw_only=True):
    """What was seen; `elsewhere` is what no route is about. `by_policy`: counts are of policies, not of routes."""

    seen: dict[Exposed, Seen] = {}
    elsewhere: Seen = msgspec.field(default_factory=Seen)
    by_policy: bool = False

    def of(self, line: Exposed) -> Seen:
        """Return what was seen of a route."""
        return self.seen.get(line) or Seen()


_DECISIONS = frozenset({"allow", "deny", "redirect", "answer"})


def recorded(exposure: Exposure, log: Path) -> Traffic:
    """Return what records say; raise `Unavailable` for a log that cannot be read."""
    traffic = Traffic()
    for stretch in stretches(log):
        for line in read(stretch):
            if line.request is not None:
                request = line.request
                found = exposure.of(request.host, request.path or "/", request.method)
                seen = traffic.elsewhere if found is None else traffic.seen.setdefault(found, Seen())
                seen.add(line.decision, line.time)
    return traffic


def counted(exposure: Exposure, admin: str) -> Traffic:
    """Return what a running service has counted since its start, by policy; raise `Unavailable` where it tells none."""
    said = {each["name"]: each["said"] for each in data(admin, "/api/policies") if each.get("kind") == "Policy"}
    traffic = Traffic(by_policy=True)
    for line in exposure.lines:
        counts = [said[name] for name in line.policies if name in said]
        if counts:
            fewest = min(counts, key=lambda each: sum(each.values()))
            known = {decision: count for decision, count in fewest.items() if decision in _DECISIONS}
            traffic.seen[line] = Seen(decisions=Counter(known))
    return traffic
