"""Tests of what answers carry: cookies and bodies (headers and queries: `test_rules`)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from authz.policy.codes import Code
from authz.policy.documents import Body, Policy
from authz.policy.documents.answers import SameSite

Faults = Callable[..., list[tuple[str, str]]]


def test_a_cookie_is_strict_unless_it_says_otherwise(policy: Callable[[str], Policy]) -> None:
    """Secure, out of reach for scripts, not sent along by other sites, for this host and session only."""
    (rule,) = policy("rules: [{name: a, allow: x, cookies: {set: {seen: {value: '1'}}}}]").spec.rules
    cookie = rule.cookies.set[next(iter(rule.cookies.set))]
    assert (cookie.secure, cookie.http_only, cookie.same_site) == (True, True, SameSite.LAX)
    assert (cookie.path, cookie.domain, cookie.max_age) == ("/", None, None)


@pytest.mark.parametrize(
    ("cookies", "expected"),
    [
        ("{set: {a: {value: '1', max_age: 0s, path: /b, domain: example.com, same_site: Strict}}}", []),
        ("{set: {a: {value: '1', secure: false, http_only: false}}}", []),
        ("{set: {a: {value: '1'}}, remove: [a]}", []),
        ("{set: {'a b': {value: '1'}}}", [(Code.COOKIE, "'a b'")]),
        ("{set: {a: {}}}", [(Code.MISSING_KEY, "a")]),
        ("{set: {a: {value: 'b; c'}}}", [(Code.COOKIE, "'b; c'")]),
        ("{set: {a: {value: é}}}", [(Code.COOKIE, "é")]),
        ("{set: {a: {value: '1', max_age: 1ms}}}", [(Code.RANGE, "1ms")]),
        ("{set: {a: {value: '1', max_age: 401d}}}", [(Code.RANGE, "401d")]),
        ("{set: {a: {value: '1', path: b}}}", [(Code.COOKIE, "b")]),
        ("{set: {a: {value: '1', path: /b;c}}}", [(Code.COOKIE, "/b;c")]),
        ("{set: {a: {value: '1', domain: '*.example.com'}}}", [(Code.COOKIE, "'*.example.com'")]),
        ("{set: {a: {value: '1', domain: com}}}", [(Code.COOKIE, "com")]),
        ("{set: {a: {value: '1', domain: 'a.b;c'}}}", [(Code.HOST, "'a.b;c'")]),
        ("{set: {a: {value: '1', same_site: lax}}}", [(Code.CHOICE, "lax")]),
        ("{set: {a: {value: '1', same_site: None, secure: false}}}", [(Code.TOGETHER, "secure")]),
        ("{set: {__Secure-a: {value: '1', secure: false}}}", [(Code.TOGETHER, "secure")]),
        (
            "{set: {__host-a: {value: '1', domain: example.com, path: /b}}}",
            [(Code.TOGETHER, "domain"), (Code.TOGETHER, "path")],
        ),
        ("{remove: ['a;b']}", [(Code.COOKIE, "'a;b'")]),
        ("{sett: {}}", [(Code.UNKNOWN_KEY, "sett")]),
    ],
)
def test_a_cookie_that_browsers_would_drop_is_a_fault(
    cookies: str, expected: list[tuple[str, str]], faults: Faults, policy: Callable[[str], Policy]
) -> None:
    """E6: what no Set-Cookie header can say, and what breaks the promise of its name (RFC 6265bis)."""
    spec = f"rules: [{{name: r, allow: x, cookies: {cookies}}}]"
    if expected:
        assert faults(spec) == expected
    else:
        policy(spec)


def test_only_an_allow_takes_cookies_from_the_request(faults: Faults) -> None:
    """A denied request goes nowhere."""
    assert faults("rules: [{name: r, deny: x, cookies: {remove: [a]}}]") == [(Code.TOGETHER, "remove")]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("{}", [(Code.MISSING_KEY, "{")]),
        ("{htm: x}", [(Code.UNKNOWN_KEY, "htm")]),
        ("{html: 1}", [(Code.TYPE, "1")]),
        ("{json: }", []),
        ("{json: 99999999999999999999999}", [(Code.RANGE, "99999999999999999999999")]),
        ("[a]", [(Code.TYPE, "body")]),
        ("1", [(Code.TYPE, "1")]),
    ],
)
def test_a_body_has_a_form(body: str, expected: list[tuple[str, str]], faults: Faults) -> None:
    """One text, or one or more of html, json and text."""
    spec = f"rules: [{{name: r, deny: x, body: {body}}}]"
    if expected:
        assert faults(spec) == expected


def test_json_keeps_what_was_written(policy: Callable[[str], Policy]) -> None:
    """Texts know their place, so that a fault in a `${...}` can be pointed at."""
    (rule,) = policy("rules: [{name: r, deny: x, body: {json: {a: ['${b}', 1, true, null]}}}]").spec.rules
    assert isinstance(rule.body, Body)
    assert rule.body.json_value == {"a": ["${b}", "1", "true", "null"]}


@pytest.mark.parametrize(
    "target", ["//evil.test", "/\\evil.test", "https://", "https://user@example.com/", "http://exa mple.com/"]
)
def test_a_redirect_that_browsers_read_otherwise(target: str, faults: Faults) -> None:
    """What looks like a path or a host and is none is a fault where it is written."""
    assert faults(f"rules: [{{name: r, redirect: '{target}'}}]") == [(Code.LOCATION, f"'{target}'")]


def test_allowed_hosts_belong_to_redirects(faults: Faults) -> None:
    """Anywhere else they would promise something."""
    assert faults("rules: [{name: r, deny: x, allowed_hosts: [a.b]}]") == [(Code.TOGETHER, "allowed_hosts")]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ("{set: {location: '${request.url}'}}", [(Code.HEADER, "'${request.url}'")]),
        ("{append: {refresh: '0;url=${request.url}'}}", [(Code.HEADER, "'0;url=${request.url}'")]),
        ("{append: {set-cookie: 'a=${request.path}'}}", [(Code.HEADER, "'a=${request.path}'")]),
        ("{set: {location: /a, refresh: '1', x: '${request.path}'}, append: {set-cookie: 'a=$${b}'}}", []),
    ],
)
def test_requests_do_not_fill_in_where_to_go_and_what_to_keep(
    headers: str, expected: list[tuple[str, str]], faults: Faults, policy: Callable[[str], Policy]
) -> None:
    """What `redirect` and `cookies` are careful with has no second door."""
    spec = f"rules: [{{name: r, deny: x, response_headers: {headers}}}]"
    if expected:
        assert faults(spec) == expected
    else:
        policy(spec)
