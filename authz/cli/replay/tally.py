"""What changed, counted: by kind, route and rule, with the callers it touches. Tallies of several processes add up."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from authz.cli.replay.deciding import Again, rule_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from authz.cli.replay.deciding import Deciding
    from authz.server.lines import Line

MOST_GROUPS = 10_000
MOST_CALLERS = 1_000
"""Callers counted one by one in a group; the others only add to its count."""


class Kind(StrEnum):
    """How a decision made again differs."""

    DENIED = "newly denied"
    ALLOWED = "newly allowed"
    REASON = "other reason"
    UNDETERMINED = "undetermined"


class Group(msgspec.Struct, frozen=True):
    """Decisions that changed alike; `was` and `now` are effect, reason and rule, `unknown` what was not recorded."""

    kind: Kind
    method: str
    host: str
    route: str
    was: str
    now: str
    unknown: tuple[str, ...] = ()


class Members(msgspec.Struct):
    """The decisions of one group: how many, whose, and the id of one."""

    count: int = 0
    callers: Counter[str] = msgspec.field(default_factory=Counter)
    example: str = ""

    def add(self, caller: str, example: str) -> None:
        """Count one more."""
        self.count += 1
        if caller in self.callers or len(self.callers) < MOST_CALLERS:
            self.callers[caller] += 1
        self.example = self.example or example


class Tally(msgspec.Struct):
    """What came of some records. `skipped` counts, by reason, records of what policies never decided."""

    records: int = 0
    same: int = 0
    made: int = 0
    skipped: Counter[str] = msgspec.field(default_factory=Counter)
    groups: dict[Group, Members] = {}
    lost: int = 0

    def count(self, line: Line, deciding: Deciding) -> None:
        """Decide one record again and count what came out."""
        self.records += 1
        if not line.decided:
            self.skipped[line.reason or "no reason"] += 1
            return
        self._compare(line, recorded(line), *deciding.again(line))

    def count_both(self, line: Line, before: Deciding, after: Deciding) -> None:
        """Decide one record again by two sets of policies and count where they differ."""
        self.records += 1
        if not line.decided:
            self.skipped[line.reason or "no reason"] += 1
            return
        was, _ = before.again(line)
        self._compare(line, was, *after.again(line))

    def _compare(self, line: Line, was: Again, again: Again, route: str) -> None:
        kind = kind_of(was, again)
        if kind is None:
            self.same += 1
            return
        self._member(_group(kind, line, was, again, route)).add(_caller(line), line.id)

    def _member(self, group: Group) -> Members:
        members = self.groups.get(group)
        if members is None:
            if len(self.groups) >= MOST_GROUPS:
                self.lost += 1
                return Members()
            members = self.groups[group] = Members()
        return members

    def add(self, others: Iterable[Tally]) -> Tally:
        """Add what other processes counted."""
        for other in others:
            self.records += other.records
            self.same += other.same
            self.made += other.made
            self.lost += other.lost
            self.skipped.update(other.skipped)
            for group, members in other.groups.items():
                known = self._member(group)
                known.count += members.count
                known.callers.update(members.callers)
                known.example = known.example or members.example
        return self

    def total(self, kind: Kind) -> int:
        """Return how many decisions changed in one way."""
        return sum(members.count for group, members in self.groups.items() if group.kind is kind)


def kind_of(was: Again, again: Again) -> Kind | None:
    """Return how a decision differs, `None` where it does not."""
    if was.unknown or again.unknown:
        return Kind.UNDETERMINED
    allowed, allows = was.effect == "allow", again.effect == "allow"
    if allowed != allows:
        return Kind.ALLOWED if allows else Kind.DENIED
    same = not (was.exact and again.exact) or (was.effect, was.reason, was.rule) == (
        again.effect,
        again.reason,
        again.rule,
    )
    return None if same else Kind.REASON


def recorded(line: Line) -> Again:
    """Return the decision on record."""
    reason = "allowed" if line.effect == "allow" else line.reason
    return Again(effect=line.effect, reason=reason, rule=rule_of(line.policy, line.rule))


def _group(kind: Kind, line: Line, was: Again, again: Again, route: str) -> Group:
    request = line.request
    assert request is not None  # noqa: S101 - a line that was decided has one
    return Group(
        kind=kind,
        method=request.method,
        host=request.host,
        route=route,
        was=_told(was),
        now=_told(again),
        unknown=tuple(sorted({*was.unknown, *again.unknown})),
    )


def _told(one: Again) -> str:
    if one.unknown:
        return ""
    what = one.effect if one.reason in {"allowed", "deny_rule", "redirect_rule"} else f"{one.effect}: {one.reason}"
    return f"{what} by {one.rule}" if one.rule else what


def _caller(line: Line) -> str:
    identity = line.identity
    return f"{identity.provider}:{identity.subject}" if identity.provider else line.client or line.source
