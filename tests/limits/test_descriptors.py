"""The configuration of envoyproxy/ratelimit, read and walked."""

from __future__ import annotations

import pytest

from authz.errors import SettingsFaults
from authz.limits.descriptors import Domains, Match, Unit, component, read_domain
from authz.model import Algorithm, Mode

SHOP = """
domain: shop
descriptors:
  - key: source_cluster
    value: proxy
    descriptors:
      - key: destination_cluster
        value: mock
        rate_limit: {unit: minute, requests_per_unit: 1}
  - key: foo
    rate_limit: {unit: MINUTE, requests_per_unit: 2, name: foos}
    descriptors:
      - key: bar
        rate_limit: {unit: minute, requests_per_unit: 3, unit_multiplier: 5}
      - key: bar
        value: banned
        rate_limit: {unit: minute, requests_per_unit: 0}
      - key: baz
        value: shady
        shadow_mode: true
        rate_limit: {unit: second, requests_per_unit: 1}
  - key: qux
    rate_limit: {unlimited: true}
  - key: number
    value: 404
    rate_limit: {unit: day, requests_per_unit: 7, replaces: [{name: foos}]}
  - key: path
    value: /exact
    rate_limit: {unit: hour, requests_per_unit: 1}
  - key: path
    value: /api*v1
    share_threshold: true
    rate_limit: {unit: hour, requests_per_unit: 2}
  - key: path
    value: /*
    detailed_metric: true
    rate_limit: {unit: hour, requests_per_unit: 3}
"""


@pytest.fixture(scope="module")
def shop() -> Domains:
    """Return the tree above."""
    return Domains([read_domain(SHOP, "shop.yaml")])


def found(domains: Domains, *entries: tuple[str, str]) -> Match:
    """Return the match there has to be."""
    match = domains.match("shop", entries)
    assert match is not None
    return match


@pytest.mark.parametrize(
    ("entries", "name", "requests", "period"),
    [
        (
            [("source_cluster", "proxy"), ("destination_cluster", "mock")],
            "source_cluster_proxy.destination_cluster_mock",
            1,
            60,
        ),
        ([("foo", "x")], "foo", 2, 60),
        ([("foo", "x"), ("bar", "y")], "foo.bar", 3, 300),
        ([("foo", "x"), ("bar", "banned")], "foo.bar_banned", 0, 60),
        ([("number", "404")], "number_404", 7, 86_400),
        ([("path", "/exact")], "path_/exact", 1, 3600),
        ([("path", "/api/7/v1")], "path_/api*v1", 2, 3600),
        ([("path", "/other")], "path_/*", 3, 3600),
    ],
)
def test_the_most_exact_place_has_the_word(
    shop: Domains, entries: list[tuple[str, str]], name: str, requests: int, period: int
) -> None:
    """Key and value, then the first pattern that fits, then the key alone; names are those of its statistics."""
    limit = found(shop, *entries).rule.limit
    assert limit is not None
    assert (limit.name, limit.requests, limit.period) == (f"shop/{name}", requests, period)
    assert limit.algorithm is Algorithm.FIXED_WINDOW


@pytest.mark.parametrize(
    "entries",
    [
        [("source_cluster", "proxy")],
        [("source_cluster", "other"), ("destination_cluster", "mock")],
        [("foo", "x"), ("bar", "y"), ("more", "z")],
        [("unknown", "x")],
        [],
    ],
)
def test_a_descriptor_that_arrives_nowhere_has_no_limit(shop: Domains, entries: list[tuple[str, str]]) -> None:
    """Too short, too long, or unknown: nothing is said of it."""
    assert shop.match("shop", entries) is None


def test_an_unknown_domain_has_no_limits(shop: Domains) -> None:
    """Neither a configured one nor one that the question names."""
    assert shop.match("other", [("foo", "x")]) is None
    assert shop.override("other", [("foo", "x")], 5, Unit.DAY) is None


