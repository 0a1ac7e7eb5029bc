"""What knowing the caller costs: a credential that was seen before, a token that never was, saying who it is.

In this process and without gRPC, so that nothing but identity differs: the same requests are decided by the same
policies, once with the identity handed in and once with it proved.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from base64 import b64encode
from itertools import count
from typing import TYPE_CHECKING

import jwt
from comparing import BenchmarkError, Effort, Row, in_turns, row
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import RSAAlgorithm
from msgspec.structs import replace

from authz.config.settings import SigningSettings
from authz.engine import Engine
from authz.identity.api_keys import digest
from authz.identity.passwords import hashed
from authz.limits.memory import MemoryLimiter
from authz.model import Effect, Identity
from authz.server.deciding import compiler, parts
from authz.server.signing import Telling, signing
from authz.store import Snapshot
from authz.testing.asking import Asked, Call, message
from authz.wire import write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from authz.model import Outcome, Request
    from authz.policy import Identifier

ISSUER, KEY = "https://login.example.com/", "azk_bench"
PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
LOGIN = b64encode(b"alice:correct horse").decode()
USERS = f"- {{id: alice, hash: '{hashed('correct horse')}', scopes: ['orders:read']}}"
CHECKS = 2000  # per second of effort

POLICIES = """
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: staff}
spec:
  jwt: {issuer: https://login.example.com/, audiences: [orders], jwks: {file: keys.json}, algorithms: [RS256]}
---
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: partner}
spec:
  api_key: {from: [{header: x-api-key}], keys: keys.yaml}
---
apiVersion: authz/v1
kind: Policy
metadata: {name: orders}
spec:
  match: [{hosts: [api.example.com], paths: ["/orders/{id}"], methods: [GET, POST]}]
  identity: {providers: [staff, partner]}
  rules:
    - {name: frozen, deny: request.path.endsWith("/frozen")}
    - name: readers
      allow: request.method == "GET" && "orders:read" in identity.scopes && identity.claims.?tenant.orValue("a") == "a"
      request_headers: {set: {x-subject: "${identity.subject}"}}
    - {name: writers, allow: request.method == "POST" && "orders:write" in identity.scopes}
---
apiVersion: authz/v1
kind: Policy
metadata: {name: empty}
spec: {match: [{paths: ["/empty"]}], rules: [{name: all, allow: true}]}
"""


OFFICE = """
---
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: office}
spec:
  basic: {users: users.yaml, keep: 1h, timeout: 30s}
---
""" + POLICIES[POLICIES.index("apiVersion: authz/v1\nkind: Policy") :].partition("---")[0].replace(
    "name: orders", "name: office"
).replace("/orders/", "/office/").replace("[staff, partner]", "[office]")


class _Given:
    """Says who is calling without looking: whoever a provider found before."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    def identify(
        self, _providers: Sequence[str], _request: Request, _deadline: float, done: Callable[[Identity], None], /
    ) -> None:
        done(self._identity)


