"""Tests of warnings about expressions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.policy.linting.expressions import anchored

WarnOf = Callable[[str], list[Any]]


@pytest.mark.parametrize(
    ("expression", "under"),
    [
        ('request.path.matches("/admin")', '"/admin"'),
        ('matches(request.host, "^api")', '"^api"'),
        ("request.host.matches('^a$|b')", "'^a$|b'"),
        ('identity.subject.matches(r"^svc-\\d+\\$")', r'r"^svc-\d+\$"'),
        ('request.headers["origin"].matches("https://.*.example.com")', '"https://.*.example.com"'),
        ('source.principal.matches("cluster.local/ns/x")', '"cluster.local/ns/x"'),
    ],
)
def test_a_pattern_that_is_found_anywhere(warn_of: WarnOf, expression: str, under: str) -> None:
    """AZ401: what names a whole path, host or caller is held at both ends, each alternative of it."""
    assert [(one.code, one.under) for one in warn_of(expression)] == [("AZ401", under)]


@pytest.mark.parametrize(
    "pattern",
    ["^/a$", "^(a|b)$", "(?i)^a$", "^a$|^b$", "^a.*", r"\Aa\z", ".*\\.php$", "^[|]$", r"^a\|b$", r"^a\\$", "^[]|]$"],
)
def test_a_pattern_that_is_held(pattern: str) -> None:
    """Bars inside groups and classes separate nothing; flags come before the anchor."""
    assert anchored(pattern)


@pytest.mark.parametrize("pattern", ["", "a", "^a", "a$", "^a|b$", r"^a\$", "^(a)|(b)$", "(?i)a$", "^$|"])
def test_a_pattern_that_is_not(pattern: str) -> None:
    """An escaped dollar is a dollar, and an alternative without anchors is found anywhere."""
    assert not anchored(pattern)


@given(st.text(alphabet="^$|()[]\\.*a?i", max_size=12))
def test_anchoring_is_told_of_every_text(pattern: str) -> None:
    """No pattern ends the linter, closed or not."""
    assert anchored(pattern) in {True, False}


@pytest.mark.parametrize(
    "expression",
    [
        'request.headers[?"user-agent"].orValue("").matches("curl")',
        'request.path.matches("^/v1/[0-9]+$")',
        'request.path.startsWith("/")',
        'request.url.contains("?")',
        'request.path.glob("/v1/**")',
        'request.host == "api.example.com"',
        'request.method in ["GET", "QUERY"]',
        '"x-tenant" in request.headers',
        '"A" == identity.subject',
    ],
)
def test_what_is_fine(warn_of: WarnOf, expression: str) -> None:
    """Nothing is said of what says what it means."""
    assert warn_of(expression) == []


@pytest.mark.parametrize(
    ("expression", "hint"),
    [
        ('request.path.startsWith("/admin")', 'write request.path.glob("/admin/**")'),
        ('request.path.startsWith("/admin/")', 'write request.path.glob("/admin/**")'),
        ('!request.path.startsWith("/admin")', 'write request.path.glob("/admin/**")'),
        ('request.url.startsWith("https://a.example.com")', "read request.host, request.path or request.query"),
        ('request.url.matches("^https://a/.*")', "read request.host, request.path or request.query"),
    ],
)
def test_a_path_compared_as_text(warn_of: WarnOf, expression: str, hint: str) -> None:
    """AZ408: a prefix of letters is no prefix of segments, and a URL has a query that its caller chooses."""
    assert [(one.code, one.hint) for one in warn_of(expression)] == [("AZ408", hint)]


@pytest.mark.parametrize(
    ("expression", "under", "hint"),
    [
        ('request.host == "API.example.com:443"', '"API.example.com:443"', 'write "api.example.com"'),
        ('request.host in ["a", "B"]', '"B"', 'write "b"'),
        ('"get" != request.method', '"get"', 'write "GET"'),
        ('request.path == "admin?x=1"', '"admin?x=1"', 'write "/admin"'),
        ('request.headers["X-Tenant"] == "a"', '"X-Tenant"', 'write "x-tenant"'),
        ('"X-Tenant" in request.headers', '"X-Tenant"', 'write "x-tenant"'),
        ('"Host" in request.headers', '"Host"', "read request.host"),
        ('request.headers[":path"] == "/a"', '":path"', "read request.path"),
        ('request.body_state == "truncate"', '"truncate"', 'write "truncated"'),
        ('request.body_state in ["absent", "whole"]', '"whole"', 'write "complete"'),
    ],
)
def test_a_comparison_that_never_holds(warn_of: WarnOf, expression: str, under: str, hint: str) -> None:
    """AZ414: what is compared is canonical, and a rule that never fires reads like one that does."""
    assert [(one.code, one.under, one.hint) for one in warn_of(expression)] == [("AZ414", under, hint)]


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("x-forwarded-for", "client.ip"),
        ("x-original-url", "request.path"),
        ("x-http-method-override", "request.method"),
        ("x-envoy-peer-metadata", "header of your own"),
        ("te", ""),
    ],
)
def test_a_header_that_is_not_the_callers_word(warn_of: WarnOf, name: str, word: str) -> None:
    """AZ412: what proxies write, what callers pretend proxies wrote, and what does not get here at all."""
    ((code, _, _, under, _, hint),) = warn_of(f'request.headers[?"{name}"].orValue("") == "a"')
    assert (code, under) == ("AZ412", f'"{name}"')
    assert word in hint


def test_warnings_stand_in_templates_too(warn: Any) -> None:
    """AZ412: an expression inside a text is one, and is pointed at inside of it."""
    rule = "rules:\n  - name: r\n    allow: true\n    request_headers: {set: {x-a: 'a ${request.headers[\"X-B\"]}'}}\n"
    head = 'apiVersion: authz/v1\nkind: Policy\nmetadata: {name: p}\nspec:\n  match: [{paths: ["/v1"]}]\n'
    text = head + "".join(f"  {line}\n" for line in rule.splitlines())
    ((code, line, column, under, _, _),) = warn(text)
    assert (code, under) == ("AZ414", '"X-B"')
    assert text.splitlines()[line - 1][column - 1 :].startswith('"X-B"')
