"""Identity providers, made of the documents that describe them.

`policy` knows what is written and where, `identity` knows what proves who is calling; here the one becomes the other.
What a document names and can't be used is a fault at the key that names it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from authz.identity.api_keys import KeyUses
from authz.identity.certificates import PeerCertificates
from authz.identity.claims import ClaimRules, Claims
from authz.identity.credentials import Place
from authz.identity.fetch import Rules, trusted
from authz.identity.forwarded import ForwardedTokens
from authz.identity.inquiries import Inquiries, InquiryRules
from authz.identity.issuers import Introspection, TokenReviews
from authz.identity.jwks import Origin, RemoteKeys
from authz.identity.jwt import JwtRules, StaticKeys, Verifier
from authz.identity.keys import read_keys
from authz.identity.providers import Provider, Providers
from authz.policy import Unfit
from authz.policy.documents.asked import OnFailure
from authz.policy.faults import Together
from authz.server.entrusted import ACCOUNT, Entrusted
from authz.server.holding import api_keys, passwords
from authz.server.written import challenge_of, places_of, usable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authz.identity.inquiries import Ask
    from authz.identity.jwt import Keys
    from authz.identity.providers import Witness
    from authz.identity.registry import KeyRegistry
    from authz.policy import Beside, Identifier, IdentityProvider
    from authz.policy.documents import ProviderSpec, asked, tokens
    from authz.policy.source import Text

BEARER = (Place(header="authorization", scheme="Bearer"),)
"""Where tokens are looked for unless the document says otherwise."""

IN_CLUSTER = "https://kubernetes.default.svc"


class IdentityBuilder:
    """Makes providers; those with remote keys share the ones of `keys`.

    `follow` is told whose keys are to be fetched; without it nobody's are. `secrets` reads the files that documents
    name for theirs.
    """

    def __init__(
        self,
        keys: KeyRegistry,
        uses: KeyUses | None = None,
        follow: Callable[[Mapping[str, RemoteKeys]], None] = lambda _: None,
        secrets: Entrusted = Entrusted(),  # noqa: B008 - it never changes
    ) -> None:
        self._keys = keys
        self._secrets = secrets
        self._uses = uses or KeyUses()
        self._follow = follow

    def build(self, document: IdentityProvider, beside: Beside) -> Provider:
        """Return the provider of a document; raises `Unfit`."""
        name, spec = document.name, document.spec
        if spec.jwt is not None:
            return self._jwt(name, spec.jwt, beside)
        if spec.introspection is not None:
            return _introspection(name, spec.introspection, self._secrets)
        if spec.kubernetes is not None:
            return _kubernetes(name, spec.kubernetes, self._secrets)
        if spec.api_key is not None:
            return api_keys(name, spec.api_key, beside, self._uses, self._secrets)
        if spec.basic is not None:
            return passwords(name, spec.basic, beside)
        return Provider(name=name, witness=_witness(name, spec))

    def join(self, providers: Mapping[str, object]) -> Identifier:
        """Return what asks these providers; from here on their keys are fetched."""
        built = cast("Mapping[str, Provider]", providers)  # what was at fault never comes this far
        self._follow({name: one.keys for name, one in built.items() if one.keys is not None})
        self._uses.keep([(name, key) for name, one in built.items() for key in one.ids])
        return Providers(built)

    def _jwt(self, name: str, spec: tokens.Jwt, beside: Beside) -> Provider:
        rules = JwtRules(**_claim_rules(spec), algorithms=tuple(map(str, spec.algorithms)))
        places, keys = places_of(spec.places) or BEARER, self._source(spec, beside)
        return Provider(
            name=name,
            places=places,
            proof=Verifier(name, rules, keys),
            issuer=rules.issuer,
            keys=keys if isinstance(keys, RemoteKeys) else None,
            challenge=challenge_of(places, "Bearer"),
            rules=rules,
        )

    def _source(self, spec: tokens.Jwt, beside: Beside) -> Keys:
        source = spec.jwks
        if source.file is not None:
            _, content = beside.raw(source.file)
            return usable(source.file, lambda: StaticKeys(read_keys(content, secrets=True)))
        ca = source.ca
        if ca is not None:
            usable(ca, lambda: trusted(str(ca)))
        rules = Rules(
            timeout=source.timeout,
            allow_private=source.allow_private_network,
            allow_plain_http=source.allow_plain_http,
            ca=None if ca is None else str(ca),
        )
        return self._keys.keys(
            Origin(
                uri=None if source.uri is None else str(source.uri),
                issuer=str(spec.issuer),
                refresh=source.refresh,
                max_stale=source.max_stale,
                rules=rules,
            )
        )


def _witness(name: str, spec: ProviderSpec) -> Witness:
    """Return what believes Envoy: it has verified a token, or the peer's certificate."""
    if spec.envoy_jwt is not None:
        rules = ClaimRules(**_claim_rules(spec.envoy_jwt))
        return ForwardedTokens(name, rules, str(spec.envoy_jwt.payload_key))
    mesh = spec.peer_certificate
    assert mesh is not None  # noqa: S101 - the document says exactly one
    return PeerCertificates(name, mesh.trust_domains, mesh.forwarded_from)


