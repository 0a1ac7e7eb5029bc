"""What a service says of itself, judged."""

from __future__ import annotations

from typing import Any

import pytest

from authz.cli.doctor.telling import spoken, told

WELL: dict[str, Any] = {
    "version": "1.0", "build": "compiled", "ready": True,
    "generation": 3, "policy_digest": "abcdef0123456789", "policy_age_seconds": 600.0,
    "policy_faults": [], "transport": "fast", "transport_fallback": None, "listen": ["127.0.0.1:9191"],
    "limiter": {"store": "redis", "url": "redis://r", "connected": True, "breaker": "closed", "last_error": None},
    "jwks": {"staff": {"uri": "https://i", "keys": 2, "age_seconds": 60.0, "error": None}},
    "geoip": {}, "records": {"written": 7, "dropped": 0},
}  # fmt: skip


def found(checks: dict[str, int] | None = None, **changes: Any) -> list[tuple[str, str]]:
    """Return what is not fine, as grade and subject."""
    return [(one.grade.value, one.about) for one in told(WELL | changes, checks or {}) if one.grade != "fine"]


def test_one_that_is_not_ready_may_answer_all_the_same() -> None:
    """Without policies it denies everything; with them it wants no new callers, for its keys or for going down."""
    for generation, says in ((0, "denies everything"), (3, "says that no callers should be sent here")):
        first, *_ = told(WELL | {"ready": False, "generation": generation}, {})
        assert first.what == f"the service {says}"


def test_a_service_that_is_well_has_only_good_news() -> None:
    """And each part has its line."""
    assert found({"allowed": 5, "no_rule": 2}) == []
    assert [one.about for one in told(WELL, {})] == [
        "ready", "policies", "transport", "limits", "keys of staff", "records",
    ]  # fmt: skip
    assert next(one.what for one in told(WELL, {}) if one.about == "policies") == (
        "generation 3, loaded 10 min ago, digest abcdef012345"
    )


@pytest.mark.parametrize(
    ("changes", "grade", "about"),
    [
        ({"ready": False}, "wrong", "ready"),
        ({"worker": 0, "workers": [{"worker": 0, "ready": True}, {"worker": 1, "ready": False}]}, "wrong", "worker 1"),
        ({"generation": 0, "policy_age_seconds": None}, "wrong", "policies"),
        ({"policy_faults": ["a.yaml:1:2: bad\n  text\n  ^"]}, "wrong", "policies"),
        ({"transport_fallback": "grpcio 2"}, "odd", "transport"),
        ({"limiter": {"store": "memory", "connected": True}}, "odd", "limits"),
        ({"limiter": {"store": "redis", "connected": False}}, "wrong", "limits"),
        ({"limiter": {"store": "redis", "connected": True, "breaker": "open"}}, "wrong", "limits"),
        ({"jwks": {"staff": {"uri": "u", "keys": 0, "error": "refused"}}}, "wrong", "keys of staff"),
        ({"jwks": {"staff": {"uri": "u", "keys": 1, "age_seconds": 9.0, "error": "x"}}}, "odd", "keys of staff"),
        ({"geoip": {"country": {"refused": "cut off"}}}, "odd", "geoip.country"),
        ({"records": {"written": 1, "dropped": 1}}, "wrong", "records"),
        ({"records": None}, "odd", "records"),
    ],
)
def test_what_is_not_well_is_one_line_with_a_remedy(changes: dict[str, Any], grade: str, about: str) -> None:
    """The other parts stay fine."""
    assert found(**changes) == [(grade, about)]
    assert all(one.remedy for one in told(WELL | changes, {}) if one.grade != "fine")


@pytest.mark.parametrize("reason", ["overloaded", "deadline", "internal_error", "malformed", "rule_error"])
def test_answers_that_are_about_the_service_are_told(reason: str) -> None:
    """A denial by a rule is its work; one because there was no room is not."""
    assert found({"allowed": 9, reason: 1}) == [("odd", "answers")]


def test_a_version_that_says_less_is_judged_by_what_it_says() -> None:
    """Nothing is made up of a key that is not there."""
    assert [one.about for one in told({"ready": True, "generation": 1}, {})] == ["ready", "policies"]


def test_times_are_said_as_people_say_them() -> None:
    """Two of a unit at least."""
    assert list(map(spoken, (5.4, 119, 120, 7200, 86_400, 172_800))) == [
        "5 s", "119 s", "2 min", "2 h", "24 h", "2 days",
    ]  # fmt: skip
