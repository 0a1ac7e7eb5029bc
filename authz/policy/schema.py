"""The JSON Schema of the policy language, for editors.

Made from the models that read documents, so it cannot promise another language. It says what a schema can say: keys,
kinds of values, patterns, what a key is for. What keys say against each other, and every expression, only reading and
compiling can judge: what the schema refuses is refused there too, and some more.
"""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from authz.policy.documents import KINDS
from authz.policy.reading import TESTS

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _ForEditors(GenerateJsonSchema):
    """Leaves out null for a key that is not there, and lets `{file: x}` be a map as well as a reference."""

    schema_dialect = DIALECT

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        if made.get("default", ...) in (None, (), []):
            del made["default"]
        return made

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        made = super().tagged_union_schema(schema)
        return {"anyOf" if key == "oneOf" else key: value for key, value in made.items()}


def schema(kind: str | None = None) -> dict[str, Any]:
    """Return JSON Schema (2020-12) of a kind of document, or of all that are served; raise `KeyError` for others."""
    known = {**KINDS, **TESTS}
    kinds = [kind] if kind else list(KINDS)
    inputs: list[tuple[Any, JsonSchemaMode]] = [(known[name], "validation") for name in kinds]
    _, made = models_json_schema(inputs, schema_generator=_ForEditors)
    definitions = _untitled(made["$defs"])
    for name in kinds:
        definitions[name]["properties"]["kind"] |= {"const": name, "examples": [name]}
    references = [{"$ref": f"#/$defs/{name}"} for name in kinds]
    return {"$schema": DIALECT, "title": "authz/v1", "oneOf": references, "$defs": definitions}


def _untitled(node: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(node, list):
        return [_untitled(item) for item in node]
    if isinstance(node, dict):
        return {key: _untitled(value) for key, value in node.items() if key != "title" or not isinstance(value, str)}
    return node
