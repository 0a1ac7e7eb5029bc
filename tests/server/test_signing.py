"""Services behind Envoy are told who is calling in a header that nobody else can write."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from msgspec.structs import replace

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from authz.config.settings import SigningSettings
from authz.engine import Engine
from authz.errors import Unavailable
from authz.identity.api_keys import digest
from authz.limits.memory import MemoryLimiter
from authz.server.deciding import compiler, parts
from authz.server.signing import Telling, signing
from authz.store import Snapshot
from authz.testing.asking import Asked, Call, message
from authz.wire import write

if TYPE_CHECKING:
    from pathlib import Path

    from authz.identity.signing import SigningKeys

HEADER = "x-authz-identity"
POLICIES = f"""
apiVersion: authz/v1
kind: IdentityProvider
metadata: {{name: partner}}
spec:
  api_key: {{from: [{{header: x-api-key}}], keys: keys.json}}
---
apiVersion: authz/v1
kind: Policy
metadata: {{name: all}}
spec:
  match: [{{paths: ["/**"]}}]
  identity: {{providers: [partner], required: false}}
  rules:
    - {{name: closed, deny: 'request.path == "/closed"'}}
    - {{name: all, allow: 'true'}}
---
apiVersion: authz/v1
kind: Policy
metadata: {{name: orders}}
spec:
  match: [{{paths: ["/orders/**"]}}]
  identity: {{providers: [partner], required: false, audience: orders-api}}
  rules: [{{name: all, allow: 'true', request_headers: {{set: {{x-seen: "1"}}}}}}]
---
apiVersion: authz/v1
kind: Policy
metadata: {{name: stock}}
spec:
  match: [{{paths: ["/orders/stock"]}}]
  identity: {{audience: a-stock-api}}
  limits: [{{name: many, rate: 1000/second, key: client.ip}}]
  rules: [{{name: all, allow: 'true'}}]
---
apiVersion: authz/v1
kind: Policy
metadata: {{name: forging}}
spec:
  match: [{{paths: ["/forged"]}}]
  rules:
    - name: all
      allow: 'true'
      request_headers: {{set: {{{HEADER}: forged, x_authz_identity: forged, x-other: "1"}}, remove: [x-gone]}}
---
apiVersion: authz/v1
kind: Policy
metadata: {{name: removing}}
spec:
  match: [{{paths: ["/removed"]}}]
  rules: [{{name: all, allow: 'true', request_headers: {{remove: [{HEADER}]}}}}]
