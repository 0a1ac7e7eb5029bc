"""Tests of what a policy says of pages of other origins."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from authz.policy.codes import Code
from authz.policy.documents import Policy

Faults = Callable[..., list[tuple[str, str]]]


def test_there_is_no_cors_unless_a_policy_says_so(policy: Callable[[str], Policy]) -> None:
    """And then only for the origins it names, without credentials."""
    assert policy("rules: []").spec.cors is None
    cors = policy("cors: {origins: [https://app.example.com]}").spec.cors
    assert cors is not None
    assert (cors.credentials, cors.methods, cors.headers, cors.max_age) == (False, None, None, None)


@pytest.mark.parametrize(
    "origin",
    ["https://a.example.com", "https://*.example.com", "http://localhost:3000", "http://[::1]:8080",
     "capacitor://localhost", "https://a.example.com:8443"],
)  # fmt: skip
def test_an_origin_is_one_that_browsers_send(origin: str, policy: Callable[[str], Policy]) -> None:
    """Scheme, host and port; `*.` for labels."""
    policy(f"cors: {{origins: ['{origin}']}}")


@pytest.mark.parametrize(
    "origin",
    [
        "null", "app.example.com", "https://app.example.com/", "https://App.example.com", "https://app.example.com:443",
        "http://app.example.com:80", "https://*", "https://*.com", "https://*.*.example.com", "https://a*.example.com",
        "*://app.example.com", "https://user@example.com", "https://", "", "**", "https://a..b", "https://a:0",
    ],
)  # fmt: skip
def test_an_origin_that_no_browser_sends_is_a_fault(origin: str, faults: Faults) -> None:
    """It would never match, or `null` would match any page that wants it to."""
    assert faults(f"cors: {{origins: ['{origin}']}}") == [(Code.ORIGIN, f"'{origin}'")]


@pytest.mark.parametrize(
    ("cors", "expected"),
    [
        ("{}", [(Code.MISSING_KEY, "cors")]),
        ("{origins: []}", [(Code.RANGE, "origins")]),
        ("{origins: ['*'], credentials: true}", [(Code.TOGETHER, "credentials")]),
        ("{origins: ['*', 'https://a.b']}", [(Code.TOGETHER, "'*'")]),
        ("{origins: ['*'], methods: [get]}", [(Code.METHOD, "get")]),
        ("{origins: ['*'], methods: ['*']}", [(Code.CHOICE, "'*'")]),
        ("{origins: ['*'], methods: [GET, PROPFIND], headers: [x-a], expose: [x-b], max_age: 0s}", []),
        ("{origins: ['*'], headers: ['*'], expose: ['*']}", [(Code.CHOICE, "'*'"), (Code.CHOICE, "'*'")]),
        ("{origins: ['*'], headers: [X-A]}", [(Code.HEADER, "X-A")]),
        ("{origins: ['*'], expose: ['a b']}", [(Code.HEADER, "'a b'")]),
        ("{origins: ['*'], max_age: 10}", [(Code.DURATION, "10")]),
        ("{origin: ['*']}", [(Code.UNKNOWN_KEY, "origin")]),
    ],
)
def test_what_would_open_more_than_it_says_is_a_fault(
    cors: str, expected: list[tuple[str, str]], faults: Faults, policy: Callable[[str], Policy]
) -> None:
    """Credentials for everybody, wildcards beside names, misspelled words."""
    if expected:
        assert faults(f"cors: {cors}") == expected
    else:
        policy(f"cors: {cors}")


def test_a_guardrail_does_not_speak_of_cors(faults: Faults) -> None:
    """It opens nothing."""
    assert faults("cors: {origins: ['*']}", "Guardrail") == [(Code.UNKNOWN_KEY, "cors")]
