"""The kinds of document, and what each one says."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from authz.model import Mode
from authz.policy.documents.limits import Limit
from authz.policy.documents.match import EncodedSlashes, Match, PathParameters
from authz.policy.documents.rules import GuardrailRule, Rule
from authz.policy.documents.values import (
    Cel,
    FileName,
    Flag,
    Identifier,
    Many,
    Maybe,
    MediaType,
    Name,
    Network,
    Part,
    Some,
    Words,
    whole,
)


class Metadata(Part):
    """What a document is called, and what people say about it; labels and annotations are shown, never interpreted."""

    name: Name
    labels: dict[Words, Words] = Field(default_factory=dict)
    annotations: dict[Words, Words] = Field(default_factory=dict)


class Document(Part):
    """What every document has."""

    api_version: Words = Field(alias="apiVersion")
    kind: Words
    metadata: Metadata

    @property
    def name(self) -> str:
        """Return the name as a plain string; `metadata.name` knows its place."""
        return str(self.metadata.name)

    @property
    def file(self) -> str:
        """Return the file that holds the document."""
        return self.metadata.name.source.file


class Validation(Part):
    """What a body must look like. `body_schema` (written `schema`) is a file beside this one, or JSON Schema inline."""

    name: Name
    when: Maybe[Cel] = None
    content_type: Maybe[MediaType] = None
    max_bytes: Maybe[Annotated[int, whole(0, 2**31 - 1)]] = None
    body_schema: Maybe[FileName | dict[str, Any]] = Field(default=None, alias="schema")


class Identification(Part):
    """How the caller is identified. `required` is `None` where the author did not say."""

    providers: Many[Name] = ()
    required: Maybe[Flag] = None


class Governing(Part):
    """What policies and guardrails have in common. `validations` is written `validate`."""

    description: Words | None = None
    mode: Annotated[Mode, Field(strict=False)] = Mode.ENFORCE
    encoded_slashes: Annotated[EncodedSlashes, Field(strict=False)] = EncodedSlashes.REFUSE
    path_parameters: Annotated[PathParameters, Field(strict=False)] = PathParameters.REFUSE
    variables: dict[Identifier, Cel] = Field(default_factory=dict)
    validations: Many[Validation] = Field(default=(), alias="validate")
    limits: Many[Limit] = ()


class PolicySpec(Governing):
    """What a policy says."""

    match: Some[Match]
    identity: Identification = Identification()
    rules: Many[Rule] = ()


class GuardrailSpec(Governing):
    """What a guardrail says; `match` is empty where it governs every request."""

    match: Many[Match] = ()
    rules: Many[GuardrailRule] = ()


class FileReference(Part):
    """`{file: name}`: the values are in a file beside this one."""

    file: FileName


class DataSpec(Part):
    """Named values: exactly one is not `None`."""

    networks: Maybe[Many[Network] | FileReference] = None
    values: Maybe[tuple[Any, ...] | FileReference] = None
    map: Maybe[dict[str, Any] | FileReference] = None


class Policy(Document):
    """Which requests it governs, who may make them, what they must look like, how often."""

    spec: PolicySpec


class Guardrail(Document):
    """Deny rules, validations and limits that no policy can widen."""

    spec: GuardrailSpec


class Data(Document):
    """Named values for rules."""

    spec: DataSpec


KINDS: dict[str, type[Document]] = {"Policy": Policy, "Guardrail": Guardrail, "Data": Data}
"""The kinds that are served; a new kind is a line here."""
