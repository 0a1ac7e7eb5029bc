"""A document as its keys and what they say, comparable: defaults are left out, so writing one changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from pydantic import BaseModel

from authz.policy.documents import Limit, Rate
from authz.policy.exposure import rate_text

if TYPE_CHECKING:
    from collections.abc import Iterator

Says = str | tuple[str, ...]
"""What a key says: a text, or a list of texts."""

Flat = dict[tuple[str, ...], Says]

_ABOUT = frozenset({"description"})
"""Keys that mean nothing to a request."""


def flat(model: BaseModel) -> Flat:
    """Return what a part of a document says, by paths of keys."""
    return dict(_keys(model, ()))


def _keys(model: BaseModel, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Says]]:
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if name in _ABOUT or value == field.get_default(call_default_factory=True):
            continue
        key = field.alias or name
        if isinstance(model, Limit) and isinstance(value, Rate):
            yield (*path, key), rate_text(model)
        else:
            yield from _value(value, (*path, key))


def _value(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Says]]:  # noqa: ANN401 - any key's
    if isinstance(value, BaseModel):
        yield from _keys(value, path)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _value(each, (*path, str(key)))
    elif isinstance(value, list | tuple) and value and all(map(_is_named, value)):
        for each in value:
            yield from _keys(each, (*path, str(each.name)))
    elif isinstance(value, list | tuple | frozenset | set):
        yield path, tuple(map(_text, value))
    else:
        yield path, _text(value)


def _is_named(value: object) -> bool:
    return isinstance(value, BaseModel) and "name" in type(value).model_fields


def _text(value: Any) -> str:  # noqa: ANN401 - likewise
    if isinstance(value, BaseModel):
        return ", ".join(f"{'.'.join(path)}: {_said(says)}" for path, says in flat(value).items())
    if isinstance(value, str):
        return str(value)
    if value is None or isinstance(value, bool | int | float | dict | list | msgspec.Struct):
        return msgspec.json.encode(value, enc_hook=str).decode()
    return str(value)


def _said(says: Says) -> str:
    return says if isinstance(says, str) else f"[{', '.join(says)}]"
