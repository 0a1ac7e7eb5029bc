"""Security schemes become providers."""

from __future__ import annotations

import pytest

from authz.cli.from_openapi.proving import Issuing, Missing, providers
from authz.content.openapi.security import Scheme

TOKENS = Issuing(issuer="https://login.example.com/", audiences=("api",))
BEARER = Scheme(name="Bearer Auth", kind="http", word="bearer")


def test_each_way_to_prove_oneself_has_its_provider() -> None:
    """Tokens, keys, passwords and certificates; files of entries are there, and empty."""
    found = providers(
        [
            BEARER,
            Scheme(name="key", kind="apiKey", place="query", key="k"),
            Scheme(name="people", kind="http", word="basic"),
            Scheme(name="mesh", kind="mutualTLS"),
        ],
        TOKENS._replace(trust_domains=("cluster.local",), jwks="https://login.example.com/keys"),
    )

    assert found.names == {"Bearer Auth": "Bearer-Auth", "key": "key", "people": "people", "mesh": "mesh"}
    assert [document["spec"] for document in found.documents] == [
        {
            "jwt": {
                "issuer": "https://login.example.com/", "audiences": ["api"],
                "jwks": {"uri": "https://login.example.com/keys"}, "algorithms": ["RS256", "ES256"],
            }
        },
        {"api_key": {"from": [{"query": "k"}], "keys": "key-keys.yaml"}},
        {"basic": {"users": "people-users.yaml"}},
        {"peer_certificate": {"trust_domains": ["cluster.local"]}},
    ]  # fmt: skip
    assert found.files == {"key-keys.yaml": "[]\n", "people-users.yaml": "[]\n"}
    assert len(found.notes) == 2


def test_schemes_that_are_proved_alike_share_a_provider() -> None:
    """Two providers for one issuer could not tell whose a token is."""
    found = providers([BEARER, Scheme(name="oauth", kind="oauth2", word="bearer")], TOKENS)

    assert set(found.names.values()) == {"Bearer-Auth"}
    assert len(found.documents) == 1


def test_an_issuer_may_be_in_the_document() -> None:
    """OpenID Connect says where it is discovered; an issuer that is given goes before."""
    scheme = Scheme(
        name="o", kind="openIdConnect", discovery="https://id.example.com/realm/.well-known/openid-configuration"
    )
    for given, issuer in ((Issuing(audiences=("a",)), "https://id.example.com/realm"), (TOKENS, TOKENS.issuer)):
        (document,) = providers([scheme], given).documents
        assert document["spec"]["jwt"]["issuer"] == issuer


def test_all_that_is_missing_is_told_at_once() -> None:
    """No placeholder is written that would be forgotten."""
    schemes = [BEARER, Scheme(name="mesh", kind="mutualTLS"), Scheme(name="d", kind="http", word="digest")]

    with pytest.raises(Missing) as caught:
        providers(schemes, Issuing())
    for told in ('"Bearer Auth" needs --issuer and --audience', '"mesh" needs --trust-domain', '"digest"'):
        assert told in str(caught.value)
