"""Users of a file log in: through the engine, hot reload and a full queue included."""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import bcrypt
import pytest

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from authz.cli.request import Asked, message
from authz.engine import Engine
from authz.errors import PolicyFaults
from authz.identity import inquiries
from authz.identity.passwords import NICE, hashed
from authz.limits.memory import MemoryLimiter
from authz.server import holding
from authz.server.deciding import compiler, parts
from authz.store import Snapshot
from tests.server.calls import WaitingCall

if TYPE_CHECKING:
    from authz.policy import PolicySet

PASSWORD = "correct horse"
PROVIDER = """
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: office}
spec:
  basic: {users: users.yaml, realm: back office, timeout: 30s}
---
apiVersion: authz/v1
kind: Policy
metadata: {name: all}
spec:
  match: [{paths: ["/**"]}]
  identity: {providers: [office]}
  rules:
    - name: admins
      allow: '"admin" in identity.roles'
      request_headers: {set: {x-subject: "${identity.subject}"}, remove: [authorization]}
"""


def users(password: str = PASSWORD, more: str = "") -> str:
    """Return a file of one user."""
    return f"- {{id: alice, subject: a-1, roles: [admin], hash: '{hashed(password)}'{more}}}\n"


class Office:
    """A compiler and an engine over what it compiled last."""

    def __init__(self, kept: str) -> None:
        self._compiler = compiler("auto")
        self._policies: PolicySet | None = None
        self.outcomes: list[Any] = []
        self.use(kept)
        self._engine = Engine(
            parts(
                snapshot=self._snapshot, limiter=MemoryLimiter(), client_ip=lambda request: request.source.ip,
                fault=self._raise, observers=(self.outcomes.append,),
            )
        )  # fmt: skip

    def _raise(self, error: BaseException) -> None:
        raise error

    def _snapshot(self) -> Snapshot:
        assert self._policies is not None
        return Snapshot(policies=self._policies, generation=1, loaded_at=0.0)

    def use(self, kept: str, provider: str = PROVIDER, name: str = "p/users.yaml") -> None:
        """Put another file of users in force."""
        self._policies = self._compiler.compile({"p/a.yaml": provider.encode(), name: kept.encode()})

    def send(self, **headers: str) -> WaitingCall:
        """Ask about a request, and return the call, which may be answered later."""
        call = WaitingCall()
        asked = Asked(method="GET", url="https://a.example/x", headers=tuple(headers.items()), time=time.time())
        self._engine.check(message(asked), call)
        return call

    def login(self, password: str, user: str = "alice") -> CheckResponse:
        """Log in, and wait for the answer."""
        pair = base64.b64encode(f"{user}:{password}".encode()).decode()
        return self.send(authorization=f"basic {pair}").wait()


@pytest.fixture(scope="module")
def office() -> Office:
    """Return an office with one user."""
    return Office(users())


def challenge(response: CheckResponse) -> str:
    """Return what a denial invites with."""
    return {header.header.key: header.header.value for header in response.denied_response.headers}["www-authenticate"]


def test_a_user_logs_in(office: Office) -> None:
    """The scheme in any case; the upstream learns the subject and not the password."""
    ok = office.login(PASSWORD).ok_response
    assert [(header.header.key, header.header.value) for header in ok.headers] == [("x-subject", "a-1")]
    assert list(ok.headers_to_remove) == ["authorization"]


def test_everybody_else_is_invited_to(office: Office) -> None:
    """RFC 7617, section 2.1: 401 with the realm and the one charset there is; a good password mends no bad one."""
    invited = 'Basic realm="back office", charset="UTF-8"'
    for response in (office.login("wrong horse"), office.login(PASSWORD, "bob"), office.send().wait()):
        assert response.denied_response.status.code == 401
        assert challenge(response) == invited
    assert office.outcomes[-1].decision.reason == "unauthenticated"
    assert office.outcomes[-2].detail == "nobody has the user name"
    assert office.outcomes[-3].detail == "the password of alice is another"
    two = base64.b64encode(f"alice:{PASSWORD}".encode()).decode()
    assert office.send(authorization=f"Basic {two} {two}").wait().denied_response.status.code == 401


