"""Documents become providers that prove who is calling; what they name and can't be used is told where it is named."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckRequest, CheckResponse
from authz.cli.request import Asked, message
from authz.engine import Engine
from authz.errors import PolicyFaults
from authz.identity.api_keys import KeyUses
from authz.identity.registry import KeyRegistry
from authz.limits.memory import MemoryLimiter
from authz.model import Outcome
from authz.server.deciding import compiler, parts
from authz.server.identifying import IdentityBuilder
from authz.store import Snapshot
from tests.server.calls import WaitingCall

ISSUER = "https://login.example.com/"
KEY, KEYED, PEPPER = "azk_partner", "azk_keyed", b"a pepper of sixteen bytes"
PRIVATE = ec.generate_private_key(ec.SECP256R1())
SPIFFE = "spiffe://cluster.local/ns/shop/sa/cart"

PROVIDERS = """
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: staff}
spec:
  jwt:
    issuer: https://login.example.com/
    audiences: [orders-api]
    jwks: {file: keys.json}
    algorithms: [RS256, ES256]        # never from the token
    from: [{header: authorization, scheme: Bearer}, {cookie: session}]
    leeway: 30s
    claims: {subject: sub, roles: realm_access.roles, scopes: scope, groups: groups}
---
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: partner}
spec:
  api_key:
    from: [{header: x-api-key}]
    keys: partner-keys.yaml
    secret_file: PEPPER
---
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: mesh}
spec:
  peer_certificate: {trust_domains: [cluster.local], forwarded_from: [10.7.0.0/16]}
---
apiVersion: authz/v1
kind: Policy
metadata: {name: orders}
spec:
  match: [{paths: ["/orders"]}]
  identity: {providers: [staff, partner, mesh]}
  rules:
    - name: sign-in
      redirect: https://login.example.com/
      when: '!identity.authenticated && request.headers[?"accept"].orValue("") == "text/html"'
    - name: known
      allow: '"orders:read" in identity.scopes || identity.provider == "mesh"'
      request_headers: {set: {x-subject: "${identity.subject}", x-provider: "${identity.provider}"}}
---
apiVersion: authz/v1
kind: Policy
metadata: {name: shelf}
spec:
  match: [{paths: ["/shelf"]}]
  identity: {providers: [staff], required: false}
  rules: [{name: all, allow: true}]
"""


def entries() -> str:
    """Return a file of keys."""
    plain, keyed = hashlib.sha256(KEY.encode()).hexdigest(), hmac.digest(PEPPER, KEYED.encode(), "sha256").hex()
    return f"""
- {{id: one, sha256: {plain}, subject: acme, scopes: ["orders:read"]}}
- {{id: two, hmac-sha256: {keyed}, subject: acme, expires: 2020-01-01T00:00:00Z}}
"""


def jwks() -> str:
    """Return a key set of one key."""
    public = ECAlgorithm(ECAlgorithm.SHA256).to_jwk(PRIVATE.public_key(), as_dict=True)
    return json.dumps({"keys": [{**public, "kid": "1", "alg": "ES256"}]})


def token(**claims: object) -> str:
    """Return a token that is good unless the claims say otherwise."""
    now = int(time.time())
    good = {"iss": ISSUER, "aud": "orders-api", "sub": "alice", "exp": now + 600, "scope": "orders:read"}
    return jwt.encode(good | claims, PRIVATE, "ES256", {"kid": "1"})


@pytest.fixture
def files(tmp_path: Path) -> dict[str, bytes]:
    """Return the documents and what lies beside them."""
    pepper = tmp_path / "pepper"
    pepper.write_bytes(PEPPER + b"\n")
    texts = {
        "p/a.yaml": PROVIDERS.replace("PEPPER", str(pepper)), "p/keys.json": jwks(), "p/partner-keys.yaml": entries(),
    }  # fmt: skip
    return {name: text.encode() for name, text in texts.items()}


class Asking:
    """An engine over policies, asked about one request at a time."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.uses = KeyUses()
        built = IdentityBuilder(KeyRegistry(), self.uses)
        snapshot = Snapshot(policies=compiler("auto", built).compile(files), generation=1, loaded_at=0.0)
        self.outcomes: list[Outcome] = []
        self._engine = Engine(
            parts(
                snapshot=lambda: snapshot,
                limiter=MemoryLimiter(),
                client_ip=lambda request: request.source.ip,
                fault=self._raise,
                observers=(self.outcomes.append,),
            )
        )

    def _raise(self, error: BaseException) -> None:
        raise error

    def request(
        self, path: str = "/orders", *, ip: str = "192.0.2.1", principal: str = "", raw: str = "", **headers: str
    ) -> CheckRequest:
        """Return what Envoy would ask about a request with these headers; `raw` is the name of one more."""
        named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        named += ((raw, "root"),) if raw else ()
        request = CheckRequest.FromString(
            message(Asked(method="GET", url=f"https://api.example.com{path}", headers=named, ip=ip, time=time.time()))
        )
        request.attributes.source.principal = principal
        return request

    def send(self, request: CheckRequest, call: WaitingCall) -> CheckResponse:
        """Ask, and return what has been answered by then."""
        self._engine.check(request.SerializeToString(), call)
        return CheckResponse.FromString(call.response)

    def __call__(self, path: str = "/orders", **about: str) -> CheckResponse:
        """Ask about a request whose caller is known at once."""
        return self.send(self.request(path, **about), WaitingCall())


