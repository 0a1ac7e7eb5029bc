"""The parts of an expression with their values, and none that is a secret."""

from __future__ import annotations

import hmac
import json
from typing import Any

import msgspec
import pytest

from authz.audit import ReadsForm, ReadsWriter
from authz.cel import SECRET as SECRET_TYPE
from authz.cel import VARIABLES, Environment, Secret
from authz.policy.showing import Showing

CANARY = "canary-5ecret"
ENVIRONMENT = Environment(VARIABLES)
GIVEN: dict[str, Any] = {
    "request.headers": {"authorization": f"Bearer {CANARY}", "x-tenant": "acme", "x-pick": "authorization"},
    "request.query": {"token": [CANARY], "page": ["1"]},
    "request.json": {"user": {"password": CANARY, "name": "alice"}},
    "identity.claims": {"tenant": "acme", "id_token": CANARY},
    "request.method": "GET",
    "source.certificate": CANARY,
}


def shown(source: str) -> str:
    """Return what is shown of an expression."""
    trace = ENVIRONMENT.compile(source).tracer().trace(ENVIRONMENT.activation(GIVEN))
    assert trace.agrees
    return json.dumps(msgspec.to_builtins(Showing(ReadsWriter(ReadsForm.VALUES, b"k")).term(trace)))


SECRET = (
    'request.headers["authorization"].split(" ")[1] != ""',
    "request.headers.authorization + 'x' != request.headers[?\"authorization\"].orValue('')",
    'request.headers[request.headers["x-pick"]].startsWith("B")',
    "request.headers.exists(name, request.headers[name].contains('Bearer'))",
    'cel.bind(t, request.headers["authorization"], t.size() > 3 && t.substring(7) != "")',
    'request.query["token"].map(t, t + "!").size() == 1',
    "request.json.user.password == 'x' || request.json.user.size() == 2",
    'identity.claims["id_token"].lowerAscii() == "x"',
    "[source.certificate].exists(c, c != '')",
    '{"a": request.headers.authorization}["a"] != ""',
)


@pytest.mark.parametrize("source", SECRET)
def test_a_secret_is_shown_nowhere_whatever_is_made_of_it(source: str) -> None:
    """O2: neither by a computed key, nor under another name, nor as a part of itself."""
    assert CANARY not in shown(source)
    assert CANARY.lower()[7:] not in shown(source)


def test_what_is_made_with_a_secret_of_data_is_one() -> None:
    """O2: an explanation of any body would sign it otherwise; whether a signature is the right one may be told."""
    environment = Environment({**VARIABLES, "data.hook": SECRET_TYPE})
    source = 'hash.equal(hash.hmac_sha256(data.hook, request.method), request.headers["x-tenant"])'
    secret = Secret(b"key")
    given = environment.activation({**GIVEN, "data.hook": secret})
    trace = environment.compile(source).tracer().trace(given)
    text = json.dumps(msgspec.to_builtins(Showing(ReadsWriter(ReadsForm.VALUES, b"k"), ["data.hook"]).term(trace)))
    assert hmac.digest(b"key", b"GET", "sha256").hex() not in text
    assert '"acme"' in text
    assert "false" in text


def test_what_is_no_secret_is_shown() -> None:
    """A header that says nothing about who is calling, a parameter, a member, a method."""
    text = shown(
        'request.headers["x-tenant"] == "acme" && request.query["page"] == ["1"] && request.json.user.name != ""'
    )
    assert all(word in text for word in ('"acme"', '["1"]', '"alice"'))


def test_whether_something_holds_of_a_secret_is_shown() -> None:
    """That is what a rule says, and what has to be found out."""
    text = shown('request.headers["authorization"].startsWith("Bearer")')
    assert '"values": [true]' in text
    assert "$fingerprint" in text


def test_a_map_is_shown_without_its_secrets() -> None:
    """All headers at once are shown as they are, but for those that carry credentials."""
    text = shown("size(request.headers) == 3 && size(identity.claims) == 2")
    assert CANARY not in text
    assert '"x-tenant": "acme"' in text
