"""Who proves the identities that an API asks for: a provider for each security scheme that is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from authz.cli.naming import named, unique

if TYPE_CHECKING:
    from authz.content.openapi.operations import Operation
    from authz.content.openapi.security import Scheme

_DISCOVERY = "/.well-known/openid-configuration"
_TOKENS = frozenset({"oauth2", "openIdConnect"})


class Issuing(NamedTuple):
    """What no document says of tokens and certificates, and whoever imports it does."""

    issuer: str = ""
    jwks: str = ""
    audiences: tuple[str, ...] = ()
    trust_domains: tuple[str, ...] = ()


class Missing(ValueError):
    """Something that providers need and nobody said."""


class Providers(msgspec.Struct, frozen=True, kw_only=True):
    """The documents of providers, which of them stands for a scheme, and the files beside them, empty so far."""

    documents: tuple[dict[str, Any], ...]
    names: Mapping[str, str]
    files: Mapping[str, str]
    notes: tuple[str, ...]


def used(operations: Sequence[Operation]) -> tuple[Scheme, ...]:
    """Return the schemes that some operation asks for, in order."""
    schemes = {
        demand.scheme.name: demand.scheme
        for operation in operations
        for alternative in operation.security
        for demand in alternative
    }
    return tuple(schemes[name] for name in sorted(schemes))


def providers(schemes: Sequence[Scheme], issuing: Issuing) -> Providers:
    """Return what proves these schemes; raise `Missing` with all that has to be said and was not."""
    names: dict[str, str] = {}
    specs: dict[str, dict[str, Any]] = {}
    files: dict[str, str] = {}
    missing: list[str] = []
    for scheme in schemes:
        try:
            spec = _spec(scheme, issuing, files)
        except Missing as error:
            missing.append(f'the scheme "{scheme.name}" needs {error}')
            continue
        same = next((name for name, known in specs.items() if known == spec), None)
        names[scheme.name] = same or unique(named(scheme.name, "provider"), list(specs))
        specs.setdefault(names[scheme.name], spec)
    if missing:
        raise Missing("; ".join(missing))
    documents = tuple(
        {"apiVersion": "authz/v1", "kind": "IdentityProvider", "metadata": {"name": name}, "spec": spec}
        for name, spec in specs.items()
    )
    return Providers(documents=documents, names=names, files=files, notes=tuple(_notes(files)))


def _spec(scheme: Scheme, issuing: Issuing, files: dict[str, str]) -> dict[str, Any]:
    if scheme.kind in _TOKENS or scheme.word == "bearer":
        return {"jwt": _jwt(scheme, issuing)}
    if scheme.kind == "apiKey":
        return {"api_key": {"from": [{scheme.place: scheme.key}], "keys": _empty(f"{scheme.name}-keys", files)}}
    if scheme.kind == "mutualTLS":
        if not issuing.trust_domains:
            raise Missing("--trust-domain")
        return {"peer_certificate": {"trust_domains": list(issuing.trust_domains)}}
    if scheme.word == "basic":
        return {"basic": {"users": _empty(f"{scheme.name}-users", files)}}
    raise Missing(f'a proof that is not known here: HTTP\'s "{scheme.word}"')


def _jwt(scheme: Scheme, issuing: Issuing) -> dict[str, Any]:
    found = scheme.discovery.removesuffix(_DISCOVERY) if scheme.discovery.endswith(_DISCOVERY) else ""
    issuer = issuing.issuer or found
    wanted = [flag for flag, said in (("--issuer", issuer), ("--audience", issuing.audiences)) if not said]
    if wanted:
        raise Missing(" and ".join(wanted))
    keys: dict[str, Any] = {"uri": issuing.jwks} if issuing.jwks else {"discovery": True}
    return {"issuer": issuer, "audiences": list(issuing.audiences), "jwks": keys, "algorithms": ["RS256", "ES256"]}


def _empty(name: str, files: dict[str, str]) -> str:
    """Return the name of a file of entries, which is there and holds none yet."""
    file = f"{named(name, 'entries').lower()}.yaml"
    files[file] = "[]\n"
    return file


def _notes(files: Mapping[str, str]) -> list[str]:
    return [f"{file} is empty: nobody can prove who they are with it so far" for file in files]