@pytest.fixture
def ask(files: dict[str, bytes]) -> Asking:
    """Return an engine over the documents."""
    return Asking(files)


def told(response: CheckResponse) -> tuple[str, str]:
    """Return the subject and provider that an allowed request is sent on with."""
    headers = {option.header.key: option.header.value for option in response.ok_response.headers}
    return headers["x-subject"], headers["x-provider"]


def refused(response: CheckResponse) -> tuple[int, str]:
    """Return the status and the challenge of a denial."""
    headers = {option.header.key: option.header.value for option in response.denied_response.headers}
    return response.denied_response.status.code, headers.get("www-authenticate", "")


def test_each_kind_of_provider_proves_who_is_calling(ask: Asking) -> None:
    """A token in a header or a cookie, a key, the peer's certificate: the identity headers are ours."""
    assert told(ask(authorization=f"Bearer {token()}")) == ("alice", "staff")
    assert told(ask(cookie=f"a=b; session={token()}")) == ("alice", "staff")
    assert told(ask(x_api_key=KEY)) == ("acme", "partner")
    assert told(ask(principal=SPIFFE)) == (SPIFFE, "mesh")
    assert told(ask(authorization=f"Bearer {token()}", principal=SPIFFE)) == ("alice", "staff")


def test_nobody_is_asked_who_they_are(ask: Asking) -> None:
    """401 with a challenge per way to answer (RFC 9110, section 11.6.1; RFC 6750, section 3)."""
    response = ask()
    assert refused(response) == (401, 'Bearer realm="api", ApiKey realm="api"')
    assert json.loads(response.denied_response.body)["reason"] == "unauthenticated"


def test_a_bad_credential_is_refused_even_where_anonymous_may(ask: Asking) -> None:
    """POLICY.md, section 3, step 3: RFC 6750's `invalid_token`, and the record says why without the token."""
    bad = token(aud="other")
    for path in ("/orders", "/shelf"):
        assert refused(ask(path, authorization=f"Bearer {bad}"))[0] == 401
        assert 'Bearer realm="api", error="invalid_token"' in refused(ask(path, authorization=f"Bearer {bad}"))[1]
    assert ask("/shelf").status.code == 0
    outcome = ask.outcomes[0]
    assert (outcome.identity.provider, outcome.detail) == ("staff", "the token is for another audience")
    assert refused(ask(x_api_key="nobody's"))[0] == 401
    assert refused(ask(x_api_key=KEYED))[0] == 401
    assert ask.outcomes[-1].detail == "the API key two has expired"


def test_a_redirect_has_its_chance_before_401(ask: Asking) -> None:
    """A person without a credential is sent to sign in; one with a bad one is told so."""
    assert ask(accept="text/html").denied_response.status.code == 302
    assert ask(accept="text/html", authorization=f"Bearer {token(exp=1)}").denied_response.status.code == 401


def test_a_client_cannot_write_the_identity_headers(ask: Asking) -> None:
    """H4: its own `x-subject` is overwritten, and other spellings of it are removed."""
    ok = ask(x_api_key=KEY, x_subject="root", raw="x_subject").ok_response
    assert list(ok.headers_to_remove) == ["x_subject"]
    assert [(option.header.key, option.header.value, option.append.value) for option in ok.headers] == [
        ("x-subject", "acme", False), ("x-provider", "partner", False),
    ]  # fmt: skip