def test_every_value_has_its_own_count_unless_shared(shop: Domains) -> None:
    """A pattern with `share_threshold` counts all its values together, any other place each by itself."""
    assert found(shop, ("foo", "a")).key != found(shop, ("foo", "b")).key
    assert found(shop, ("path", "/a")).key != found(shop, ("path", "/b")).key
    assert found(shop, ("path", "/api1v1")).key == found(shop, ("path", "/api2v1")).key
    assert found(shop, ("path", "/api1v1")).key[0] != component("path", "/api*v1")


def test_entries_are_never_taken_for_one_another() -> None:
    """Where a key ends is part of the count's name."""
    assert component("a", "bc") != component("ab", "c")


def test_shadow_unlimited_and_replacing_are_kept(shop: Domains) -> None:
    """What the place says beside its rate."""
    shady = found(shop, ("foo", "x"), ("baz", "shady")).rule.limit
    assert shady is not None
    assert shady.mode is Mode.SHADOW
    assert found(shop, ("qux", "x")).rule.limit is None
    assert found(shop, ("number", "404")).rule.replaces == {found(shop, ("foo", "x")).rule.name}


def test_a_limit_in_the_question_stands_for_the_configured_one(shop: Domains) -> None:
    """It is one and the same limit each time, counted by the same entries."""
    first, again = (shop.override("shop", [("foo", "x")], 5, Unit.HOUR) for _ in range(2))
    assert first is not None
    assert again is not None
    assert first.rule is again.rule
    assert first.rule.limit is not None
    assert (first.rule.limit.requests, first.rule.limit.period) == (5, 3600)
    assert first.key == found(shop, ("foo", "x")).key


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("domain: ''", "`$.domain`"),
        ("descriptors: []", "`domain`"),
        ("domain: d\ndescriptors: [{value: x}]", "`key`"),
        ("domain: d\ndescriptors: [{key: a, ratelimit: {unit: day}}]", "`ratelimit`"),
        ("domain: d\ndescriptors: [{key: a, quota_mode: true}]", "`quota_mode`"),
        ("domain: d\ndescriptors: [{key: a, rate_limit: {unit: fortnight}}]", 'd.a: "fortnight" is no unit'),
        ("domain: d\ndescriptors: [{key: a, rate_limit: {requests_per_unit: 1}}]", 'd.a: "" is no unit'),
        ("domain: d\ndescriptors: [{key: a, rate_limit: {unlimited: true, unit: day}}]", "d.a: what is unlimited"),
        ("domain: d\ndescriptors: [{key: a, value: b}, {key: a, value: b}]", "d.a_b is there twice"),
        ("domain: d\ndescriptors: [{key: a, rate_limit: {unit: day, requests_per_unit: -1}}]", ">= 0"),
        (
            "domain: d\ndescriptors: [{key: a, rate_limit: {unit: day, name: n, replaces: [{name: n}]}}]",
            "d.a replaces itself",
        ),
        ("domain: [", "while parsing"),
        ("- domain", "object"),
        ("[" * 5000, "is nested too deeply"),
    ],
)
def test_a_mistake_is_a_fault_that_names_the_file_and_the_place(content: str, told: str) -> None:
    """Nothing is guessed and nothing ignored."""
    with pytest.raises(SettingsFaults) as caught:
        read_domain(content, "limits.yaml")
    assert str(caught.value).startswith("limits.yaml:")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_domain_is_there_once() -> None:
    """Two files that both name a domain are a fault, as there."""
    with pytest.raises(SettingsFaults, match="d: the domain is there twice"):
        Domains([read_domain("domain: d", "a"), read_domain("domain: d", "b")])


def test_what_is_no_yaml_has_its_place() -> None:
    """Like every other file of settings."""
    with pytest.raises(SettingsFaults) as raised:
        read_domain("domain: a\n---\ndomain: b\n", "two.yaml")
    (fault,) = raised.value.faults
    assert (fault.file, fault.line, fault.column) == ("two.yaml", 2, 1)
