"""What is exposed, shown: to people as a list, as Markdown for a review, as JSON for a program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from authz.cli.replay.report import escaped
from authz.cli.routes.drift import ABOUT
from authz.words import counted, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from authz.cli.routes.drift import Drift
    from authz.cli.routes.gathering import Exposing, Row
    from authz.cli.routes.history import Change
    from authz.cli.routes.traffic import Seen, Traffic
    from authz.policy import Exposed

COLUMNS = ("Route", "Identity", "Rules", "Limits", "Guardrails", "Tests", "Owner", "Last change", "Traffic", "Flags")


def data(shown: Exposing) -> dict[str, Any]:
    """Return everything that is known."""
    made: dict[str, Any] = {"routes": [_route(row) for row in shown.rows]}
    if shown.traffic is not None:
        made["elsewhere"] = dict(shown.traffic.elsewhere.decisions)
        made["traffic_by_policy"] = shown.traffic.by_policy
    if shown.drift is not None:
        made["drift"] = [{**msgspec.to_builtins(each), "about": ABOUT[each.found]} for each in shown.drift]
    return made


def pretty(shown: Exposing) -> str:
    """Return a paragraph per route, then what an API and policies do not have in common."""
    lines = [line for row in shown.rows for line in _paragraph(row)]
    lines += [] if shown.traffic is None else [_elsewhere(shown.traffic)]
    for each in shown.drift or ():
        lines.append(f"{each.found}: {_called(each)}: {ABOUT[each.found]}")
    return "\n".join([*lines, summary(shown)])


def markdown(shown: Exposing) -> str:
    """Return the same as tables."""
    lines = [summary(shown), "", f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"]
    lines += [f"| {' | '.join(map(escaped, cells(row)))} |" for row in shown.rows]
    if shown.drift:
        lines += ["", "### Policies and the API", "", "| Found | Operation or route | Meaning |", "|---|---|---|"]
        lines += [f"| {each.found} | {escaped(_called(each))} | {ABOUT[each.found]} |" for each in shown.drift]
    return "\n".join(lines)


def _elsewhere(traffic: Traffic) -> str:
    if traffic.by_policy:
        return "traffic is what the policies of a route have said since the service started"
    return f"traffic to no route: {_count(traffic.elsewhere)}"


def summary(shown: Exposing) -> str:
    """Return how many routes there are, and how many have each flag."""
    flags = [flag for row in shown.rows for flag in row.line.flags]
    parts = [
        counted(len(shown.rows), "route"),
        *(f"{flags.count(flag)} {flag}" for flag in dict.fromkeys(sorted(flags))),
    ]
    if shown.drift is not None:
        parts.append(f"{counted(len(shown.drift), 'difference')} from the API")
    return ", ".join(parts)


def cells(row: Row) -> tuple[str, ...]:
    """Return what stands in the columns of a table."""
    line = row.line
    return (
        called(line),
        _identity(line),
        ", ".join((*_rules(line), *line.validations)),
        _limits(line),
        ", ".join(line.guardrails),
        str(len(row.tests)),
        ", ".join(line.owners),
        _change(row.change),
        "" if row.seen is None else _count(row.seen),
        ", ".join(line.flags),
    )


def called(line: Exposed) -> str:
    """Return a route as people say it; `*` for any method."""
    return printable(f"{line.method or '*'} {line.host}{line.path}")


def _called(each: Drift) -> str:
    return printable(f"{each.method or '*'} {each.path}" + (f" ({each.operation})" if each.operation else ""))


def _paragraph(row: Row) -> Iterator[str]:
    line = row.line
    flags = f"  [{', '.join(line.flags)}]" if line.flags else ""
    yield called(line) + flags
    more: Sequence[tuple[str, str]] = (
        ("identity", _identity(line)),
        ("policies", ", ".join(line.policies)),
        ("rules", ", ".join(_rules(line))),
        ("validations", ", ".join(line.validations)),
        ("limits", _limits(line)),
        ("guardrails", ", ".join(line.guardrails)),
        ("in part", ", ".join(line.partly)),
        ("tests", _tests(row)),
        ("owner", ", ".join(line.owners)),
        ("changed", _change(row.change)),
        ("traffic", "" if row.seen is None else _count(row.seen)),
    )
    yield from (f"  {name:<12}{printable(text)}" for name, text in more if text)
    yield ""


def _identity(line: Exposed) -> str:
    if not line.providers:
        return "anonymous"
    return " or ".join(line.providers) + ("" if line.required else ", or anonymous")


def _rules(line: Exposed) -> list[str]:
    return [f"{rule.effect} {rule.name}" + _shadow(rule.mode) for rule in line.rules]


def _limits(line: Exposed) -> str:
    return ", ".join(f"{one.name} {one.rate}{_shadow(one.mode)}" for one in line.limits)


def _shadow(mode: str) -> str:
    return "" if mode == "enforce" else f" ({mode})"


def _tests(row: Row) -> str:
    first = "; ".join(row.tests[:3])
    return first + (f"; and {len(row.tests) - 3} more" if len(row.tests) > 3 else "")


def _change(change: Change | None) -> str:
    if change is None:
        return ""
    return f"{change.time[:10]} {change.author} {change.commit[:10]}" if change.commit else "not committed"


def _count(seen: Seen) -> str:
    counted = ", ".join(f"{count} {decision}" for decision, count in sorted(seen.decisions.items()))
    return (counted or "none") + (f", last {seen.last}" if seen.last else "")


def _route(row: Row) -> dict[str, Any]:
    made: dict[str, Any] = msgspec.to_builtins(row.line)
    made |= {"tests": list(row.tests), "last_change": msgspec.to_builtins(row.change)}
    if row.seen is not None:
        made["traffic"] = {**row.seen.decisions, "last": row.seen.last or None}
    return made