def test_a_changed_file_is_in_force_at_once() -> None:
    """L10: what was remembered by the old file is forgotten with it, a new password is good, a disabled user is not."""
    office = Office(users())
    assert office.login(PASSWORD).status.code == 0
    office.use(users("another horse"))
    assert office.login(PASSWORD).denied_response.status.code == 401
    assert office.login("another horse").status.code == 0
    office.use(users("another horse", ", disabled: true"))
    assert office.login("another horse").denied_response.status.code == 401
    assert office.outcomes[-1].detail == "the password of alice is disabled"


def test_a_file_of_htpasswd_will_do() -> None:
    """Its users are who they say; nothing else is known of them."""
    line = f"alice:{bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(10)).decode().replace('$2b$', '$2y$')}\n"
    provider = PROVIDER.replace("users.yaml", "users.htpasswd").replace('"admin" in identity.roles', "true")
    office = Office(users())
    office.use(line, provider, "p/users.htpasswd")
    (header,) = office.login(PASSWORD).ok_response.headers
    assert header.header.value == "alice"


def test_what_waits_for_a_hash_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of guesses: 503 beyond the queue, at once; who was known before goes on being let in."""
    office, busy = Office(users()), threading.Event()
    office.use(users(), PROVIDER.replace("timeout: 30s", "timeout: 30s, keep: 1ms"))
    assert office.login(PASSWORD).status.code == 0
    monkeypatch.setattr(inquiries, "MOST_WAITING", 8)
    monkeypatch.setattr("authz.identity.passwords.matches", lambda *_: busy.wait(30) and False)
    guesses = [office.send(authorization="Basic " + base64.b64encode(f"alice:{n}".encode()).decode()) for n in range(8)]
    assert office.login("one more").denied_response.status.code == 503
    assert office.outcomes[-1].decision.reason == "identity_unavailable"
    assert office.login(PASSWORD).status.code == 0
    assert not any(guess.came.is_set() for guess in guesses)
    busy.set()
    assert {guess.wait().denied_response.status.code for guess in guesses} == {401}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has priorities of threads")
def test_hashes_are_computed_when_nobody_else_wants_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of guesses takes what the thread that decides leaves over, and that one stays what it was."""
    seen: list[int] = []

    def looked(*_: object) -> bool:
        seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return False

    monkeypatch.setattr("authz.identity.passwords.matches", looked)
    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    Office(users()).login("guess")
    assert seen == [max(NICE, before)]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before


def test_what_can_not_be_used_is_told_where_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A weak hash in the file, a realm that can't be quoted, an extra that is not installed."""
    with pytest.raises(PolicyFaults, match=r"p/users.yaml:1:17: AZ127 MD5 \(apr1\) is too weak for passwords"):
        Office("- {id: a, hash: '$apr1$x$y'}")
    with pytest.raises(PolicyFaults, match="is no realm"):
        compiler("auto").compile({"p/a.yaml": PROVIDER.replace("back office", "'a\"b'").encode()})

    def missing(*_: object) -> None:
        raise ModuleNotFoundError("argon2")

    monkeypatch.setattr(holding, "Passwords", missing)
    with pytest.raises(PolicyFaults) as faults:
        Office(users())
    assert "p/a.yaml:6:18: AZ206 passwords need the extra: pip install 'envoy-cel-authz[passwords]'" in str(
        faults.value
    )


def test_a_record_names_the_user_and_never_the_password(office: Office) -> None:
    """O2: what is observed of a login holds the id of the entry, and nothing of the credential but in the request."""
    office.login("wrong-canary")
    outcome = office.outcomes[-1]
    assert "canary" not in json.dumps([outcome.detail, outcome.identity.detail, outcome.identity.subject])
