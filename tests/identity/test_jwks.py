"""Key sets survive their issuer's absence, its mistakes, and those who would have us fetch all day."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from authz.errors import Unavailable
from authz.identity.credentials import InvalidCredential
from authz.identity.fetch import Rules
from authz.identity.jwks import COOL_DOWN, Origin, RemoteKeys
from authz.identity.jwt import JwtRules, Verifier
from tests.identity.conftest import wait_for

if TYPE_CHECKING:
    from conftest import Issuer

NOW = 1_790_000_000.0
ISSUER = "https://login.example.com/"
URI = "https://login.example.com/keys"


class Net:
    """What the outside answers, under a clock that tests move."""

    def __init__(self, **answers: bytes | str) -> None:
        self.now = NOW
        self.answers: dict[str, bytes | str] = {URI: answers.get("keys", b"")}
        self.fetched: list[str] = []

    def clock(self) -> float:
        return self.now

    def get(self, uri: str, rules: Rules) -> bytes:  # noqa: ARG002 - the rules are fetch's
        self.fetched.append(uri)
        answer = self.answers.get(uri, "not found")
        if isinstance(answer, str):
            raise Unavailable(answer)
        return answer

    def keys(self, **changes: object) -> RemoteKeys:
        origin = Origin(**{"uri": URI, "issuer": ISSUER, **changes})  # type: ignore[arg-type]
        return RemoteKeys(origin, clock=self.clock, get=self.get)


def test_there_are_no_keys_before_the_first_fetch(issuer: Issuer) -> None:
    """At start nobody is believed yet, and nobody is told that their token is bad."""
    keys = Net(keys=issuer.jwks()).keys()
    with pytest.raises(Unavailable, match="not been fetched"):
        keys.current(NOW)
    assert keys.refresh()
    assert len(keys.current(NOW).keys) == 10


@pytest.mark.parametrize("answer", [
    "timed out", b"", b"<html>502</html>", b'{"keys": []}', b'{"keys": [{"kty": "RSA"}]}', b"[" * 100_000, b"\xff",
])  # fmt: skip
def test_a_failed_fetch_never_costs_the_keys_we_have(issuer: Issuer, answer: bytes | str) -> None:
    """J6 (pyjwt #1162): an error, garbage or an empty set is told, and the last good keys go on."""
    net = Net(keys=issuer.jwks())
    keys = net.keys()
    keys.refresh()
    net.answers[URI] = answer
    assert not keys.refresh()
    assert keys.error
    assert len(keys.current(net.now).keys) == 10


def test_an_outage_of_an_hour_denies_nobody(issuer: Issuer) -> None:
    """Tokens signed by keys we have are believed for all of `max_stale`, and not one second longer."""
    net = Net(keys=issuer.jwks())
    keys = net.keys(max_stale=86_400.0)
    keys.refresh()
    checked = Verifier("staff", JwtRules(issuer=ISSUER, algorithms=("RS256",)), keys)
    net.answers[URI] = "connection refused"
    for minute in range(60):
        net.now = NOW + 60 * minute
        keys.refresh()
        assert checked.verify(issuer.token(exp=net.now + 60, jti=str(minute)), net.now).subject == "alice"
    with pytest.raises(Unavailable, match="too old"):
        checked.verify(issuer.token(exp=NOW + 90_000), NOW + 86_401)


def test_a_thousand_unknown_keys_ask_for_one_fetch(issuer: Issuer) -> None:
    """J5: random kids cost the issuer one fetch per cool-down, and good tokens nothing."""
    net = Net(keys=issuer.jwks())
    keys = net.keys()
    keys.refresh()
    woken = []
    keys._wake.set = lambda: woken.append(net.now)  # type: ignore[method-assign]
    checked = Verifier("staff", JwtRules(issuer=ISSUER, algorithms=("ES256",)), keys)
    for number in range(1000):
        with pytest.raises(InvalidCredential):
            checked.verify(issuer.token("ES256", {"kid": f"random-{number}"}), NOW + number / 1000)
    assert len(woken) == 1
    assert checked.verify(issuer.token("ES256"), NOW).authenticated
    keys.unknown("again", NOW + COOL_DOWN + 1)
    assert len(woken) == 2


def test_a_new_key_is_there_after_the_fetch_it_asked_for(issuer: Issuer) -> None:
    """Rotation: the first token of a new key wakes the refresher, and the thread brings the key."""
    net = Net(keys=issuer.jwks("RS256"))
    keys = net.keys()
    keys.start()
    try:
        wait_for(lambda: keys.age(NOW) is not None)
        net.answers[URI] = issuer.jwks("RS256", "ES256")
        keys.unknown("ES256", NOW)
        wait_for(lambda: bool(keys.current(NOW).candidates("ES256", "ES256")))
        assert keys.fetches == 2
    finally:
        keys.stop()


def test_an_unchanged_set_stays_the_same_object(issuer: Issuer) -> None:
    """Tokens verified once need not be verified again because time has passed."""
    keys = Net(keys=issuer.jwks()).keys()
    keys.refresh()
    before = keys.current(NOW)
    keys.refresh()
    assert keys.current(NOW) is before


def test_the_discovery_document_names_the_keys(issuer: Issuer) -> None:
    """OpenID Connect Discovery 1.0, section 4: found below the issuer, believed only if it says the same issuer."""
    net = Net(keys=issuer.jwks())
    discovery = "https://login.example.com/.well-known/openid-configuration"
    net.answers[discovery] = json.dumps({"issuer": ISSUER, "jwks_uri": URI}).encode()
    keys = net.keys(uri=None)
    assert keys.refresh()
    assert net.fetched == [discovery, URI]
    net.answers[discovery] = json.dumps({"issuer": "https://evil.example/", "jwks_uri": URI}).encode()
    assert not keys.refresh()


def test_failures_are_retried_soon_and_then_less_often(issuer: Issuer) -> None:
    """After a failure one second, doubling up to the refresh interval; after a success the interval."""
    net = Net(keys="down")
    keys = net.keys(refresh=10.0)
    pauses = []
    for _ in range(6):
        keys.refresh()
        pauses.append(keys._pause())
    assert pauses == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    net.answers[URI] = issuer.jwks()
    keys.refresh()
    assert keys._pause() == 10.0
