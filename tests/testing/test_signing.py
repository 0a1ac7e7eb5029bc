"""Tokens signed for a run, by every algorithm a provider may permit."""

from __future__ import annotations

import pytest

from authz.identity.credentials import InvalidCredential
from authz.identity.jwt import JwtRules
from authz.policy.documents.tokens import TokenAlgorithm
from authz.testing.signing import RunKeys

CLAIMS = {"iss": "i", "sub": "alice", "iat": 1000, "exp": 2000}


@pytest.mark.parametrize("algorithm", TokenAlgorithm)
def test_a_token_is_verified_as_in_service(algorithm: str) -> None:
    """Whichever algorithm is permitted, a token of the run is good in its time, and another run's is not."""
    rules = JwtRules(issuer="i", algorithms=(str(algorithm),))
    keys = RunKeys()
    token = keys.sign(rules, CLAIMS)
    assert keys.verify("staff", rules, token, 1500).subject == "alice"
    with pytest.raises(InvalidCredential, match="expired"):
        keys.verify("staff", rules, token, 3000)
    others = RunKeys()
    others.sign(rules, CLAIMS)
    with pytest.raises(InvalidCredential, match="no key"):
        others.verify("staff", rules, token, 1500)


def test_of_several_algorithms_a_quick_one_is_taken() -> None:
    """Making an RSA key takes longer than most tests."""
    rules = JwtRules(issuer="i", algorithms=("RS256", "ES256"))
    keys = RunKeys()
    keys.sign(rules, CLAIMS)
    assert list(keys._keys) == ["ES256"]