def test_a_forwarded_certificate_counts_only_from_a_forwarder(ask: Asking) -> None:
    """H11: `x-forwarded-client-cert` is anybody's, unless the direct peer is a proxy that the document names."""
    forwarded = f"By=spiffe://cluster.local/edge;Hash=ab;URI={SPIFFE}"
    assert told(ask(ip="10.7.0.1", x_forwarded_client_cert=forwarded)) == (SPIFFE, "mesh")
    assert refused(ask(ip="10.8.0.1", x_forwarded_client_cert=forwarded))[0] == 401
    assert refused(ask(ip="10.7.0.1", principal=SPIFFE))[0] == 401
    assert refused(ask(ip="10.7.0.1", x_forwarded_client_cert=f"{forwarded},{forwarded}"))[0] == 401


def test_the_last_use_of_a_key_is_known_by_its_id(ask: Asking) -> None:
    """A key that is used no more can be taken away; the key itself is nowhere."""
    ask(x_api_key=KEY)
    ask(x_api_key=KEYED)
    assert list(ask.uses.seen()) == [("partner", "one")]


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("p/keys.json", None, '{"keys": []}', '9:18: AZ206 "keys.json" cannot be used: the key set has no usable key'),
        ("p/keys.json", None, "{", 'p/a.yaml:9:18: AZ206 "keys.json" cannot be used: '),
        ("p/a.yaml", "keys.json", "other.json", 'p/a.yaml:9:18: AZ118 the file "p/other.json" is not there'),
        ("p/a.yaml", "30s", "2m", "p/a.yaml:12:13: AZ107 2m is out of range (at most 60s"),
        ("p/a.yaml", "{file: keys.json}", "{uri: http://login.example.com/}", "only https is fetched"),
        ("p/a.yaml", "{file: keys.json}", "{uri: https://a.b/, ca: /nowhere.pem}",
         '"/nowhere.pem" cannot be used: No such file or directory'),
        ("p/a.yaml", "{file: keys.json}", "{uri: https://a.b/, refresh: 2h, max_stale: 1h}",
         "keys are fetched every 7200 s and good for 3600 s: between, there are none"),
        ("p/a.yaml", "{file: keys.json}", "{uri: https://a.b/, refresh: 48h}",
         "keys are fetched every 172800 s and good for 86400 s"),
        ("p/a.yaml", "{file: keys.json}\n    algorithms: [RS256", "{uri: https://a.b/}\n    algorithms: [HS512",
         "10:18: AZ110 HS512 takes a secret"),
        ("p/a.yaml", "[orders-api]", "[]", "AZ107 the list is empty"),
        ("p/a.yaml", "issuer: https://login.example.com/", "issuer: ''", "AZ107 the text is empty"),
        ("p/a.yaml", "cookie: session", "cookie: ''", "AZ107 the text is empty"),
        ("p/a.yaml", "subject: sub", "subject: ' '", "AZ107 the text is empty"),
        ("p/a.yaml", "[cluster.local]", "['spiffe://cluster.local']", "without spiffe:// and path: cluster.local"),
        ("p/a.yaml", "[cluster.local]", "[Cluster.local]", 'no certificate is of the trust domain "Cluster.local"'),
        ("p/a.yaml", "[staff, partner, mesh]", "[staf]", 'is called "staf" (did you mean "staff"?)'),
        ("p/a.yaml", "RS256", "none", "expected "),
        ("p/partner-keys.yaml", "id: one", "id: two", 'key "two" is already in'),
        ("p/a.yaml", "/pepper", "/pepper2", "cannot be used: No such file or directory"),
        ("p/a.yaml", "10.7.0.0/16", "10.7.0.1/16", "bits behind its prefix"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_told_where_it_is_named(
    files: dict[str, bytes], name: str, old: str | None, new: str, expected: str
) -> None:
    """A bad key set, an unknown algorithm, a missing file: faults of the policies, never of a request."""
    text = new if old is None else files[name].decode().replace(old, new, 1)
    with pytest.raises(PolicyFaults) as refusal:
        compiler("auto").compile(files | {name: text.encode()})
    assert expected in str(refusal.value)


def test_an_hmac_needs_its_secret(files: dict[str, bytes]) -> None:
    """Without one, or with a short one, the digests would be anybody's to make."""
    text = "\n".join(line for line in files["p/a.yaml"].decode().split("\n") if "secret_file" not in line)
    with pytest.raises(PolicyFaults, match=r"partner-keys\.yaml:3:8: AZ206 an HMAC needs a secret"):
        compiler("auto").compile(files | {"p/a.yaml": text.encode()})


def test_compiling_fetches_nothing_unless_asked_to(files: dict[str, bytes]) -> None:
    """`authz check` knows of no issuer; the service follows exactly those whose documents are in force."""
    followed: list[list[str]] = []
    text = files["p/a.yaml"].decode().replace("{file: keys.json}", "{uri: https://login.example.com/keys}")
    compile_: Callable[[dict[str, bytes]], Any] = compiler(
        "auto", IdentityBuilder(KeyRegistry(), follow=lambda keys: followed.append(list(keys)))
    ).compile
    compile_(files | {"p/a.yaml": text.encode()})
    with pytest.raises(PolicyFaults):
        compile_(files | {"p/a.yaml": b"{}"})
    assert followed == [["staff"]]


ASKED = """
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: opaque}
spec:
  introspection:
    issuer: https://login.example.com/
    endpoint: ENDPOINT
    client_id: authz
    client_secret_file: SECRET
    timeout: 2s
    allow_private_network: true
    allow_plain_http: true
---
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: cluster}
spec: {kubernetes: {audiences: [orders]}}
---
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: edge}
spec: {envoy_jwt: {issuer: "https://login.example.com/", payload_key: jwt_payload}}
---
apiVersion: authz/v1
kind: Policy
metadata: {name: orders}
spec:
  match: [{paths: ["/**"]}]
  identity: {providers: [opaque, edge]}
  rules: [{name: known, allow: true, request_headers: {set: {x-subject: "${identity.subject}", x-provider: a}}}]
"""


class _Endpoint(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        good = b"good" in self.rfile.read(int(self.headers["content-length"]))
        answer = json.dumps({"active": good, "sub": "alice"}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[dict[str, bytes]]:
    """Serve an introspection endpoint, and return the documents that name it."""
    (tmp_path / "secret").write_text("s\n")
    with ThreadingHTTPServer(("127.0.0.1", 0), _Endpoint) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        uri = f"http://127.0.0.1:{server.server_address[1]}/introspect"
        yield {"a.yaml": ASKED.replace("ENDPOINT", uri).replace("SECRET", str(tmp_path / "secret")).encode()}
        server.shutdown()
        thread.join()


def test_a_provider_that_asks_answers_when_it_was_told(asked: dict[str, bytes]) -> None:
    """The check goes on where the issuer's answer comes in; the next one with the same token need not wait."""
    ask = Asking(asked)
    for token_, expected in (("good", 0), ("bad", 401), ("good", 0), ("bad", 401)):
        call = WaitingCall()
        ask.send(ask.request(authorization=f"Bearer {token_}"), call)
        assert call.came.wait(10)
        response = CheckResponse.FromString(call.response)
        assert response.denied_response.status.code == expected
    assert told(ask(authorization="Bearer good")) == ("alice", "a")


def test_what_envoy_verified_is_believed(asked: dict[str, bytes]) -> None:
    """The payload of `jwt_authn` in the request's metadata names the caller; without it there is nobody."""
    ask = Asking(asked)
    request = ask.request()
    claims = {"iss": ISSUER, "sub": "alice", "exp": time.time() + 60}
    request.attributes.metadata_context.filter_metadata["envoy.filters.http.jwt_authn"].update({"jwt_payload": claims})
    assert told(ask.send(request, WaitingCall())) == ("alice", "a")
    assert refused(ask())[0] == 401


@pytest.mark.parametrize(("old", "new", "expected"), [
    ("allow_plain_http: true", "allow_plain_http: false", "only https is asked"),
    ("/secret", "/other", "cannot be used: No such file or directory"),
    ("{audiences: [orders]}", "{audiences: [orders], server: 'http://k8s'}", "only https is asked"),
])  # fmt: skip
def test_tokens_are_sent_nowhere_without_tls(asked: dict[str, bytes], old: str, new: str, expected: str) -> None:
    """What could be read on the way, or not be asked at all, is a fault of the document."""
    with pytest.raises(PolicyFaults, match=expected):
        compiler("auto").compile({"a.yaml": asked["a.yaml"].decode().replace(old, new).encode()})
