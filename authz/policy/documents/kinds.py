"""The kinds of document, and what each one says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import ConfigDict, Discriminator, Field, Tag

from authz.errors import Fault
from authz.model import Mode
from authz.policy.codes import Code
from authz.policy.documents import timed
from authz.policy.documents.cors import Cors
from authz.policy.documents.document import Document, Metadata
from authz.policy.documents.limits import Limit
from authz.policy.documents.match import EncodedSlashes, Match, PathParameters
from authz.policy.documents.providers import IdentityProvider
from authz.policy.documents.rules import GuardrailRule, Rule
from authz.policy.documents.validation import Validation
from authz.policy.documents.values import (
    AnyText,
    Cel,
    Checked,
    Choice,
    FileName,
    Fits,
    Flag,
    Identifier,
    Many,
    Maybe,
    Name,
    OneOrMany,
    Part,
    Some,
    exactly_one,
    shared,
    taken,
)
from authz.policy.source import Mapping, Sequence, Text


class Identification(Checked):
    """How the caller is identified. `required` is `None` where the author did not say."""

    providers: Many[Name] = Field(
        default=(), description="Identity providers, tried by where they look. None: anonymous.", examples=[["staff"]]
    )
    required: Maybe[Flag] = Field(
        default=None,
        description="Whether a request without credentials is refused. Left out: true where providers are named.",
        examples=[True],
    )
    audience: Maybe[AnyText] = Field(
        default=None,
        description="Who the signed identity is for, where the service signs one. Left out: as its settings say.",
        examples=["orders-api"],
    )

    @classmethod
    def conflicts(cls, node: Mapping) -> Iterator[Fault]:
        """Yield a fault where an identity is required that nobody could prove."""
        if node.get("required") == "true" and not node.get("providers"):
            yield node.key("required").fault(Code.TOGETHER, "an identity is required, and no provider is named")


class Governing(Checked):
    """What policies and guardrails have in common. `validations` is written `validate`."""

    description: Maybe[AnyText] = Field(
        default=None, description="What the document is for.", examples=["Who may read and change orders."]
    )
    mode: Choice[Mode] = Field(
        default=Mode.ENFORCE,
        description="`shadow`: evaluate and record, and change no answer; `off`: not even that.",
        examples=["enforce"],
    )
    encoded_slashes: Choice[EncodedSlashes] = Field(
        default=EncodedSlashes.REFUSE,
        description="What to do with an encoded slash or backslash in a path.",
        examples=["allow"],
    )
    path_parameters: Choice[PathParameters] = Field(
        default=PathParameters.REFUSE, description="What to do with `;parameters` in a path.", examples=["strip"]
    )
    variables: dict[Identifier, Cel] = Field(
        default_factory=dict,
        description="CEL by name, read as `variables.<name>`; evaluated when first used, at most once.",
        examples=[{"own_tenant": 'request.headers["x-tenant"] == identity.claims.tenant'}],
    )
    descriptors: OneOrMany[FileName] = Field(
        default=(),
        description="Files of descriptors beside this one, for `request.grpc_message` (protoc --include_imports -o).",
        examples=[["orders.pb"]],
    )
    validations: Many[Validation] = Field(
        default=(),
        alias="validate",
        description="What requests must look like.",
        examples=[[{"name": "small", "max_bytes": 65536}]],
    )
    limits: Many[Limit] = Field(
        default=(),
        description="How often.",
        examples=[[{"name": "per-subject", "key": "identity.subject", "rate": "3/minute"}]],
    )

    @classmethod
    def conflicts(cls, node: Mapping) -> Iterator[Fault]:
        """Yield a fault for every second rule, limit or validation of one name."""
        for key, what in (("validate", "validation"), ("rules", "rule"), ("limits", "limit")):
            seen: dict[str, Text] = {}
            parts = node.get(key)
            for part in parts if isinstance(parts, Sequence) else ():
                name = part.get("name") if isinstance(part, Mapping) else None
                if isinstance(name, Text) and seen.setdefault(name, name) is not name:
                    yield taken(seen[name], name, what)


class PolicySpec(Governing):
    """What a policy says."""

    match: Some[Match] = Field(
        description="Which requests it governs: any entry; inside an entry every key must hold.",
        examples=[[{"paths": ["/**"]}]],
    )
    identity: Identification = Field(
        default_factory=shared(Identification()),
        description="How the caller is identified.",
        examples=[{"providers": ["staff"]}],
    )
    cors: Maybe[Cors] = Field(
        default=None,
        description="Which pages of other origins may call. Left out: none, as far as this policy is concerned.",
        examples=[{"origins": ["https://app.example.com"], "credentials": True}],
    )
    rules: Many[Rule] = Field(
        default=(),
        description="Who may: at least one allow rule must hold, and no deny rule may.",
        examples=[[{"name": "readers", "allow": 'request.method == "GET"'}]],
    )


class GuardrailSpec(Governing):
    """What a guardrail says; `match` is empty where it governs every request."""

    match: Some[Match] = Field(
        default=(),
        description="Which requests it governs: any entry; inside an entry every key must hold. Left out: all.",
        examples=[[{"paths": ["/admin/**"]}]],
    )
    rules: Many[GuardrailRule] = Field(
        default=(),
        description="What is denied or sent elsewhere, whatever policies allow.",
        examples=[[{"name": "listed", "deny": "client.ip.inSet(data.risky_networks)"}]],
    )


class FileReference(Part):
    """`{file: name}`: the values are in a file beside this one."""

    file: FileName = Field(description="A file beside this one: YAML, JSON, CSV or text.", examples=["risky.txt"])


def _data_form(node: object) -> str:
    """Tell a reference from values; a map whose only key is `file` is a reference."""
    return "file" if isinstance(node, Mapping) else "inline"


def _map_form(node: object) -> str:
    return "file" if isinstance(node, Mapping) and node.keys() == {"file"} else "inline"


_ENTRIES = {"anyOf": [timed.JSON_SCHEMA, {}]}
Networks = Annotated[
    tuple[Any, ...],
    Fits((Sequence,), timed.networks, type="array", items={"anyOf": [{"type": "string"}, timed.JSON_SCHEMA]}),
]
Values = Annotated[list[Any], Fits((Sequence,), timed.values, type="array", items=_ENTRIES)]
Entries = Annotated[dict[str, Any], Fits((Mapping,), timed.entries, type="object", additionalProperties=_ENTRIES)]


class DataSpec(Checked):
    """Named values: exactly one is not `None`. Of an entry that ends there is a `Timed` in place of its value."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    networks: Maybe[
        Annotated[Annotated[Networks, Tag("inline")] | Annotated[FileReference, Tag("file")], Discriminator(_data_form)]
    ] = Field(
        default=None,
        description="Networks and addresses, for `ip.inSet(data.<name>)`.",
        examples=[["203.0.113.0/24", "2001:db8:bad::/48"], {"file": "risky.txt"}],
    )
    values: Maybe[
        Annotated[Annotated[Values, Tag("inline")] | Annotated[FileReference, Tag("file")], Discriminator(_data_form)]
    ] = Field(
        default=None,
        description="A list; an entry that ends is a mapping with `value` and `until`.",
        examples=[["acme", "globex"], {"file": "tenants.csv"}, [{"value": "acme", "until": "2026-12-31T00:00:00Z"}]],
    )
    map: Maybe[
        Annotated[Annotated[Entries, Tag("inline")] | Annotated[FileReference, Tag("file")], Discriminator(_map_form)]
    ] = Field(
        default=None,
        description="A map; an entry that ends is a mapping with `value` and `until`.",
        examples=[{"active": False}, {"file": "plans.json"}],
    )

    secret: Maybe[FileReference] = Field(
        default=None,
        description="A secret, for `hash.hmac_sha256`: the file that holds it, beside this one and never in Git.",
        examples=[{"file": "webhook.secret"}],
    )

    @classmethod
    def conflicts(cls, node: Mapping) -> Iterator[Fault]:
        """Yield a fault unless there is one form of values."""
        yield from exactly_one(node, ("networks", "values", "map", "secret"), "a Data document")


