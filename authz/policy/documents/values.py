"""The words documents are made of: what a scalar must be to stand in a place.

Each type says three things once: which scalars fit, what is checked, and how JSON Schema tells an editor. A value
that will be compiled or looked up stays the `Text` that was written, so that whoever finds a fault in it later can
point at it. YAML's own idea of types ends here: `no`, `22:22` and `1.10` are what the author wrote.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import core_schema

from authz.policy.documents import grammar
from authz.policy.source import Boolean, Number, Scalar, Sequence, Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler

T = TypeVar("T")


class Part(BaseModel):
    """A mapping whose keys are known: any other key is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True)


class Fits:
    """What fits a place: kinds of scalar, a check that returns the value or raises, and its JSON Schema."""

    def __init__(
        self, *kinds: type[Scalar], check: Callable[[Any], object] | None = None, schema: dict[str, Any] | None = None
    ) -> None:
        self._kinds = kinds
        self._check = check
        self._schema = schema or {"type": "string"}

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        kinds = core_schema.is_instance_schema(self._kinds, cls_repr=" or ".join(kind.__name__ for kind in self._kinds))
        if self._check is None:
            return kinds
        return core_schema.no_info_after_validator_function(self._check, kinds)

    def __get_pydantic_json_schema__(self, _core: object, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return dict(self._schema)


class _Given:
    """A key that may be left out, but not left empty: `when:` with nothing behind it is no condition."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        schema = handler(source)
        return schema["schema"] if schema["type"] == "nullable" else schema


Maybe = Annotated[T | None, _Given()]
Many = Annotated[tuple[T, ...], Field(strict=False)]
Some = Annotated[tuple[T, ...], Field(strict=False, min_length=1)]


def _as_sequence(value: object) -> object:
    """Return one scalar as a sequence of one."""
    return Sequence([value]) if isinstance(value, Scalar) else value


OneOrMany = Annotated[tuple[T, ...], Field(strict=False, min_length=1), BeforeValidator(_as_sequence)]

Words = Annotated[Text, Fits(Text)]
Name = Annotated[Text, Fits(Text, check=grammar.name, schema={"type": "string", "pattern": grammar.NAME})]
Identifier = Annotated[
    Text, Fits(Text, check=grammar.identifier, schema={"type": "string", "pattern": grammar.IDENTIFIER})
]
Cel = Annotated[
    Scalar, Fits(Text, Number, Boolean, check=grammar.cel, schema={"type": ["string", "number", "boolean"]})
]
Template = Annotated[Text, Fits(Text)]
HeaderTemplate = Annotated[Text, Fits(Text, check=grammar.one_line)]
Location = Annotated[Text, Fits(Text, check=grammar.location)]
HeaderName = Annotated[
    Text, Fits(Text, check=grammar.header_name, schema={"type": "string", "pattern": grammar.HEADER_NAME})
]
HostPattern = Annotated[Text, Fits(Text, check=grammar.host_pattern)]
PathTemplate = Annotated[Text, Fits(Text, check=grammar.path_template, schema={"type": "string", "pattern": "^/"})]
Method = Annotated[Text, Fits(Text, check=grammar.method)]
MediaType = Annotated[Text, Fits(Text, check=grammar.media_type)]
FileName = Annotated[Text, Fits(Text, check=grammar.file_name)]
Network = Annotated[Text, Fits(Text, check=grammar.network)]
Flag = Annotated[bool, Fits(Boolean, check=grammar.flag, schema={"type": "boolean"})]
Duration = Annotated[float, Fits(Text, check=grammar.duration, schema={"type": "string", "pattern": grammar.DURATION})]


def whole(low: int, high: int) -> Fits:
    """Return the whole numbers from `low` to `high`."""
    schema = {"type": "integer", "minimum": low, "maximum": high}
    return Fits(Number, check=lambda scalar: grammar.whole(scalar, low, high), schema=schema)
