"""What the console shows of counts and policies, as plain values: numbers are joined with the documents they are of."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from authz.telemetry import BUCKETS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from authz.policy import PolicySet
    from authz.telemetry import Counts

    _Counted = Mapping[str, Mapping[str, int]]


def numbers(counts: Counts) -> dict[str, object]:
    """Return checks by decision and reason, and durations by bucket: `bounds` are seconds, the last bucket has none."""
    checks = [{"decision": key[0], "reason": key[1], "count": count} for key, count in counts.checks.items()]
    return {"checks": checks, "durations": {"bounds": BUCKETS, "counts": counts.durations, "sum": counts.seconds}}


def documents(policies: PolicySet, counts: Counts) -> list[dict[str, object]]:
    """Return the documents in force; what each, its rules and its limits said how often, by outcome."""
    said, rules, limits = _by_document(counts), _by_rule(counts), _by_limit(counts)
    return [
        {
            "kind": one.kind,
            "name": one.name,
            "file": one.file,
            "line": one.line,
            "mode": one.mode,
            "description": one.description,
            "labels": one.labels,
            "annotations": one.annotations,
            "said": said[one.name],
            "rules": [
                {"name": rule.name, "effect": rule.effect, "mode": rule.mode, "said": rules[f"{one.name}/{rule.name}"]}
                for rule in one.rules
            ],
            "limits": [{"name": limit, "said": limits[f"{one.name}/{limit}"]} for limit in one.limits],
        }
        for one in policies.documents
    ]


def _by_document(counts: Counts) -> _Counted:
    return _summed([(document, effect, count) for (document, _, effect, _), count in counts.rules.items()])


def _by_rule(counts: Counts) -> _Counted:
    return _summed(
        [(f"{document}/{rule}", effect, count) for (document, rule, effect, _), count in counts.rules.items()]
    )


def _by_limit(counts: Counts) -> _Counted:
    return _summed([(limit, outcome, count) for (limit, outcome), count in counts.limits.items()])


def _summed(entries: Sequence[tuple[str, str, int]]) -> _Counted:
    found: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for name, outcome, count in entries:
        found[name][outcome] += count
    return found
