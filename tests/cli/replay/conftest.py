"""Logs of decisions, and policies that would have decided otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from authz.audit import LineWriter, ReadsForm, ReadsWriter
from authz.content import Body, SchemaValidators
from authz.model import ANONYMOUS, UNLIMITED, Identity, Outcome, Peer, Request
from authz.policy import Compiler, Facts, PolicySet

NOON = 1_795_435_200.0

BEFORE = """\
apiVersion: authz/v1
kind: Policy
metadata: {name: orders}
spec:
  match: [{paths: ["/orders/{id}"]}]
  identity: {providers: [staff], required: false}
  rules:
    - {name: evil, deny: 'request.headers[?"x-tenant"].orValue("") == "evil"'}
    - {name: tenants, allow: 'request.method == "GET" || identity.subject == "alice"'}
---
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: staff}
spec: {api_key: {from: [{header: x-api-key}], keys: keys.yaml}}
"""
KEYS = f"- {{id: k, sha256: {'ab' * 32}, subject: alice}}\n"

AFTER = BEFORE.replace('identity.subject == "alice"', 'request.headers[?"x-new"].orValue("") == "yes"').replace(
    'orValue("") == "evil"', 'orValue("") == "bad"'
)


def policies(source: str) -> PolicySet:
    """Return a policy set."""
    files = {"a.yaml": source.encode(), "keys.yaml": KEYS.encode()}
    return Compiler(validators=SchemaValidators()).compile(files)


def line(number: int, words: dict[str, Any], source: str = BEFORE) -> bytes:
    """Return the record of a request that was decided; `who` is the subject of staff."""
    given = {"method": "GET", "path": f"/orders/{number}", "headers": {}, **words}
    who = given.pop("who", "")
    request = Request(
        id="r", scheme="https", host="api.example.com", port=443, protocol="HTTP/2", time=NOON, query="",
        source=Peer(ip="10.1.2.3"), destination=Peer(), **given,
    )  # fmt: skip
    identity = Identity(authenticated=True, provider="staff", subject=who) if who else ANONYMOUS
    facts = Facts(request=request, identity=identity, body=Body(request), client_ip="203.0.113.9")
    decision = policies(source).select(request).decide(facts)
    outcome = Outcome(
        id=f"d-{number}", decision=decision, request=request, client_ip=facts.client_ip, identity=identity,
        usage=UNLIMITED, generation=1, policy_digest="", started=NOON,
    )  # fmt: skip
    return LineWriter(reads=ReadsWriter(ReadsForm.VALUES))(outcome)


REQUESTS: tuple[dict[str, Any], ...] = (
    {},
    {"headers": {"x-tenant": "acme"}},
    {"headers": {"x-tenant": "evil"}},  # newly allowed
    {"headers": {"x-tenant": "bad"}},  # newly denied
    {"method": "POST", "who": "alice"},  # undetermined: nobody recorded x-new
    {"method": "POST", "who": "bob"},  # undetermined too
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Write a log of a few requests."""
    return written_in(tmp_path)


def written_in(folder: Path) -> Path:
    """Write a log of a few requests, with an event and an empty line."""
    file = folder / "decisions.jsonl"
    event = msgspec.json.encode({"format": "authz.event/v1", "event": "policies_loaded"}) + b"\n"
    lines = [line(number, words) for number, words in enumerate(REQUESTS)]
    file.write_bytes(b"".join([event, *lines, b"\n"]))
    return file


@pytest.fixture
def after(tmp_path: Path) -> Path:
    """Make a folder of other policies."""
    folder = tmp_path / "after"
    folder.mkdir()
    (folder / "a.yaml").write_text(AFTER)
    (folder / "keys.yaml").write_text(KEYS)
    return folder
