"""What every document has, whatever its kind: a version, a kind, a name and what people say about it."""

from __future__ import annotations

from pydantic import Field

from authz.policy.documents.values import AnyText, Name, Part

API_VERSION = "authz/v1"


class Metadata(Part):
    """What a document is called, and what people say about it."""

    name: Name = Field(description="The name, unique among documents of this kind.", examples=["orders"])
    labels: dict[AnyText, AnyText] = Field(
        default_factory=dict, description="Shown, never interpreted.", examples=[{"tier": "gold"}]
    )
    annotations: dict[AnyText, AnyText] = Field(
        default_factory=dict, description="Shown, never interpreted.", examples=[{"owner": "team-orders"}]
    )


class Document(Part):
    """What every document has."""

    api_version: AnyText = Field(
        alias="apiVersion",
        description="The version of the policy language.",
        examples=[API_VERSION],
        json_schema_extra={"const": API_VERSION},
    )
    kind: AnyText = Field(description="What the document is.", examples=["Policy"])
    metadata: Metadata = Field(description="What the document is called.", examples=[{"name": "orders"}])

    @property
    def name(self) -> str:
        """Return the name as a plain string; `metadata.name` knows its place."""
        return str(self.metadata.name)

    @property
    def file(self) -> str:
        """Return the file that holds the document."""
        return self.metadata.name.source.file
