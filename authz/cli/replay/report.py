"""A tally, shown: to people, as Markdown for a review, as JSON for a program. Texts of requests are escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authz.cli.replay.tally import Kind
from authz.words import counted, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz.cli.replay.tally import Group, Members, Tally

SHOWN = 20
"""Groups of one kind that people are shown."""

CALLERS = 5

_ESCAPES = str.maketrans({char: f"\\{char}" for char in "\\`*_{}[]<>()#+!|"})


def data(tally: Tally) -> dict[str, Any]:
    """Return everything that was counted."""
    return {
        "records": tally.records,
        "same": tally.same,
        **{kind.value.replace(" ", "_"): tally.total(kind) for kind in Kind},
        "skipped": dict(tally.skipped),
        "distinct": tally.made,
        "groups_not_shown": tally.lost,
        "groups": [_group(group, members) for kind in Kind for group, members in _largest(tally, kind)],
    }


def pretty(tally: Tally, *, reasons: bool) -> str:
    """Return what changed, the largest groups first."""
    lines = [_summary(tally)]
    for kind in _kinds(reasons):
        groups = _largest(tally, kind)
        if groups:
            lines += ["", f"{kind.value}: {tally.total(kind)}"]
            lines += [line for group, members in groups[:SHOWN] for line in _lines(group, members)]
            lines += (
                [f"  … {counted(len(groups) - SHOWN, 'more group')} (--output json has all)"]
                if len(groups) > SHOWN
                else []
            )
    return "\n".join(lines)


def markdown(tally: Tally, *, reasons: bool) -> str:
    """Return the same as tables."""
    lines = [_summary(tally)]
    for kind in _kinds(reasons):
        if groups := _largest(tally, kind):
            lines += ["", f"### {kind.value.capitalize()}: {tally.total(kind)}", ""]
            lines += ["| Count | Request | Was | Now | Callers | Example |", "|---:|---|---|---|---|---|"]
            lines += [_row(group, members) for group, members in groups[:SHOWN]]
    return "\n".join(lines)


def _kinds(reasons: bool) -> list[Kind]:
    return [kind for kind in Kind if reasons or kind is not Kind.REASON]


def _summary(tally: Tally) -> str:
    skipped = sum(tally.skipped.values())
    parts = [counted(tally.records, "record"), f"{tally.same} as before"]
    parts += [f"{count} {kind.value}" for kind in Kind if (count := tally.total(kind))]
    parts += [f"{skipped} skipped ({', '.join(sorted(tally.skipped))})"] if skipped else []
    parts += [f"{tally.lost} in more groups than are kept"] if tally.lost else []
    return ", ".join(parts)


def _largest(tally: Tally, kind: Kind) -> list[tuple[Group, Members]]:
    groups = [(group, members) for group, members in tally.groups.items() if group.kind is kind]
    return sorted(groups, key=lambda pair: (-pair[1].count, repr(pair[0])))


def _lines(group: Group, members: Members) -> Iterator[str]:
    yield f"  {members.count:>8}  {_request(group)}"
    yield f"            was {group.was}" + (f", now {group.now}" if group.now else "")
    if group.unknown:
        yield f"            not recorded: {', '.join(group.unknown)}"
    callers = ", ".join(f"{printable(name)} {count}" for name, count in members.callers.most_common(CALLERS))
    yield f"            callers: {callers}; for example {members.example}"


def _row(group: Group, members: Members) -> str:
    callers = ", ".join(f"{name} ({count})" for name, count in members.callers.most_common(CALLERS))
    now = group.now or f"not recorded: {', '.join(group.unknown)}"
    cells = (str(members.count), _request(group), group.was, now, callers, members.example)
    return f"| {' | '.join(map(escaped, cells))} |"


def _request(group: Group) -> str:
    return printable(f"{group.method} {group.host}{group.route if group.route.startswith('/') else ' ' + group.route}")


def escaped(text: str) -> str:
    """Return a text as it stands in a table of Markdown."""
    return printable(text).translate(_ESCAPES)


def _group(group: Group, members: Members) -> dict[str, Any]:
    return {
        "kind": group.kind,
        "method": group.method,
        "host": group.host,
        "route": group.route,
        "was": group.was,
        "now": group.now or None,
        "not_recorded": list(group.unknown),
        "count": members.count,
        "callers": [{"caller": name, "count": count} for name, count in members.callers.most_common(CALLERS)],
        "example": members.example,
    }
