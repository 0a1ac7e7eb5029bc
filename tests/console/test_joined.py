"""What several workers counted is told as if one had."""

from __future__ import annotations

from typing import Any

from authz.console import joined
from authz.console.denied import SHOWN


def denial(who: str, count: int, above: int = 0) -> dict[str, Any]:
    """Return an entry of who is denied most."""
    return {"denial": {"who": who, "by": "address", "rule": None}, "count": count, "above": above}


def test_numbers_are_added_up_by_what_they_are_of() -> None:
    """A reason that one worker alone has seen counts too; buckets are added each to its like."""
    pages = [
        {
            "checks": [{"decision": "deny", "reason": "no_rule", "count": 2}],
            "durations": {"bounds": [1], "counts": [1, 1], "sum": 1.5},
        },
        {
            "checks": [
                {"decision": "deny", "reason": "no_rule", "count": 3},
                {"decision": "allow", "reason": "allowed", "count": 1},
            ],
            "durations": {"bounds": [1], "counts": [4, 0], "sum": 0.5},
        },
    ]
    assert joined.numbers(pages) == {
        "checks": [
            {"decision": "deny", "reason": "no_rule", "count": 5},
            {"decision": "allow", "reason": "allowed", "count": 1},
        ],
        "durations": {"bounds": [1], "counts": [5, 1], "sum": 2.0},
    }


def test_documents_are_the_first_ones_with_what_was_said_anywhere() -> None:
    """A guardrail is no policy of its name; a worker that has other policies for a moment adds what is in both."""
    rule = {"name": "r", "effect": "deny"}
    mine = {
        "kind": "Policy",
        "name": "a",
        "file": "a.yaml",
        "said": {"deny": 1},
        "limits": [{"name": "l", "said": {"ok": 1}}],
    }
    other = {"kind": "Policy", "name": "a", "file": "b.yaml", "said": {"deny": 2, "allow": 1}, "limits": []}
    pages = [
        [{**mine, "rules": [{**rule, "said": {"deny": 1}}]}],
        [{**other, "rules": [{**rule, "said": {"deny": 2}}]}, {**other, "kind": "Guardrail", "rules": []}],
    ]
    assert joined.documents(pages) == [
        {**mine, "said": {"deny": 3, "allow": 1}, "rules": [{**rule, "said": {"deny": 3}}]}
    ]


def test_who_is_denied_by_any_is_counted_over_all() -> None:
    """Who is missing from a list that is full may have been denied as often as the last in it, and that is added."""
    full = [denial(f"other-{number}", 9) for number in range(SHOWN - 1)] + [denial("last", 4)]
    found = joined.denied(
        [{"total": 40, "most": [denial("alice", 30, 1), denial("bob", 3)]}, {"total": 445, "most": full}]
    )
    assert found["total"] == 485
    assert len(found["most"]) == SHOWN
    assert found["most"][0] == denial("alice", 34, 5)
    found = joined.denied([{"total": 3, "most": [denial("bob", 3)]}, {"total": 2, "most": [denial("bob", 2)]}])
    assert found == {"total": 5, "most": [denial("bob", 5)]}


def test_disagreements_of_one_kind_are_one_group() -> None:
    """With the latest examples of all; without a candidate there are none."""
    group = {
        "outcome": "newly_denied",
        "route": "",
        "method": "GET",
        "live": {"rule": "r"},
        "candidate": {"rule": None},
    }
    pages = [
        {"since": "s", "groups": [{**group, "count": 1, "examples": [{"time": "1"}]}], "others": 0},
        {
            "since": "t",
            "groups": [
                {**group, "method": "PUT", "count": 3, "examples": []},
                {**group, "count": 4, "examples": [{"time": "4"}, {"time": "3"}, {"time": "2"}]},
            ],
            "others": 2,
        },
    ]
    assert joined.disagreements(pages) == {
        "since": "s",
        "groups": [
            {**group, "count": 5, "examples": [{"time": "4"}, {"time": "3"}, {"time": "2"}]},
            {**group, "method": "PUT", "count": 3, "examples": []},
        ],
        "others": 2,
    }
    assert joined.disagreements([{}, {}]) == {}


def test_what_came_of_a_candidate_is_added_up() -> None:
    """Also while one worker has none yet."""
    numbers = {"checks": [], "durations": {"bounds": [], "counts": [0], "sum": 0.0}}
    one = {"in_flight": 1, "ready": True, "candidate": {"share": 1.0, "outcomes": {"same": 2}}}
    pages = [{"status": status, "numbers": numbers} for status in (one, {**one, "candidate": None}, one)]
    status = joined.states(pages, 3)["status"]
    assert status["candidate"] == {"share": 1.0, "outcomes": {"same": 4}}
    assert (status["ready"], status["in_flight"]) == (True, 3)
    assert joined.states(pages[:2], 3)["status"]["ready"] is False
