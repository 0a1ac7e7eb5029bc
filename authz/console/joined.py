"""What several workers counted, as if one had: for the console, whose page is of the service and not of a process.

Pages are what workers answer, decoded; the first is of the worker that joins them, and what cannot be added up, such as
documents and their places, is as it says.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from authz.console.denied import SHOWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Page = Mapping[str, Any]

EXAMPLES = 3
"""Examples of a disagreement; as many as each worker tells."""


def states(pages: Sequence[Page], workers: int) -> dict[str, Any]:
    """Return how all workers are, of whom some may not have answered, and their numbers added up."""
    each = [page["status"] for page in pages]
    status = {**each[0], "in_flight": sum(one["in_flight"] for one in each)}
    status["ready"] = len(pages) == workers and all(one["ready"] for one in each)
    status["answering"] = {"workers": len(pages), "of": workers}
    if status["candidate"]:
        outcomes = added([one["candidate"]["outcomes"] for one in each if one["candidate"]])
        status["candidate"] = {**status["candidate"], "outcomes": outcomes}
    return {"status": status, "numbers": numbers([page["numbers"] for page in pages])}


def numbers(pages: Sequence[Page]) -> dict[str, Any]:
    """Return checks by decision and reason, and durations by bucket."""
    checks: Counter[tuple[str, str]] = Counter()
    for page in pages:
        for one in page["checks"]:
            checks[one["decision"], one["reason"]] += one["count"]
    durations = [page["durations"] for page in pages]
    counts = [sum(bucket) for bucket in zip(*(one["counts"] for one in durations), strict=True)]
    return {
        "checks": [{"decision": key[0], "reason": key[1], "count": count} for key, count in checks.items()],
        "durations": {**durations[0], "counts": counts, "sum": sum(one["sum"] for one in durations)},
    }


def documents(pages: Sequence[Sequence[Page]]) -> list[dict[str, Any]]:
    """Return the documents of the first, with what they, their rules and their limits said anywhere."""
    known: list[dict[tuple[str, str], Page]] = [{(one["kind"], one["name"]): one for one in page} for page in pages]
    return [_document([page[key] for page in known if key in page]) for key in known[0]]


def _document(same: Sequence[Page]) -> dict[str, Any]:
    return {**_said(same), "rules": _parts(same, "rules"), "limits": _parts(same, "limits")}


def _parts(same: Sequence[Page], what: str) -> list[dict[str, Any]]:
    known = [{part["name"]: part for part in one[what]} for one in same]
    return [_said([parts[name] for parts in known if name in parts]) for name in known[0]]


def _said(same: Sequence[Page]) -> dict[str, Any]:
    return {**same[0], "said": added([one["said"] for one in same])}


def denied(pages: Sequence[Page]) -> dict[str, Any]:
    """Return who is denied most. Who is not in a list that is full may have been denied as often as the last of it."""
    lists = [{tuple(one["denial"].items()): one for one in page["most"]} for page in pages]
    rests = [page["most"][-1]["count"] if len(page["most"]) >= SHOWN else 0 for page in pages]
    found = []
    for key in dict.fromkeys(key for known in lists for key in known):
        each = [known.get(key, {"count": rest, "above": rest}) for known, rest in zip(lists, rests, strict=True)]
        count, above = sum(one["count"] for one in each), sum(one["above"] for one in each)
        found.append({"denial": dict(key), "count": count, "above": above})
    found.sort(key=lambda one: one["count"], reverse=True)
    return {"total": sum(page["total"] for page in pages), "most": found[:SHOWN]}


def disagreements(pages: Sequence[Page]) -> dict[str, Any]:
    """Return how a candidate disagrees, what happens most first."""
    groups: dict[str, dict[str, Any]] = {}
    for group in (group for page in pages for group in page.get("groups", ())):
        key = repr({name: value for name, value in group.items() if name not in {"count", "examples"}})
        known = groups.setdefault(key, {**group, "count": 0, "examples": []})
        known["count"] += group["count"]
        examples = [*known["examples"], *group["examples"]]
        known["examples"] = sorted(examples, key=lambda one: one["time"], reverse=True)[:EXAMPLES]
    if not pages[0]:
        return {}
    ordered = sorted(groups.values(), key=lambda group: group["count"], reverse=True)
    return {**pages[0], "groups": ordered, "others": sum(page.get("others", 0) for page in pages)}


def added(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """Return counts by name, added up."""
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(total)
