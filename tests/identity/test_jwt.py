"""A token is believed when its signature, its issuer, its audience and its times are right, and not otherwise."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from authz.identity.credentials import InvalidCredential
from authz.identity.jwt import JwtRules, Verifier, issuer_of
from authz.identity.keys import ALGORITHMS, KeySet, read_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Issuer

NOW = 1_790_000_000.0
ISSUER = "https://login.example.com/"
RULES = JwtRules(issuer=ISSUER, audiences=("orders-api",), algorithms=("RS256", "ES256"))


class FixedKeys:
    """Keys that are always there, and a list of the unknown ones asked for."""

    def __init__(self, keys: KeySet) -> None:
        self.keys = keys
        self.asked: list[str] = []

    def current(self, now: float) -> KeySet:  # noqa: ARG002 - these never age
        return self.keys

    def unknown(self, kid: str, now: float) -> None:  # noqa: ARG002 - as above
        self.asked.append(kid)


def verifier(issuer: Issuer, rules: JwtRules = RULES, keys: KeySet | None = None) -> Verifier:
    """Return a verifier with the issuer's keys."""
    return Verifier("staff", rules, FixedKeys(keys or issuer.keys()))


def b64(content: bytes) -> str:
    """Encode as base64url without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "algorithm", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
)
def test_every_algorithm_is_verified_with_real_signatures(issuer: Issuer, algorithm: str) -> None:
    """A token of each algorithm is believed under a policy that names it, and under no other."""
    named = JwtRules(issuer=ISSUER, algorithms=(algorithm,))
    assert verifier(issuer, named).verify(issuer.token(algorithm), NOW).subject == "alice"
    others = JwtRules(issuer=ISSUER, algorithms=tuple(ALGORITHMS.keys() - {algorithm}))
    with pytest.raises(InvalidCredential, match="algorithm"):
        verifier(issuer, others).verify(issuer.token(algorithm), NOW)


def test_an_identity_is_made_of_verified_claims(issuer: Issuer) -> None:
    """Subject, issuer, roles by path, scopes by words, groups by list, and every claim for the rules."""
    rules = JwtRules(issuer=ISSUER, algorithms=("RS256",), claims=RULES.claims)
    token = issuer.token(scope="orders:read orders:write", groups=["a", 7, "b"], roles="admin", tenant="acme")
    identity = verifier(issuer, rules).verify(token, NOW)
    assert (identity.authenticated, identity.provider, identity.issuer) == (True, "staff", ISSUER)
    assert identity.scopes == ("orders:read", "orders:write")
    assert (identity.groups, identity.roles) == (("a", "b"), ("admin",))
    assert identity.claims["tenant"] == "acme"
    assert identity.expires == NOW + 600


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", "", "HS256", "rs256", 7, None, ["RS256"]])
def test_the_token_does_not_choose_how_it_is_verified(issuer: Issuer, name: Any) -> None:
    """J1: `none` in any spelling, an HMAC, another case, another type: refused before any key is looked at."""
    for signature in (b"", b"x"):
        token = issuer.forged(
            {"alg": name, "kid": "RS256"}, {"iss": ISSUER, "sub": "mallory", "exp": NOW + 60}, signature
        )
        with pytest.raises(InvalidCredential):
            verifier(issuer).verify(token, NOW)


def test_a_public_key_is_no_shared_secret(issuer: Issuer) -> None:
    """J1 (CVE-2022-29217): HS256 over the public key, in every form it could be guessed in, is refused."""
    public = issuer.private["RS256"].public_key()
    forms = [
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(issuer.jwk("RS256")).encode(),
    ]
    rules = JwtRules(issuer=ISSUER, algorithms=("RS256", "HS256"))
    signed = f"{b64(json.dumps({'alg': 'HS256', 'kid': 'RS256'}).encode())}." + b64(
        json.dumps({"iss": ISSUER, "sub": "mallory", "exp": NOW + 60}).encode()
    )
    for secret in forms:
        token = f"{signed}.{b64(hmac.digest(secret, signed.encode(), hashlib.sha256))}"
        with pytest.raises(InvalidCredential, match="no key"):
            verifier(issuer, rules).verify(token, NOW)


def test_header_and_key_agree_on_the_algorithm(issuer: Issuer) -> None:
    """J2 (CVE-2026-48523): a PS256 signature by a key that is for RS256 is refused, though both are permitted."""
    rules = JwtRules(issuer=ISSUER, algorithms=("RS256", "PS256"))
    token = issuer.token("PS256", {"kid": "RS256"})
    with pytest.raises(InvalidCredential, match="no key"):
        verifier(issuer, rules).verify(token, NOW)


@pytest.mark.parametrize("header", [
    {"crit": ["exp"]}, {"crit": ["x"], "x": 1}, {"crit": []}, {"b64": False, "crit": ["b64"]}, {"b64": True},
    {"jku": "http://127.0.0.1/keys"}, {"x5u": "https://mallory.example/"}, {"zip": "DEF"},
    {"jwk": {"kty": "oct", "k": "AAAA"}}, {"x5c": ["MIIB"]}, {"enc": "A256GCM"},
])  # fmt: skip
def test_headers_that_bring_keys_or_extensions_are_refused(issuer: Issuer, header: dict[str, object]) -> None:
    """J3, J4: an unknown extension is critical by definition, and no header names or brings a key."""
    good = issuer.token()
    fields = {"alg": "RS256", "kid": "RS256", **header}
    signed = f"{b64(json.dumps(fields).encode())}.{good.split('.')[1]}"
    signature = ALGORITHMS["RS256"].sign(signed.encode(), issuer.private["RS256"])
    with pytest.raises(InvalidCredential, match="header has"):
        verifier(issuer).verify(f"{signed}.{b64(signature)}", NOW)


@pytest.mark.parametrize("kid", ["../../etc/passwd", "' or 1", "x" * 60_000, "RS256\x00", "rs256"])
def test_a_kid_only_chooses_among_our_keys(issuer: Issuer, kid: str) -> None:
    """J4: whatever it holds, it opens no file, asks no database and matches no key but its own."""
    with pytest.raises(InvalidCredential, match="no key"):
        verifier(issuer).verify(issuer.token("RS256", {"kid": kid}), NOW)


def test_a_token_that_names_no_key_is_tried_with_those_of_its_algorithm(issuer: Issuer) -> None:
    """RFC 7515, section 4.1.4: `kid` is optional."""
    token = issuer.token()
    header, payload, _ = token.split(".")
    fields = {"alg": "RS256"}
    signed = f"{b64(json.dumps(fields).encode())}.{payload}"
    signature = ALGORITHMS["RS256"].sign(signed.encode(), issuer.private["RS256"])
    assert header != b64(json.dumps(fields).encode())
    assert verifier(issuer).verify(f"{signed}.{b64(signature)}", NOW).subject == "alice"


def test_an_unknown_kid_is_told(issuer: Issuer) -> None:
    """J5: the keys hear that theirs may be old; whether they fetch is theirs to decide."""
    keys = FixedKeys(issuer.keys())
    with pytest.raises(InvalidCredential):
        Verifier("staff", RULES, keys).verify(issuer.token("RS256", {"kid": "new"}), NOW)
    assert keys.asked == ["new"]


@pytest.mark.parametrize("kind", [
    "logout+jwt", "application/logout+jwt", "Secevent+JWT", "dpop+jwt", "token-introspection+jwt", "kb+jwt",
])  # fmt: skip
def test_a_token_of_another_kind_lets_nobody_in(issuer: Issuer, kind: str) -> None:
    """J1 (RFC 8725, 3.11): a logout token has the issuer's signature, the user's subject and our audience."""
    with pytest.raises(InvalidCredential, match="another kind"):
        verifier(issuer).verify(issuer.token("RS256", {"typ": kind}), NOW)


@pytest.mark.parametrize("kind", ["JWT", "at+jwt", "application/at+JWT", "txntoken+jwt"])
def test_a_token_may_say_that_it_is_one(issuer: Issuer, kind: str) -> None:
    """Access tokens name their kind or do not (RFC 9068)."""
    assert verifier(issuer).verify(issuer.token("RS256", {"typ": kind}), NOW).authenticated


@pytest.mark.parametrize(("claims", "good"), [
    ({"exp": NOW}, True),
    ({"exp": NOW - 29}, True),
    ({"exp": NOW - 30}, False),
    ({"exp": NOW - 31}, False),
    ({"exp": None}, False),
    ({"exp": str(NOW)}, False),
    ({"exp": True}, False),
    ({"exp": -1}, False),
    ({"exp": 1e400}, False),
    ({"exp": 10**400}, False),
    ({"exp": 1e300}, False),
    ({"nbf": 10**400}, False),
    ({"exp": [NOW]}, False),
    ({"nbf": NOW + 29}, True),
    ({"nbf": NOW + 31}, False),
    ({"nbf": "soon"}, False),
    ({"iat": NOW + 31}, False),
    ({"iat": None}, True),
    ({"nbf": False}, False),
])  # fmt: skip
def test_times_are_numbers_and_hold_to_the_leeway(issuer: Issuer, claims: dict[str, object], good: bool) -> None:
    """J7: `exp` is required, nothing but a finite number is a time, and the leeway is all there is."""
    if good:
        assert verifier(issuer).verify(issuer.token(**claims), NOW).authenticated
    else:
        with pytest.raises(InvalidCredential):
            verifier(issuer).verify(issuer.token(**claims), NOW)


@pytest.mark.parametrize("claims", [
    {"iss": None}, {"iss": ISSUER.rstrip("/")}, {"iss": ISSUER + "x"}, {"iss": ISSUER.upper()}, {"iss": [ISSUER]},
    {"iss": 7},
    {"aud": None}, {"aud": "orders"}, {"aud": ["other", "*"]}, {"aud": 7}, {"aud": []}, {"aud": {"orders-api": 1}},
    {"sub": None}, {"sub": ""}, {"sub": 7}, {"sub": ["alice"]},
])  # fmt: skip
def test_issuer_audience_and_subject_match_exactly(issuer: Issuer, claims: dict[str, object]) -> None:
    """J8, J11: a prefix, another case, another type or nothing at all is another issuer, audience or nobody."""
    with pytest.raises(InvalidCredential):
        verifier(issuer).verify(issuer.token(**claims), NOW)


def test_one_of_several_audiences_is_enough(issuer: Issuer) -> None:
    """RFC 7519, section 4.1.3."""
    assert verifier(issuer).verify(issuer.token(aud=["other", "orders-api"]), NOW).authenticated


def test_required_claims_must_be_there(issuer: Issuer) -> None:
    """A provider may ask for claims beyond the standard ones."""
    rules = JwtRules(issuer=ISSUER, algorithms=("RS256",), required=("tenant",))
    with pytest.raises(InvalidCredential, match="'tenant'"):
        verifier(issuer, rules).verify(issuer.token(), NOW)
    assert verifier(issuer, rules).verify(issuer.token(tenant="acme"), NOW).authenticated


def mangled(token: str) -> Iterator[str]:
    """Yield what is nearly the token."""
    header, payload, signature = token.split(".")
    yield from (
        "",
        ".",
        "..",
        "...",
        f"{header}.{payload}",
        f"{header}.{payload}.",
        f"{token}.",
        f"{token}.x.y",
        f".{payload}.{signature}",
    )
    yield from (
        f"{token}=",
        f"{header}=.{payload}.{signature}",
        f" {token}",
        f"{token}\n",
        token.replace(".", ".."),
        f"{header} .{payload}.{signature}",
    )
    yield f"{header}.{payload[:-1]}.{signature}"
    yield f"{header}.{payload}.{signature[:-1]}"
    yield f"{header}.{payload}.{signature.replace('_', '/').replace('-', '+')}+"
    yield "." * 10_000


def test_a_token_has_one_spelling(issuer: Issuer) -> None:
    """J9: three parts of canonical base64url; a JWE, padding, blanks, a cut or doubled part is no token."""
    for token in mangled(issuer.token()):
        with pytest.raises(InvalidCredential):
            verifier(issuer).verify(token, NOW)


def test_a_claim_that_stands_twice_is_refused(issuer: Issuer) -> None:
    """Two readers must not find two subjects in one token, though its signature is good."""
    payload = f'{{"iss": "{ISSUER}", "aud": "orders-api", "exp": {NOW + 60}, "sub": "alice", "sub": "admin"}}'
    signed = f"{b64(json.dumps({'alg': 'RS256', 'kid': 'RS256'}).encode())}.{b64(payload.encode())}"
    signature = ALGORITHMS["RS256"].sign(signed.encode(), issuer.private["RS256"])
    with pytest.raises(InvalidCredential, match="reads one way"):
        verifier(issuer).verify(f"{signed}.{b64(signature)}", NOW)


def test_a_remembered_token_still_expires(issuer: Issuer) -> None:
    """J4: what was verified once is looked at again for its times, on every use."""
    checked = verifier(issuer)
    token = issuer.token()
    assert checked.verify(token, NOW).authenticated
    assert checked.verify(token, NOW + 629).authenticated
    with pytest.raises(InvalidCredential, match="expired"):
        checked.verify(token, NOW + 630)


def test_a_remembered_token_goes_with_its_key(issuer: Issuer) -> None:
    """L10: when the issuer withdraws a key, what it signed is believed no longer."""
    keys = FixedKeys(issuer.keys())
    checked = Verifier("staff", RULES, keys)
    token = issuer.token()
    assert checked.verify(token, NOW).authenticated
    keys.keys = issuer.keys("ES256")
    with pytest.raises(InvalidCredential, match="no key"):
        checked.verify(token, NOW)


@given(st.text(max_size=200))
def test_no_text_is_believed_or_breaks_anything(text: str) -> None:
    """Any text is either a token or refused: nothing else comes out."""
    keys = read_keys(json.dumps({"keys": [{"kty": "oct", "k": b64(b"s" * 32)}]}).encode(), secrets=True)
    with pytest.raises(InvalidCredential):
        Verifier("staff", RULES, FixedKeys(keys)).verify(text, NOW)


def test_the_issuer_is_read_only_to_choose_a_verifier(issuer: Issuer) -> None:
    """It is what the token says, and proves nothing."""
    assert issuer_of(issuer.token()) == ISSUER
    with pytest.raises(InvalidCredential):
        issuer_of("garbage")
