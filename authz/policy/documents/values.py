"""The words documents are made of: what a node must be to stand in a place.

Each type says three things once: which scalars fit, what is checked, and how JSON Schema tells an editor. A value
that is compiled or looked up later stays the `Text` that was written, so that whoever finds a fault in it can point
at it. A key may be left out, but not left empty: `when:` with nothing behind it is no condition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from functools import partial
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationInfo,
    model_validator,
)
from pydantic_core import core_schema

from authz.errors import Fault
from authz.policy.codes import Code
from authz.policy.documents import grammar, hashes, http
from authz.policy.source import Boolean, Mapping, Node, Null, Number, Scalar, Sequence, Text, quoted

T = TypeVar("T")

Schema = dict[str, Any]


class Part(BaseModel):
    """A mapping whose keys are known: any other key is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Checked(Part):
    """A part whose keys depend on each other.

    What they say against each other is added to the faults that the reader collects (the validation's context), so
    that it does not hide what is wrong with their values; without a collector it is raised.
    """

    @model_validator(mode="before")
    @classmethod
    def _check(cls, node: object, info: ValidationInfo) -> object:
        found = list(cls.conflicts(node)) if isinstance(node, Mapping) else []
        if info.context is not None:
            info.context.extend(found)
        elif found:
            raise grammar.Unfit(*found)
        return node

    @classmethod
    def conflicts(cls, node: Mapping) -> Iterator[Fault]:
        """Yield what is wrong between the keys of a mapping, whatever its values are."""
        raise NotImplementedError


class Fits:
    """What fits a place: kinds of node, a check that returns the value or raises `Unfit`, and its JSON Schema."""

    def __init__(
        self, kinds: tuple[type[Node], ...], check: Callable[[Any], object] | None = None, **schema: object
    ) -> None:
        self._kinds = kinds
        self._check = check
        self._schema = schema or {"type": "string"}

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        kinds = core_schema.is_instance_schema(self._kinds, cls_repr=self._kinds[0].SHOWN)
        return core_schema.no_info_after_validator_function(self._check, kinds) if self._check else kinds

    def __get_pydantic_json_schema__(self, _core: object, _handler: GetJsonSchemaHandler) -> Schema:
        return dict(self._schema)


