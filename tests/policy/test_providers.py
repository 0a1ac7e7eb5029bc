"""Identity providers among the policies: built once, asked by name, their faults told where they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from authz.content import SchemaValidators
from authz.errors import PolicyFaults
from authz.model import Identity, Reason, Request
from authz.policy import Beside, Compiler, Identifier, IdentityProvider, Unfit
from authz.policy.codes import Code
from authz.policy.faults import Together

PARTNER = """
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: partner}
spec:
  api_key: {from: [{header: x-api-key}], keys: keys.yaml}
"""
MESH = """
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: mesh}
spec:
  peer_certificate: {trust_domains: [cluster.local]}
"""
POLICY = """
apiVersion: authz/v1
kind: Policy
metadata: {name: p}
spec:
  match: [{paths: ["/**"]}]
  identity: {providers: [partner]}
  rules: [{name: r, allow: true}]
"""


class Builder:
    """Builds a provider of a name and the bytes of its key file, and counts."""

    def __init__(self) -> None:
        self.built: list[str] = []
        self.joined: Mapping[str, object] = {}

    def build(self, document: IdentityProvider, beside: Beside) -> object:
        self.built.append(document.name)
        if document.spec.api_key is None:
            return document.name, b""
        _, content = beside.raw(document.spec.api_key.keys)
        if content == b"bad":
            raise Unfit(document.spec.api_key.keys.fault(Together.PROOF, "bad keys"))
        return document.name, content

    def join(self, providers: Mapping[str, object]) -> Identifier:
        self.joined = providers
        return self

    def identify(
        self, providers: Sequence[str], _request: Request, _deadline: float, done: Callable[[Identity], None]
    ) -> None:
        done(Identity(authenticated=True, provider=providers[0]))


def files(*documents: str, keys: str = "keys") -> dict[str, bytes]:
    """Return files with one document each, and a file of keys beside them."""
    return {f"p/{number}.yaml": text.encode() for number, text in enumerate(documents)} | {"p/keys.yaml": keys.encode()}


@pytest.fixture(name="builder")
def _builder() -> Builder:
    return Builder()


@pytest.fixture(name="compiler")
def _compiler(builder: Builder) -> Compiler:
    return Compiler(validators=SchemaValidators(), builder=builder)


def test_policies_carry_who_identifies_their_callers(compiler: Compiler, builder: Builder, make: Any) -> None:
    """One snapshot holds both, so no request is identified by one generation and decided by another."""
    policies = compiler.compile(files(PARTNER, POLICY))
    assert policies.identifier is builder
    assert builder.joined == {"partner": ("partner", b"keys")}
    assert policies.select(make.request({})).providers == ("partner",)


def test_a_provider_is_built_again_when_its_document_or_its_file_changes(compiler: Compiler, builder: Builder) -> None:
    """And only then: what verified tokens is kept over reloads of everything else."""
    compiler.compile(files(PARTNER, POLICY))
    compiler.compile(files(PARTNER, POLICY, MESH))
    assert builder.built == ["partner", "mesh"]
    compiler.compile(files(PARTNER, POLICY, MESH, keys="new"))
    assert builder.built == ["partner", "mesh", "partner"]
    compiler.compile(files(PARTNER.replace("x-api-key", "x-key"), POLICY, MESH, keys="new"))
    assert builder.built == ["partner", "mesh", "partner", "partner"]


def test_what_a_provider_cannot_use_is_a_fault_of_its_document(compiler: Compiler) -> None:
    """Told once: the policies that name the provider are not blamed."""
    with pytest.raises(PolicyFaults) as refusal:
        compiler.compile(files(PARTNER, POLICY, keys="bad"))
    assert [(fault.file, fault.code, fault.message) for fault in refusal.value.faults] == [
        ("p/0.yaml", Together.PROOF, "bad keys")
    ]


def test_a_file_that_is_not_there_is_told_at_the_key_that_names_it(compiler: Compiler) -> None:
    """The place is the name in the document."""
    with pytest.raises(PolicyFaults) as refusal:
        compiler.compile({"p/0.yaml": PARTNER.encode()})
    (fault,) = refusal.value.faults
    assert (fault.code, fault.line) == (Code.FILE, 6)


def test_a_policy_cannot_outlive_its_provider(compiler: Compiler) -> None:
    """A policy that did not change is a fault once the provider it names is gone."""
    compiler.compile(files(PARTNER, POLICY))
    with pytest.raises(PolicyFaults, match='no identity provider is called "partner"'):
        compiler.compile(files(MESH, POLICY))


def test_who_only_reads_policies_identifies_nobody(make: Any) -> None:
    """Without a builder the providers are read, and whoever is asked for can't be told."""
    policies = Compiler(validators=SchemaValidators()).compile(files(PARTNER, POLICY))
    said: list[Identity] = []
    policies.identifier.identify(("partner",), make.request({}), 0.0, said.append)
    assert [identity.error for identity in said] == [Reason.IDENTITY_UNAVAILABLE]
