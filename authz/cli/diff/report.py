"""What changed in meaning, shown: to people, as Markdown for a review, as JSON for a program. Texts are escaped."""

from __future__ import annotations

from difflib import ndiff
from typing import TYPE_CHECKING, Any

import msgspec

from authz.cli.diff.asking import Kind
from authz.cli.diff.direction import Direction
from authz.cli.replay import report as replayed
from authz.cli.replay import tally as replay
from authz.cli.replay.report import escaped
from authz.words import counted, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz.cli.diff.asking import Asked, Compared
    from authz.cli.diff.parts import Change
    from authz.cli.replay.tally import Tally

_SHORT = 60
"""Characters up to which a text stands in a line with the one it became."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was found; `records` is `None` where none were given."""

    before: str
    after: str
    changes: tuple[Change, ...]
    tests: Compared
    records: Tally | None = None

    @property
    def is_any(self) -> bool:
        """Return whether anything means something else, or cannot be told."""
        recorded = self.records is not None and (self.records.lost or any(map(self.records.total, _SETTLED)))
        return bool(self.changes or self.tests.changed or recorded)

    @property
    def widens(self) -> bool:
        """Return whether something is let in for certain that was not before."""
        if self.tests.total(Kind.ALLOWED) or any(change.direction is Direction.WIDER for change in self.changes):
            return True
        return self.records is not None and bool(self.records.total(replay.Kind.ALLOWED))


_SETTLED = (replay.Kind.ALLOWED, replay.Kind.DENIED, replay.Kind.UNDETERMINED)


def data(found: Difference) -> dict[str, Any]:
    """Return everything."""
    made = {
        "before": found.before,
        "after": found.after,
        "changed": found.is_any,
        "widened": found.widens,
        "changes": msgspec.to_builtins(found.changes),
        "tests": msgspec.to_builtins(found.tests),
    }
    return made if found.records is None else {**made, "records": replayed.data(found.records)}


def pretty(found: Difference) -> str:
    """Return what changed: what is said, then what is answered."""
    lines = [summary(found)]
    last = ""
    for change in found.changes:
        if change.document != last:
            lines += ["", printable(change.document)]
            last = change.document
        lines += [f"  {line}" for line in _lines(change)]
    for kind in Kind:
        asked = [one for one in found.tests.changed if one.kind is kind]
        lines += ["", f"{kind}: {len(asked)}"] if asked else []
        lines += [f"  {line}" for one in asked for line in _answers(one)]
    if found.records is not None:
        lines += ["", replayed.pretty(found.records, reasons=False)]
    return "\n".join(lines)


def markdown(found: Difference) -> str:
    """Return the same for a review."""
    lines = [f"**{escaped(summary(found))}**"]
    if found.changes:
        lines += ["", "| Document | Part | Before | After | Lets in |", "|---|---|---|---|---|"]
        lines += [f"| {' | '.join(map(escaped, _cells(change)))} |" for change in found.changes]
    for kind in Kind:
        asked = [one for one in found.tests.changed if one.kind is kind]
        if asked:
            lines += ["", f"### {kind.capitalize()} in tests: {len(asked)}", ""]
            lines += ["| Test | Request | Before | After |", "|---|---|---|---|"]
            lines += [f"| {' | '.join(map(escaped, (a.test, a.request, a.before, a.after)))} |" for a in asked]
    if found.records is not None:
        lines += ["", "### Records", "", replayed.markdown(found.records, reasons=False)]
    return "\n".join(lines)


def summary(found: Difference) -> str:
    """Return how much changed, in a line."""
    tests = found.tests
    parts = [counted(len(found.changes), "change"), counted(tests.asked, "request of tests", "requests of tests")]
    parts += [f"{count} {kind}" for kind in Kind if (count := tests.total(kind))]
    parts += ["widened"] if found.widens else []
    return f"{found.before} to {found.after}: {', '.join(parts)}"


def _lines(change: Change) -> Iterator[str]:
    sign = "+" if change.before is None else "-" if change.after is None else "~"
    direction = "" if change.direction is Direction.NONE else f"  [{_DIRECTIONS[change.direction]}]"
    part = change.part or "the document"
    before, after = (None if text is None else printable(text) for text in (change.before, change.after))
    if before is not None and after is not None and max(len(before), len(after)) <= _SHORT:
        yield f"{sign} {part}: {before} -> {after}{direction}"
        return
    yield f"{sign} {part}{direction}"
    yield from (f"    {line.rstrip()}" for line in ndiff(_split(change.before), _split(change.after)))


def _split(text: str | None) -> list[str]:
    """Return a text in lines as they were written, each harmless to a terminal."""
    return [] if text is None else [printable(line) for line in text.strip().splitlines()]


def _answers(one: Asked) -> Iterator[str]:
    yield printable(f"{one.request}  ({one.test})")
    if one.before or one.after:
        yield printable(f"    was {one.before}, now {one.after}")


def _cells(change: Change) -> tuple[str, ...]:
    direction = "" if change.direction is Direction.NONE else _DIRECTIONS[change.direction]
    return change.document, change.part, change.before or "", change.after or "", direction


_DIRECTIONS = {Direction.WIDER: "more", Direction.NARROWER: "less", Direction.EITHER: "more or less"}
