"""Identity providers, made of the documents that describe them.

`policy` knows what is written and where, `identity` knows what proves who is calling; here the one becomes the other.
What a document names and can't be used is a fault at the key that names it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from authz.identity.api_keys import SHORTEST_SECRET, ApiKeys, Entry, KeyUses
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
from authz.policy import Unfit, key_entries
from authz.policy.documents.asked import OnFailure
from authz.policy.faults import Together

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from authz.identity.inquiries import Ask
    from authz.identity.jwt import Keys
    from authz.identity.registry import KeyRegistry
    from authz.policy import Beside, Identifier, IdentityProvider, KeyEntry
    from authz.policy.documents import asked, tokens
    from authz.policy.documents import providers as written
    from authz.policy.source import Text

BEARER = (Place(header="authorization", scheme="Bearer"),)
"""Where tokens are looked for unless the document says otherwise."""

T = TypeVar("T")

IN_CLUSTER = "https://kubernetes.default.svc"
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Where Kubernetes mounts a pod's own token and the certificates of its API server."""

REALM = 'realm="api"'
"""RFC 6750, section 3, wants a parameter behind `Bearer`."""


class IdentityBuilder:
    """Makes providers; those with remote keys share the ones of `keys`.

    `follow` is told whose keys are to be fetched; without it nobody's are.
    """

    def __init__(
        self,
        keys: KeyRegistry,
        uses: KeyUses | None = None,
        follow: Callable[[Mapping[str, RemoteKeys]], None] = lambda _: None,
    ) -> None:
        self._keys = keys
        self._uses = uses or KeyUses()
        self._follow = follow

    def build(self, document: IdentityProvider, beside: Beside) -> Provider:
        """Return the provider of a document; raises `Unfit`."""
        name, spec = document.name, document.spec
        if spec.jwt is not None:
            return self._jwt(name, spec.jwt, beside)
        if spec.envoy_jwt is not None:
            rules = ClaimRules(**_claim_rules(spec.envoy_jwt))
            return Provider(name=name, witness=ForwardedTokens(name, rules, str(spec.envoy_jwt.payload_key)))
        if spec.introspection is not None:
            return _introspection(name, spec.introspection)
        if spec.kubernetes is not None:
            return _kubernetes(name, spec.kubernetes)
        if spec.api_key is not None:
            return _api_key(name, spec.api_key, beside, self._uses)
        assert spec.peer_certificate is not None  # noqa: S101 - the document says exactly one
        mesh = spec.peer_certificate
        return Provider(name=name, witness=PeerCertificates(name, mesh.trust_domains, mesh.forwarded_from))

    def join(self, providers: Mapping[str, object]) -> Identifier:
        """Return what asks these providers; from here on their keys are fetched."""
        built = cast("Mapping[str, Provider]", providers)  # what was at fault never comes this far
        self._follow({name: one.keys for name, one in built.items() if one.keys is not None})
        self._uses.keep([(name, key) for name, one in built.items() for key in one.ids])
        return Providers(built)

    def _jwt(self, name: str, spec: tokens.Jwt, beside: Beside) -> Provider:
        rules = JwtRules(**_claim_rules(spec), algorithms=tuple(map(str, spec.algorithms)))
        places, keys = _places(spec.places) or BEARER, self._source(spec, beside)
        return Provider(
            name=name,
            places=places,
            proof=Verifier(name, rules, keys),
            issuer=rules.issuer,
            keys=keys if isinstance(keys, RemoteKeys) else None,
            challenge=_challenge(places, "Bearer"),
        )

    def _source(self, spec: tokens.Jwt, beside: Beside) -> Keys:
        source = spec.jwks
        if source.file is not None:
            _, content = beside.raw(source.file)
            return _usable(source.file, lambda: StaticKeys(read_keys(content, secrets=True)))
        ca = source.ca
        if ca is not None:
            _usable(ca, lambda: trusted(str(ca)))
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


def _introspection(name: str, spec: asked.Introspection) -> Provider:
    rules, file = ClaimRules(**_claim_rules(spec)), spec.client_secret_file
    _usable(file, lambda: _secret(file))
    ask = Introspection(
        name, rules, str(spec.endpoint), _net(spec, spec.endpoint), str(spec.client_id), lambda: _secret(file)
    )
    return _asking(name, spec, ask, rules.issuer)


