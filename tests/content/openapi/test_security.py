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
ALICE = Identity(authenticated=True, subject="alice", scopes=("a", "b"), roles=("admin",))
BEARER = {"authorization": "Bearer x"}


@pytest.fixture
def refused(describe: Describe, to: Callable[..., Any]) -> Callable[..., Reason | None]:
    """Return why a caller may not call an operation with these requirements."""

    def ask(
        security: str, url: str = "/a", headers: Any = None, identity: Identity = ALICE, **more: Any
    ) -> Reason | None:
        document = describe(f"{{security: {security}}}", components=SCHEMES, **more)
        call = compile_api(document, dict[str, object]().__getitem__).find(to(url, headers=headers or {}))
        assert call is not None
        assert call.undescribed == ()
        found = call.refusal(identity, identified=identity.authenticated)
        return None if found is None else found.reason

    return ask


@pytest.mark.parametrize(
    ("security", "url", "headers", "reason"),
    [
        ("[]", "/a", {}, None),
        ("[{}]", "/a", {}, None),
        ("[{token: []}, {}]", "/a", {}, None),
        ("[{token: []}]", "/a", BEARER, None),
        ("[{token: []}]", "/a", {"authorization": "bearer x"}, None),
        ("[{token: []}]", "/a", {}, Reason.UNAUTHENTICATED),
        ("[{token: []}]", "/a", {"authorization": "Basic x"}, Reason.UNAUTHENTICATED),
        ("[{basic: []}]", "/a", {"authorization": "Basic x"}, None),
        ("[{login: [a]}]", "/a", BEARER, None),
        ("[{login: [a, c]}]", "/a", BEARER, Reason.NO_RULE),
        ("[{oauth: [c]}, {oauth: [b]}]", "/a", BEARER, None),
        ("[{token: [admin]}]", "/a", BEARER, None),
        ("[{oauth: [admin]}]", "/a", BEARER, Reason.NO_RULE),
        ("[{key: []}]", "/a", {"x-key": "k"}, None),
        ("[{key: []}]", "/a", BEARER, Reason.UNAUTHENTICATED),
        ("[{key: []}, {token: []}]", "/a", BEARER, None),
        ("[{key: [], token: []}]", "/a", BEARER, Reason.UNAUTHENTICATED),
        ("[{key: [], token: []}]", "/a", {**BEARER, "x-key": "k"}, None),
        ("[{query: []}]", "/a?key=k", {}, None),
        ("[{query: []}]", "/a", {}, Reason.UNAUTHENTICATED),
        ("[{query: []}]", "/a?key=", {}, Reason.UNAUTHENTICATED),
        ("[{session: []}]", "/a", {"cookie": "sid=x"}, None),
        ("[{mesh: []}]", "/a", {}, None),
    ],
)  # fmt: skip
def test_what_is_asked_for_has_to_be_there(
    refused: Callable[..., Reason | None], security: str, url: str, headers: dict[str, str], reason: Reason | None
) -> None:
    """One alternative is enough, all of its schemes are needed: each at its place, with the scopes that are listed."""
    assert refused(security, url, headers) is reason


@pytest.mark.parametrize("security", ["[{token: []}]", "[{key: []}]", "[{query: []}]", "[{mesh: []}]"])
def test_a_credential_that_nobody_verified_is_none(refused: Callable[..., Reason | None], security: str) -> None:
    """Whoever only writes a header proves nothing."""
    headers = {**BEARER, "x-key": "k"}

    assert refused(security, "/a?key=k" if "query" in security else "/a", headers, ANONYMOUS) is Reason.UNAUTHENTICATED


def test_the_requirements_of_the_document_hold_unless_an_operation_has_its_own(describe: Describe) -> None:
    """`security: []` on an operation opens it; nothing on it leaves it as closed as the document says."""
    nothing = dict[str, object]().__getitem__

    assert compile_api(describe(components=SCHEMES, security="[{token: []}]"), nothing).is_secured
    assert not compile_api(describe("{security: []}", components=SCHEMES, security="[{token: []}]"), nothing).is_secured


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