class DataMetadata(Metadata):
    """What values are called; expressions read them as `data.<name>`."""

    name: Identifier = Field(description="The name that expressions read.", examples=["risky_networks"])


class Policy(Document):
    """Which requests it governs, who may make them, what they must look like, how often."""

    spec: PolicySpec = Field(
        description="What the policy says.",
        examples=[{"match": [{"paths": ["/**"]}], "rules": [{"name": "all", "allow": True}]}],
    )


class Guardrail(Document):
    """Deny rules, validations and limits that no policy can widen; it never allows."""

    spec: GuardrailSpec = Field(
        description="What the guardrail says.",
        examples=[{"rules": [{"name": "listed", "deny": "client.ip.inSet(data.risky_networks)"}]}],
    )


class Data(Document):
    """Named values for rules: lists, sets of networks, maps, secrets."""

    metadata: DataMetadata = Field(description="What the values are called.", examples=[{"name": "freeze"}])
    spec: DataSpec = Field(
        description="The values, or the file that holds them.", examples=[{"map": {"active": False}}]
    )


KINDS: dict[str, type[Document]] = {
    "Policy": Policy,
    "Guardrail": Guardrail,
    "Data": Data,
    "IdentityProvider": IdentityProvider,
}
"""The kinds that are served; a new kind is a line here."""