def _introspection(name: str, spec: asked.Introspection, secrets: Entrusted) -> Provider:
    rules, file = ClaimRules(**_claim_rules(spec)), spec.client_secret_file
    usable(file, lambda: secrets.text(file))
    ask = Introspection(
        name, rules, str(spec.endpoint), _net(spec, spec.endpoint), str(spec.client_id), lambda: secrets.text(file)
    )
    return _asking(name, spec, ask, rules)


def _kubernetes(name: str, spec: asked.KubernetesToken, secrets: Entrusted) -> Provider:
    """Return what asks an API server; our own account is for that of our cluster, and is shown to no other."""
    file, usual = spec.account_token_file, f"{ACCOUNT}/token"
    server = IN_CLUSTER if spec.server is None else str(spec.server)
    net = Rules(allow_private=True, ca=f"{ACCOUNT}/ca.crt") if spec.server is None else _net(spec, spec.server)
    lent = Entrusted(ours=()) if server == IN_CLUSTER and str(file or usual) == usual else secrets
    place = file or spec.server
    if place is not None:  # permitted is enough: it may not be mounted where policies are checked
        usable(place, lambda: lent.permitted(file or usual))
    ask = TokenReviews(name, server, net, lambda: lent.text(file or usual), tuple(map(str, spec.audiences)))
    return _asking(name, spec, ask)


def _asking(name: str, spec: asked.Asked, ask: Ask, rules: ClaimRules | None = None) -> Provider:
    places = places_of(spec.places) or BEARER
    bounds = InquiryRules(
        timeout=spec.timeout,
        keep=spec.keep,
        keep_refused=spec.keep_refused,
        stale=spec.max_stale if spec.on_error is OnFailure.STALE else 0.0,
    )
    return Provider(
        name=name,
        places=places,
        inquiry=Inquiries(ask, bounds),
        issuer=None if rules is None else rules.issuer,
        challenge=challenge_of(places, "Bearer"),
        rules=rules,
    )


def _net(spec: asked.Asked, uri: Text) -> Rules:
    """Return how somebody is asked; an address that is not https is a fault unless that is permitted."""
    if not uri.startswith("https://") and not spec.allow_plain_http:
        raise Unfit(uri.fault(Together.PROOF, "only https is asked: tokens are sent there"))
    ca = spec.ca
    if ca is not None:
        usable(ca, lambda: trusted(str(ca)))
    return Rules(
        allow_private=spec.allow_private_network,
        allow_plain_http=spec.allow_plain_http,
        ca=None if ca is None else str(ca),
    )


def _claim_rules(spec: tokens.Jwt | tokens.EnvoyJwt | asked.Introspection) -> dict[str, Any]:
    """Return what every kind of token must say, as the arguments of `ClaimRules`."""
    names, usual = spec.claims, Claims()
    return {
        "issuer": str(spec.issuer),
        "audiences": tuple(map(str, spec.audiences)),
        "required": tuple(map(str, spec.required)),
        "leeway": spec.leeway,
        "claims": Claims(
            subject=str(names.subject or usual.subject),
            roles=str(names.roles or usual.roles),
            groups=str(names.groups or usual.groups),
            scopes=str(names.scopes or usual.scopes),
        ),
    }
