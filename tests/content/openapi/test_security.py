"""Tests of what an operation asks of its caller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from authz.content.openapi import compile_api
from authz.model import ANONYMOUS, Identity, Reason

Flaws = Callable[..., list[tuple[str, str]]]
Describe = Callable[..., dict[str, Any]]

SCHEMES = """
securitySchemes:
  token: {type: http, scheme: Bearer, bearerFormat: JWT}
  basic: {type: http, scheme: basic}
  login: {type: openIdConnect, openIdConnectUrl: "https://login.example.com/.well-known/openid-configuration"}
  oauth: {type: oauth2, flows: {}}
  key: {type: apiKey, in: header, name: X-Key}
  query: {type: apiKey, in: query, name: key}
  session: {type: apiKey, in: cookie, name: sid}
  mesh: {type: mutualTLS}
"""
PROVERS = {"token": "staff", "login": "staff", "oauth": "staff", "key": "partner", "query": "partner", "mesh": "mesh"}


def caller(provider: str, **held: Any) -> Identity:
    """Return a caller whom a provider knows."""
    return Identity(authenticated=True, provider=provider, subject="alice", **held)


@pytest.fixture
def refused(describe: Describe, to: Callable[..., Any]) -> Callable[..., Reason | None]:
    """Return why a caller may not call an operation with these requirements."""

    def ask(security: str, identity: Identity, url: str = "/a") -> Reason | None:
        document = describe(f"{{security: {security}}}", components=SCHEMES)
        call = compile_api(document, dict[str, object]().__getitem__).find(to(url))
        assert call is not None
        assert call.undescribed == ()
        found = call.refusal(identity, PROVERS)
        return None if found is None else found.reason

    return ask


@pytest.mark.parametrize(
    ("security", "provider", "reason"),
    [
        ("[]", "", None),
        ("[{}]", "", None),
        ("[{token: []}, {}]", "", None),
        ("[{token: []}]", "staff", None),
        ("[{token: []}]", "", Reason.UNAUTHENTICATED),
        ("[{token: []}]", "partner", Reason.UNAUTHENTICATED),
        ("[{login: [a]}]", "staff", None),
        ("[{login: [a, c]}]", "staff", Reason.NO_RULE),
        ("[{oauth: [c]}, {oauth: [b]}]", "staff", None),
        ("[{token: [admin]}]", "staff", None),
        ("[{oauth: [admin]}]", "staff", Reason.NO_RULE),
        ("[{key: []}, {token: []}]", "staff", None),
        ("[{key: []}, {token: []}]", "partner", None),
        ("[{key: [], token: []}]", "staff", Reason.UNAUTHENTICATED),
        ("[{login: [a], token: [admin]}]", "staff", None),
        ("[{basic: []}]", "staff", Reason.UNAUTHENTICATED),
        ("[{basic: []}]", "", Reason.UNAUTHENTICATED),
        ("[{mesh: []}]", "mesh", None),
    ],
)
def test_what_is_asked_for_is_proved_by_the_right_provider(
    refused: Callable[..., Reason | None], security: str, provider: str, reason: Reason | None
) -> None:
    """One alternative is enough, all of its schemes are needed, each proved by its own provider, with the scopes."""
    identity = caller(provider, scopes=("a", "b"), roles=("admin",)) if provider else ANONYMOUS
    assert refused(security, identity) is reason


def test_a_credential_in_the_query_is_no_parameter_too_many(refused: Callable[..., Reason | None]) -> None:
    """What a scheme of the operation looks for in the query is spoken of."""
    assert refused("[{query: []}]", caller("partner"), "/a?key=k") is None


def test_the_requirements_of_the_document_hold_unless_an_operation_has_its_own(describe: Describe) -> None:
    """`security: []` on an operation opens it; nothing on it leaves it as closed as the document says."""
    nothing = dict[str, object]().__getitem__
    all_ = "[{token: []}, {key: [], mesh: []}]"

    assert compile_api(describe(components=SCHEMES, security=all_), nothing).demands == (
        ("GET /a", (frozenset({"token"}), frozenset({"key", "mesh"}))),
    )
    assert compile_api(describe("{security: []}", components=SCHEMES, security=all_), nothing).demands == ()


@pytest.mark.parametrize(
    ("schemes", "security", "message"),
    [
        ("{}", "[{tokn: []}]", 'no security scheme is called "tokn"'),
        ("{token: {type: http, scheme: bearer}}", "[{token: a}]", "a list of texts"),
        ("{token: {type: htp}}", "[]", 'no type of security scheme is called "htp"'),
        ("{token: {type: http}}", "[]", '"scheme" is missing'),
        ("{key: {type: apiKey, in: body, name: k}}", "[]", "an API key is in"),
        ("{key: {type: apiKey, in: query}}", "[]", '"name" is missing'),
        ("{key: {$ref: '#/nowhere'}}", "[]", "it leads nowhere"),
    ],
)
def test_a_requirement_that_nobody_can_meet_is_a_flaw(
    flaws: Flaws, describe: Describe, schemes: str, security: str, message: str
) -> None:
    """A misspelled scheme would be one that nobody asks for, or nobody has."""
    found = flaws(describe(f"{{security: {security}}}", components=f"{{securitySchemes: {schemes}}}"))

    assert any(message in flaw for _, flaw in found)