class _Given:
    """Takes `None` out of a type again: it stands for a key that is not there, never for an empty one."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        schema = handler(source)
        return schema["schema"] if schema["type"] == "nullable" else schema


def _as_sequence(value: object) -> object:
    """Return one scalar as a sequence of one."""
    return Sequence([value]) if isinstance(value, Scalar) else value


class _OneToo:
    """The JSON Schema of a list that may be one item."""

    def __get_pydantic_json_schema__(self, core: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> Schema:
        many = handler(core)
        return {"anyOf": [many["items"], many]}


def _text(check: Callable[[Text], object] | None = None, **schema: object) -> Fits:
    return Fits((Text,), check, type="string", **schema)


def _time(check: Callable[[Text], object]) -> Fits:
    """Return what fits a duration; a number is told that its unit is missing."""
    return Fits((Text, Number), check, type="string", pattern=grammar.DURATION)


def shared(value: T) -> Callable[[], T]:
    """Return a default that is one frozen value for all; pydantic would copy what it cannot hash."""
    return lambda: value


def whole(low: int, high: int) -> Fits:
    """Return the whole numbers from `low` to `high`."""
    return Fits((Number,), partial(grammar.whole, low=low, high=high), type="integer", minimum=low, maximum=high)


_JSON = ["object", "array", "string", "number", "boolean", "null"]

# Shapes: `Maybe` may be left out, `Many` may be empty, `Some` may not, `OneOrMany` and
# `AnyNumber` may also be written as one, `Choice` is one of the words of an enum.
Maybe = Annotated[T | None, _Given()]
Many = Annotated[tuple[T, ...], Field(strict=False)]
Some = Annotated[tuple[T, ...], Field(strict=False, min_length=1)]
OneOrMany = Annotated[Some[T], BeforeValidator(_as_sequence), _OneToo()]
AnyNumber = Annotated[Many[T], BeforeValidator(_as_sequence), _OneToo()]
Choice = Annotated[T, Field(strict=False)]

# Words: what the author wrote, with its place.
AnyText = Annotated[Text, _text()]
SomeText = Annotated[Text, _text(grammar.said, minLength=1)]
Name = Annotated[Text, _text(grammar.name, pattern=grammar.NAME)]
Identifier = Annotated[Text, _text(grammar.identifier, pattern=grammar.IDENTIFIER)]
Cel = Annotated[Scalar, Fits((Text, Number, Boolean), grammar.cel, type=["string", "number", "boolean"])]
Template = Annotated[Text, _text()]
HeaderTemplate = Annotated[Text, _text(http.header_value)]
JsonTemplate = Annotated[Node, Fits((Mapping, Sequence, Text, Number, Boolean, Null), grammar.numbers, type=_JSON)]
CookieTemplate = Annotated[Text, _text(http.cookie_value)]
CookieName = Annotated[Text, _text(http.cookie_name, pattern=http.COOKIE)]
UrlPath = Annotated[str, _text(http.url_path, pattern=http.URL_PATH)]
Domain = Annotated[str, _text(http.domain)]
Location = Annotated[Text, _text(http.location, pattern=http.LOCATION)]
HeaderName = Annotated[Text, _text(http.header_name, pattern=http.HEADER)]
Origin = Annotated[Text, _text(http.origin)]
HostPattern = Annotated[Text, _text(http.host_pattern)]
PathTemplate = Annotated[Text, _text(http.path_template, pattern="^/")]
Method = Annotated[Text, _text(http.method, pattern=http.METHOD)]
MediaType = Annotated[Text, _text(http.media_type, pattern=http.MEDIA_TYPE)]
FileName = Annotated[Text, _text(grammar.file_name, pattern=grammar.FILE)]
Network = Annotated[Text, _text(grammar.network)]
TimeZone = Annotated[Text, _text(grammar.time_zone, pattern=grammar.TIME_ZONE)]
Digest = Annotated[Text, _text(grammar.digest, pattern=grammar.DIGEST)]
UserName = Annotated[Text, _text(hashes.user_name)]
PasswordHash = Annotated[Text, _text(hashes.password_hash)]
Realm = Annotated[Text, _text(http.realm, pattern=http.REALM)]
TrustDomain = Annotated[Text, _text(http.trust_domain, pattern=http.TRUST_DOMAIN)]

# Values: what is compared and counted, not looked at again.
Flag = Annotated[bool, Fits((Boolean,), grammar.flag, type="boolean")]
PlainMap = Annotated[dict[str, Any], Fits((Mapping,), grammar.plain, type="object")]
Plain = Annotated[Any, Fits((Mapping, Sequence, Text, Number, Boolean, Null), grammar.plain, type=_JSON)]
Duration = Annotated[float, _time(grammar.duration)]
Age = Annotated[int, _time(grammar.age)]
Leeway = Annotated[float, _time(grammar.leeway)]
Moment = Annotated[float, _text(grammar.moment, pattern=grammar.MOMENT)]


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that was probably meant, or nothing."""
    spelled = {right.lower(): right for right in known}
    found = get_close_matches(word.lower(), spelled, n=1, cutoff=0.6)
    return spelled[found[0]] if found else ""


def exactly_one(node: Mapping, words: tuple[str, ...], what: str) -> Iterator[Fault]:
    """Yield a fault unless exactly one of `words` is a key of the mapping; a misspelled one is told elsewhere."""
    given = [key for key in node.written() if key in words]
    listed = ", ".join(words[:-1]) + f" and {words[-1]}"
    if not given and not any(nearest(key, words) for key in node):
        yield node.fault(Code.MISSING_KEY, f"{what} says one of {listed}, and this one says none")
    for key in given[1:]:
        yield key.fault(Code.TOGETHER, f"{what} says one of {listed}, and this one already says {given[0]}")


def taken(first: Text, second: Text, what: str) -> Fault:
    """Return the fault of a second thing with one name; `what` says what is named (`rule`, `Policy`)."""
    line, _ = first.source.place(first.start)
    where = f"line {line}" if first.source is second.source else f"{first.source.file}:{line}"
    return second.fault(Code.NAME_TAKEN, f"{what} {quoted(second)} is already in {where}")