"""


class Edge:
    """An engine that signs."""

    def __init__(self, settings: SigningSettings, keys: SigningKeys) -> None:
        entries = f'[{{"id": "one", "subject": "acme", "sha256": "{digest(b"azk_acme")}", "scopes": ["a"]}}]'
        policies = compiler("auto").compile({"a.yaml": POLICIES.encode(), "keys.json": entries.encode()})
        snapshot = Snapshot(policies=policies, generation=1, loaded_at=0.0)
        self.keys = keys
        self.outcomes: list[Any] = []
        self.faults: list[BaseException] = []
        made = parts(
            snapshot=lambda: snapshot, limiter=MemoryLimiter(), client_ip=lambda request: request.source.ip,
            fault=self.faults.append, observers=(self.outcomes.append,),
        )  # fmt: skip
        self._engine = Engine(replace(made, write=Telling(settings, keys, write).write))

    def __call__(self, path: str = "/x", **headers: str) -> CheckResponse:
        """Ask about a request; underscores in names are dashes, two of them one underscore."""
        named = {name.replace("__", " ").replace("_", "-").replace(" ", "_"): v for name, v in headers.items()}
        asked = Asked(method="GET", url=f"https://a.example{path}", headers=tuple(named.items()), time=time.time())
        call = Call()
        self._engine.check(message(asked), call)
        return CheckResponse.FromString(call.response)

    def read(self, response: CheckResponse, audience: str = "upstream") -> dict[str, Any]:
        """Verify what a service behind us gets to see."""
        published: Any = self.keys.published()
        return jwt.decode(
            sent(response)[HEADER], jwt.PyJWK(published["keys"][0]), ["ES256"], audience=audience, issuer="authz"
        )


@pytest.fixture
def edge(tmp_path: Path) -> Edge:
    """Return an engine that signs with a new key."""
    private = ec.generate_private_key(ec.SECP256R1())
    file = tmp_path / "key.pem"
    file.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    settings = SigningSettings(keys=(file,), issuer="authz", audience="upstream")
    keys = signing(settings)
    assert keys is not None
    return Edge(settings, keys)


def sent(response: CheckResponse) -> dict[str, str]:
    """Return the headers that an allowed request is sent on with."""
    assert response.status.code == 0
    headers = {option.header.key: option.header.value for option in response.ok_response.headers}
    assert len(headers) == len(response.ok_response.headers)
    assert not any(option.append.value for option in response.ok_response.headers)
    return headers


def removed(response: CheckResponse) -> list[str]:
    """Return the headers that an allowed request is sent on without."""
    assert response.status.code == 0
    return sorted(response.ok_response.headers_to_remove)


def test_who_is_calling_is_said_and_signed(edge: Edge) -> None:
    """What the provider verified, beside what rules write."""
    claims = edge.read(edge(x_api_key="azk_acme"))
    assert (claims["sub"], claims["provider"], claims["key_id"], claims["scope"]) == ("acme", "partner", "one", "a")
    response = edge("/orders/7", x_api_key="azk_acme")
    assert sent(response)["x-seen"] == "1"
    assert edge.read(response, "orders-api")["sub"] == "acme"


def test_policies_say_whom_it_is_for(edge: Edge) -> None:
    """One that says nothing leaves it to the others, nobody to the settings; several are all in it, in one order."""
    assert edge.read(edge(x_api_key="azk_acme"))["aud"] == "upstream"
    assert edge.read(edge("/orders/7", x_api_key="azk_acme"), "orders-api")["aud"] == "orders-api"
    for _ in range(2):  # a kept decision says the same
        claims = edge.read(edge("/orders/stock", x_api_key="azk_acme"), "orders-api")
        assert claims["aud"] == ["a-stock-api", "orders-api"]


def test_a_client_can_not_write_the_header(edge: Edge) -> None:
    """H4: its copy, in whatever spelling, is overwritten or removed; also that of somebody nobody identified."""
    known = edge(x_api_key="azk_acme", x_authz_identity="forged", x__authz__identity="forged")
    assert edge.read(known)["sub"] == "acme"
    assert removed(known) == ["x_authz_identity"]
    nobody = edge(x_authz_identity="forged", x__authz_identity="forged")
    assert sent(nobody) == {}
    assert removed(nobody) == ["x-authz-identity", "x_authz-identity"]
    assert removed(edge()) == ["x-authz-identity"]


def test_a_token_of_ours_proves_nothing_to_us(edge: Edge) -> None:
    """Replay: one that got away is no credential here, under whatever header it comes."""
    token = sent(edge(x_api_key="azk_acme"))[HEADER]
    assert edge(x_api_key=token).denied_response.status.code == 401
    assert sent(edge(x_authz_identity=token, authorization=f"Bearer {token}")) == {}


def test_a_rule_can_not_write_the_header(edge: Edge) -> None:
    """Who writes policies decides who is let in, not who they are; what else a rule changes is changed."""
    known = edge("/forged", x_api_key="azk_acme")
    assert edge.read(known)["sub"] == "acme"
    assert (sent(known)["x-other"], removed(known)) == ("1", ["x-gone"])
    nobody = edge("/forged")
    assert (sent(nobody), removed(nobody)) == ({"x-other": "1"}, ["x-authz-identity", "x-gone"])
    assert edge.read(edge("/removed", x_api_key="azk_acme"))["sub"] == "acme"


def test_who_is_not_let_in_gets_no_token(edge: Edge) -> None:
    """A denial goes back to the caller; nothing of it is signed."""
    response = edge("/closed", x_api_key="azk_acme")
    assert response.status.code == 7
    assert HEADER not in str(response)


def test_nobody_is_let_in_unsigned(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that can't sign denies with 500 and is told; the record says so, and no gRPC error lets the request in."""

    def broken() -> None:
        raise RuntimeError("no key")

    monkeypatch.setattr(edge.keys, "first", broken)
    assert edge("/orders/stock", x_api_key="azk_acme").denied_response.status.code == 500
    assert [outcome.decision.reason for outcome in edge.outcomes] == ["internal_error"]
    assert [str(fault) for fault in edge.faults] == ["no key"]
    assert sent(edge()) == {}


def test_no_observer_sees_a_token(edge: Edge) -> None:
    """O2: records, logs, metrics and the console are told of the outcome before it was signed."""
    token = sent(edge("/orders/7", x_api_key="azk_acme"))[HEADER]
    assert token.split(".")[2] not in repr(edge.outcomes)
    assert HEADER not in repr(edge.outcomes)


def test_without_keys_nothing_is_signed(tmp_path: Path) -> None:
    """The default; keys that can't be read are no default."""
    assert signing(SigningSettings()) is None
    with pytest.raises(Unavailable):
        signing(SigningSettings(keys=(tmp_path / "missing",), issuer="a", audience="b"))
