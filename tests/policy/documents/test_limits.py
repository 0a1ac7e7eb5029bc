"""Tests of limits (row R13)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from authz.model import Algorithm, Count, Mode, OnError
from authz.policy.codes import Code
from authz.policy.documents import Policy

Faults = Callable[..., list[tuple[str, str]]]


def test_a_limit_says_little(policy: Callable[[str], Policy]) -> None:
    """A name and a rate make a limit; the rest has defaults."""
    (limit,) = policy("limits: [{name: a, rate: 3/minute}]").spec.limits

    assert (limit.rate.requests, limit.rate.per) == (3, 60.0)
    assert (limit.key, limit.when, limit.cost, limit.burst) == ((), None, None, None)
    assert (limit.algorithm, limit.count, limit.mode, limit.on_error) == (
        Algorithm.SLIDING_WINDOW,
        Count.ALLOWED,
        Mode.ENFORCE,
        OnError.LOCAL,
    )


def test_one_key_or_several(policy: Callable[[str], Policy]) -> None:
    """A key is one expression or a list of them."""
    one, two = policy("limits: [{name: a, rate: 1/day, key: x.y}, {name: b, rate: 1/day, key: [x, y]}]").spec.limits

    assert one.key == ("x.y",)
    assert two.key == ("x", "y")


def test_a_rate_of_any_period(policy: Callable[[str], Policy]) -> None:
    """A rate can name its period; no request at all is a rate, too."""
    (limit,) = policy("limits: [{name: a, rate: {requests: 0, per: 1h30m}}]").spec.limits

    assert (limit.rate.requests, limit.rate.per) == (0, 5400.0)


def test_a_bucket_has_a_burst(policy: Callable[[str], Policy]) -> None:
    """Burst belongs to the token bucket, and cost is CEL that may be a number."""
    (limit,) = policy("limits: [{name: a, rate: 1/day, algorithm: token-bucket, burst: 5, cost: 2}]").spec.limits

    assert (limit.burst, limit.cost) == (5, "2")


@pytest.mark.parametrize(
    "keys",
    [
        "rate: 100/month, align: month, time_zone: America/New_York",
        "rate: 100/day, align: day",
        "rate: {requests: 1, per: 24h}, align: day, time_zone: UTC",
        "rate: 1/hour, align: hour, time_zone: Asia/Kathmandu",
    ],
)
def test_a_fixed_window_is_a_piece_of_the_calendar(policy: Callable[[str], Policy], keys: str) -> None:
    """An hour, a day or a month of a time zone; a month's rate is written as such."""
    (limit,) = policy(f"limits: [{{name: a, algorithm: fixed-window, {keys}}}]").spec.limits

    assert limit.align is not None
    assert f"align: {limit.align}" in keys


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("rate: 3", (Code.RATE, "3")),
        ("rate: 3/fortnight", (Code.RATE, "3/fortnight")),
        ("rate: 2000000000/day", (Code.RANGE, "2000000000/day")),
        ("rate: {requests: -1, per: 1m}", (Code.RANGE, "-1")),
        ("rate: {requests: 1.5, per: 1m}", (Code.TYPE, "1.5")),
        ("rate: {requests: 9223372036854775808, per: 1m}", (Code.RANGE, "9223372036854775808")),
        ("rate: {requests: 1, per: 0s}", (Code.RANGE, "0s")),
        ("rate: {requests: 1, per: 60}", (Code.DURATION, "60")),
        ("rate: {requests: 1}", (Code.MISSING_KEY, "rate")),
        ("rate: {requests: 1, per: 1m, burst: 2}", (Code.UNKNOWN_KEY, "burst")),
        ("rate: [1]", (Code.TYPE, "rate")),
        ("key: x", (Code.MISSING_KEY, "{")),
        ("rate: 1/day, key: []", (Code.RANGE, "key")),
        ("rate: 1/day, key: {a: b}", (Code.TYPE, "key")),
        ("rate: 1/day, burst: 2", (Code.TOGETHER, "burst")),
        ("rate: 1/day, burst: 2, algorithm: fixed-window", (Code.TOGETHER, "burst")),
        ("rate: 1/day, burst: 0, algorithm: token-bucket", (Code.RANGE, "0")),
        ("rate: 1/day, algorithm: token_bucket", (Code.CHOICE, "token_bucket")),
        ("rate: 1/day, cost: 0", (Code.RANGE, "0")),
        ("rate: 1/day, cost: -1", (Code.RANGE, "-1")),
        ("rate: 1/day, cost: 1.5", (Code.RANGE, "1.5")),
        ("rate: 1/day, cost: '9223372036854775808'", (Code.RANGE, "'9223372036854775808'")),
        ("rate: 1/day, count: always", (Code.CHOICE, "always")),
        ("rate: 1/day, on_error: deni", (Code.CHOICE, "deni")),
        ("rate: 1/day, mode: no", (Code.CHOICE, "no")),
        ("rate: 1/month", (Code.TOGETHER, "1/month")),
        ("rate: 1/month, algorithm: fixed-window", (Code.TOGETHER, "1/month")),
        ("rate: 1/day, time_zone: UTC", (Code.TOGETHER, "time_zone")),
        ("rate: 1/day, align: day", (Code.TOGETHER, "align")),
        ("rate: 1/day, align: day, algorithm: token-bucket", (Code.TOGETHER, "align")),
        ("rate: 1/day, align: week, algorithm: fixed-window", (Code.CHOICE, "week")),
        ("rate: 1/day, align: [], algorithm: fixed-window", (Code.CHOICE, "align")),
        ("rate: 1/day, align: month, algorithm: fixed-window", (Code.TOGETHER, "rate")),
        ("rate: 1/month, align: day, algorithm: fixed-window", (Code.TOGETHER, "rate")),
        ("rate: {requests: 1, per: 31d}, align: month, algorithm: fixed-window", (Code.TOGETHER, "rate")),
        ("rate: {requests: 1, per: 2d}, align: day, algorithm: fixed-window", (Code.TOGETHER, "rate")),
        ("rate: 1/day, align: day, algorithm: fixed-window, time_zone: Berlin", (Code.TIME_ZONE, "Berlin")),
        (
            "rate: 1/day, align: day, algorithm: fixed-window, time_zone: europe/berlin",
            (Code.TIME_ZONE, "europe/berlin"),
        ),
        ("rate: 1/day, align: day, algorithm: fixed-window, time_zone: ../UTC", (Code.TIME_ZONE, "../UTC")),
        ("rate: 1/day, align: day, algorithm: fixed-window, time_zone: localtime", (Code.TIME_ZONE, "localtime")),
    ],
)
def test_a_limit_that_cannot_count(faults: Faults, keys: str, expected: tuple[str, str]) -> None:
    """R13: negative, fractional, endless and zero numbers are faults where they would wrap or be free."""
    assert faults(f"limits: [{{name: a, {keys}}}]") == [expected]


def test_one_name_is_one_limit(faults: Faults) -> None:
    """L7: counters are named after the limit, so two of one name would share them."""
    assert faults("limits: [{name: a, rate: 1/day}, {name: a, rate: 2/day}]") == [(Code.NAME_TAKEN, "a")]