def _kubernetes(name: str, spec: asked.KubernetesToken) -> Provider:
    file = str(spec.account_token_file or f"{ACCOUNT}/token")
    server = IN_CLUSTER if spec.server is None else str(spec.server)
    net = Rules(allow_private=True, ca=f"{ACCOUNT}/ca.crt") if spec.server is None else _net(spec, spec.server)
    ask = TokenReviews(name, server, net, lambda: _secret(file), tuple(map(str, spec.audiences)))
    return _asking(name, spec, ask)


def _asking(name: str, spec: asked.Asked, ask: Ask, issuer: str | None = None) -> Provider:
    places = _places(spec.places) or BEARER
    rules = InquiryRules(
        timeout=spec.timeout,
        keep=spec.keep,
        keep_refused=spec.keep_refused,
        stale=spec.max_stale if spec.on_error is OnFailure.STALE else 0.0,
    )
    inquiry = Inquiries(ask, rules)
    return Provider(name=name, places=places, inquiry=inquiry, issuer=issuer, challenge=_challenge(places, "Bearer"))


def _net(spec: asked.Asked, uri: Text) -> Rules:
    """Return how somebody is asked; an address that is not https is a fault unless that is permitted."""
    if not uri.startswith("https://") and not spec.allow_plain_http:
        raise Unfit(uri.fault(Together.PROOF, "only https is asked: tokens are sent there"))
    ca = spec.ca
    if ca is not None:
        _usable(ca, lambda: trusted(str(ca)))
    return Rules(
        allow_private=spec.allow_private_network,
        allow_plain_http=spec.allow_plain_http,
        ca=None if ca is None else str(ca),
    )


def _secret(file: str) -> str:
    return Path(file).read_text(encoding="utf-8").strip()


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


def _api_key(name: str, spec: written.ApiKey, beside: Beside, uses: KeyUses) -> Provider:
    entries = key_entries(*beside.raw(spec.keys))
    secret_file = spec.secret_file
    secret = b"" if secret_file is None else _usable(secret_file, lambda: Path(secret_file).read_bytes().strip())
    keyed = next((entry for entry in entries if entry.hmac_sha256 is not None), None)
    if keyed is not None and len(secret) < SHORTEST_SECRET:
        raise Unfit(
            keyed.id.fault(
                Together.PROOF, f"an HMAC needs a secret of at least {SHORTEST_SECRET} bytes, in secret_file"
            )
        )
    places, proof = _places(spec.places), ApiKeys(name, map(_entry, entries), secret, uses)
    return Provider(
        name=name,
        places=places,
        proof=proof,
        ids=proof.ids,
        challenge=_challenge(places, "ApiKey"),
    )


def _entry(written: KeyEntry) -> Entry:
    return Entry(
        id=str(written.id),
        subject=str(written.subject or written.id),
        sha256=None if written.sha256 is None else str(written.sha256),
        hmac_sha256=None if written.hmac_sha256 is None else str(written.hmac_sha256),
        roles=tuple(map(str, written.roles)),
        groups=tuple(map(str, written.groups)),
        scopes=tuple(map(str, written.scopes)),
        not_before=written.not_before or 0.0,
        expires=written.expires,
        disabled=written.disabled,
    )


def _places(places: Sequence[tokens.Place]) -> tuple[Place, ...]:
    return tuple(
        Place(
            header=None if place.header is None else str(place.header),
            scheme=None if place.scheme is None else str(place.scheme),
            cookie=None if place.cookie is None else str(place.cookie),
            query=None if place.query is None else str(place.query),
        )
        for place in places
    )


def _challenge(places: Sequence[Place], usual: str) -> str:
    """Return what a 401 invites with: the scheme of the first place that has one."""
    scheme = next((place.scheme for place in places if place.scheme is not None), usual)
    return f"{scheme} {REALM}"


def _usable(place: Text, make: Callable[[], T]) -> T:
    """Return what a document names, made; what is wrong with it is a fault at the key that names it."""
    try:
        return make()
    except (ValueError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise Unfit(place.fault(Together.PROOF, f'"{place}" cannot be used: {reason}')) from None
