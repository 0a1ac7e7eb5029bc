"""Configurations of envoyproxy/ratelimit become guardrails that compile and limit the same requests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from authz.cli.from_ratelimit import convert, text
from authz.limits.descriptors import read_domain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CALLERS = """
domain: edge
descriptors:
  - key: remote_address
    rate_limit: {unit: second, requests_per_unit: 10}
  - key: remote_address
    value: 203.0.113.7
    rate_limit: {unlimited: true}
"""
PATHS = """
domain: edge
descriptors:
  - key: method
    value: POST
    descriptors:
      - key: path
        value: /login
        rate_limit: {unit: minute, requests_per_unit: 5}
      - key: path
        value: /api*v1
        rate_limit: {unit: hour, requests_per_unit: 7, unit_multiplier: 6}
      - key: path
        value: /ap*
        share_threshold: true
        rate_limit: {unit: week, requests_per_unit: 8}
      - key: path
        rate_limit: {unit: year, requests_per_unit: 9}
"""
TIERS = """
domain: api.example.com
descriptors:
  - key: x-plan
    value: free
    descriptors:
      - key: X-Key
        shadow_mode: true
        rate_limit: {name: keys, unit: day, requests_per_unit: 0}
  - key: x-plan
    rate_limit: {unit: day, requests_per_unit: 4294967295, replaces: [{name: keys}]}
    descriptors: [{key: a b, rate_limit: {unit: day, requests_per_unit: 1}}]
"""
ROUTES = """
domain: envoy
descriptors:
  - key: generic_key
    value: slow "path"\\
    rate_limit: {unit: minute, requests_per_unit: 1}
  - key: header_match
    descriptors:
      - {key: masked_remote_address, rate_limit: {unit: month, requests_per_unit: 1}}
"""
SAMPLES = {"callers": CALLERS, "paths": PATHS, "tiers": TIERS, "routes": ROUTES}
EVERYBODY = """\
apiVersion: authz/v1
kind: Policy
metadata: {name: everybody}
spec:
  match: [{paths: ["/**"]}]
  rules: [{name: all, allow: "true"}]
"""


@pytest.fixture(params=SAMPLES)
def sample(request: pytest.FixtureRequest) -> str:
    """Return one configuration after the other."""
    return SAMPLES[request.param]


def limits(sample: str) -> dict[str, dict[str, Any]]:
    """Return the limits that a configuration becomes, by name."""
    document = yaml.safe_load(text(convert(read_domain(sample, "x.yaml"))))
    return {limit["name"]: limit for limit in document["spec"]["limits"]}


def test_what_is_converted_compiles(sample: str, run: Callable[..., Any], tmp_path: Path) -> None:
    """`authz check` finds no fault in it, whatever names and values hold."""
    (tmp_path / "limits.yaml").write_text(text(convert(read_domain(sample, "x.yaml"))))
    assert run("check", str(tmp_path)) == (0, "", "1 file read, no fault\n")


@pytest.mark.parametrize(
    ("sample", "request_", "charged"),
    [
        (CALLERS, ("GET", "/", "--ip", "203.0.113.9"), ["edge/remote_address: ok, 9 left"]),
        (CALLERS, ("GET", "/", "--ip", "203.0.113.7"), []),
        (PATHS, ("POST", "/login"), ["edge/method_POST.path_-login: ok, 4 left"]),
        (PATHS, ("POST", "/api/7/v1"), ["edge/method_POST.path_-api-v1: ok, 6 left"]),
        (PATHS, ("POST", "/api/7/v2"), ["edge/method_POST.path_-ap: ok, 7 left"]),
        (PATHS, ("POST", "/other"), ["edge/method_POST.path: ok, 8 left"]),
        (PATHS, ("GET", "/login"), []),
        (TIERS, ("GET", "/"), []),
        (TIERS, ("GET", "/", "-H", "x-plan: free"), []),
        (
            TIERS,
            ("GET", "/", "-H", "x-plan: free", "-H", "x-key: k"),
            ["api.example.com/x-plan_free.X-Key: would_limit, 0 left"],
        ),
        (TIERS, ("GET", "/", "-H", "x-plan: gold"), ["api.example.com/x-plan: ok, 999999999 left"]),
        (ROUTES, ("GET", "/"), []),
    ],
)
def test_the_same_requests_are_limited(
    sample: str, request_: tuple[str, ...], charged: list[str], run: Callable[..., Any], tmp_path: Path
) -> None:
    """The most exact place has the word here as it has there; what is not there is not charged."""
    (tmp_path / "limits.yaml").write_text(text(convert(read_domain(sample, "x.yaml"))))
    (tmp_path / "everybody.yaml").write_text(EVERYBODY)
    method, path, *rest = request_
    ran = run("eval", method, f"https://api.example.com{path}", "--policies", str(tmp_path), *rest)
    assert ran.out.startswith("allow\n")
    assert re.findall(r"limit (.* left)", ran.err) == charged


def test_a_limit_counts_what_was_counted() -> None:
    """Each value by itself where it was, all of a shared pattern together, a fixed value not at all."""
    paths = limits(PATHS)
    assert "key" not in paths["method_POST.path_-login"]
    assert paths["method_POST.path_-api-v1"]["key"] == ["request.path"]
    assert "key" not in paths["method_POST.path_-ap"]
    assert limits(CALLERS)["remote_address"]["key"] == ["client.ip"]


def test_rates_keep_their_length() -> None:
    """Units that the language has, else the length in time, a month and a year as they are counted there."""
    assert {name: limit["rate"] for name, limit in limits(PATHS).items()} == {
        "method_POST.path_-login": "5/minute",
        "method_POST.path_-api-v1": {"requests": 7, "per": "6h"},
        "method_POST.path_-ap": {"requests": 8, "per": "7d"},
        "method_POST.path": {"requests": 9, "per": "365d"},
    }


def test_names_are_names_and_differ() -> None:
    """Two places whose names come out alike are numbered."""
    alike = "domain: ' '\ndescriptors: [{key: a, value: /, rate_limit: &r {unit: day, requests_per_unit: 1}}"
    alike += ", {key: a, value: '?', rate_limit: *r}, {key: '\u00e9', rate_limit: *r}]"
    assert list(limits(alike)) == ["a", "a-2", "limit"]


def test_what_was_assumed_is_said() -> None:
    """One note for each, at the head of the file, as comments."""
    notes = convert(read_domain(TIERS, "x.yaml")).notes
    assert any("x-plan replaces keys" in note for note in notes)
    assert any('"X-Key" is taken for the header' in note for note in notes)
    assert any("4294967295 requests" in note for note in notes)
    assert any("x-plan is charged too" in note for note in notes)
    routes = convert(read_domain(ROUTES, "x.yaml"))
    assert any('"generic_key" is read from context_extensions' in note for note in routes.notes)
    assert any("whole address" in note for note in routes.notes)
    lines = text(routes).splitlines()
    assert [line for line in lines if line.startswith("#")] == lines[: len(routes.notes) + 1]