def identity(effort: Effort, folder: Path) -> Iterator[Row]:
    """Compare decisions with the identity proved and handed in, and a token's first verification with a decision."""
    number = int(CHECKS * effort.seconds)
    orders, shown = "https://api.example.com/orders/7", count()
    proving = _engine(None)
    known = _message(orders, authorization=f"Bearer {_token(0)}")
    keyed = _message(orders, **{"x-api-key": KEY})
    empty = _message("https://api.example.com/empty")

    def given(asked: bytes) -> Engine:
        outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        _engine(None, outcomes.put).check(asked, Call())
        return _engine(_Given(outcomes.get(timeout=30).identity))

    def new() -> list[bytes]:
        return [_message(orders, authorization=f"Bearer {_token(next(shown))}") for _ in range(max(50, number // 20))]

    sides = ("identity handed in", "identity proved")
    login = _message("https://api.example.com/office/7", authorization=f"Basic {LOGIN}")
    _logged_in(proving, login)
    for name, asked in (("token seen before, us", known), ("API key, us", keyed), ("password seen before, us", login)):
        handed = given(asked)
        rounds = in_turns(
            effort.rounds,
            lambda engine=handed, messages=[asked] * number: _cost(engine, messages),
            lambda messages=[asked] * number: _cost(proving, messages),
        )
        yield row("identity", name, sides, rounds, at_most=1.10)
    rounds = in_turns(effort.rounds, lambda: _cost(proving, [empty] * number), lambda: _cost(proving, new()))
    yield row("identity", "new RS256 token, us", ("empty decision", "with verification"), rounds, at_most=10.0)
    telling = _engine(None, tell=folder)
    rounds = in_turns(effort.rounds, lambda: _cost(proving, [known] * number), lambda: _cost(telling, [known] * number))
    yield row("identity", "who is calling, signed, us", ("not said", "said"), rounds, at_most=1.15)


def _logged_in(engine: Engine, login: bytes) -> None:
    """Log in once, and wait for the password's hash."""
    came = threading.Event()

    class Waiting(Call):
        def answer(self, _response: bytes) -> None:
            came.set()

    engine.check(login, Waiting())
    if not came.wait(30):
        raise BenchmarkError("nobody was logged in")


def _cost(engine: Engine, messages: Sequence[bytes]) -> float:
    """Return the microseconds of CPU that one check takes."""
    call = Call()
    begun = time.process_time()
    for content in messages:
        engine.check(content, call)
    return (time.process_time() - begun) / len(messages) * 1e6


def _engine(identifier: Identifier | None, *observers: Callable[[Outcome], None], tell: Path | None = None) -> Engine:
    files = {"a.yaml": POLICIES + OFFICE, "keys.json": _jwks(), "keys.yaml": _entries(), "users.yaml": USERS}
    policies = compiler("auto").compile({name: text.encode() for name, text in files.items()})
    snapshot = Snapshot(policies=policies, generation=1, loaded_at=0.0)
    made = parts(
        snapshot=lambda: snapshot, limiter=MemoryLimiter(), client_ip=lambda request: request.source.ip,
        fault=_raise, observers=(_expect_allow, *observers), identifier=identifier,
    )  # fmt: skip
    return Engine(made if tell is None else replace(made, write=_telling(tell).write))


def _telling(folder: Path) -> Telling:
    file = folder / "signing.pem"
    private = ec.generate_private_key(ec.SECP256R1())
    file.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    settings = SigningSettings(keys=(file,), issuer="bench", audience="orders")
    keys = signing(settings)
    assert keys is not None
    return Telling(settings, keys, write)


def _expect_allow(outcome: Outcome) -> None:
    if outcome.decision.effect is not Effect.ALLOW:
        raise BenchmarkError(f"denied: {outcome.decision.reason}, {outcome.detail}")


def _raise(error: BaseException) -> None:
    raise error


def _message(url: str, **headers: str) -> bytes:
    usual = (("accept", "application/json"), ("user-agent", "bench/1"), ("x-request-id", "0" * 32))
    return message(Asked(method="GET", url=url, headers=(*usual, *headers.items()), time=time.time()))


def _token(number: int) -> str:
    claims = {"iss": ISSUER, "aud": "orders", "sub": "alice", "exp": int(time.time()) + 3600, "jti": str(number)}
    return jwt.encode({**claims, "scope": "orders:read", "tenant": "a"}, PRIVATE, "RS256", {"kid": "1"})


def _jwks() -> str:
    public = RSAAlgorithm(RSAAlgorithm.SHA256).to_jwk(PRIVATE.public_key(), as_dict=True)
    return json.dumps({"keys": [{**public, "kid": "1", "alg": "RS256"}]})


def _entries() -> str:
    return f'- {{id: one, sha256: "{digest(KEY.encode())}", scopes: ["orders:read"]}}'
