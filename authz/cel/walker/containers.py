"""Lists, maps, messages and optionals of the Python engine: selection, index, presence, membership.

Python finds `True` under the key `1` and the last element under `-1`; CEL does neither. A text key is looked up, any
other key is compared. What is selected from an empty optional is an empty optional.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from google.protobuf.message import Message

from authz.cel.values import NoValueError, equal
from authz.cel.walker.values import NOTHING, Optional, elements, field_of, from_outside, has_field, no_operation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_NO_KEY = "no such key"
_NO_INDEX = "no such index"


def select(operand: object, field: str) -> object:
    """Return `operand.field`."""
    match operand:
        case Message():
            return field_of(operand, field)
        case Optional():
            return chained(operand, lambda content: optional_index(content, field))
    return index(operand, field) if isinstance(operand, dict) else _not_selectable()


def has(operand: object, field: str) -> bool:
    """Return `has(operand.field)`; an operand that has no fields is an error and not a "no"."""
    match operand:
        case dict():
            return field in operand
        case Message():
            return has_field(operand, field)
        case Optional():
            return operand.present and has(operand.content, field)
    raise _not_selectable_error()


def _not_selectable() -> object:
    raise _not_selectable_error()


def _not_selectable_error() -> NoValueError:
    return NoValueError("only maps and messages have fields")


def index(container: object, key: object) -> object:
    """Return `container[key]`."""
    match container:
        case list():
            return from_outside(container[_position(container, key)])
        case dict():
            return from_outside(_entry(container, key))
        case Optional():
            return chained(container, lambda content: optional_index(content, key))
    raise no_operation("_[_]", container, key)


def optional_index(container: object, key: object) -> Optional:
    """Return `container[?key]`: empty where `container[key]` is an error for want of the key or the index."""
    if isinstance(container, Optional):
        return chained(container, lambda content: optional_index(content, key))
    if isinstance(container, Message) and isinstance(key, str):
        return Optional(present=True, content=field_of(container, key)) if has_field(container, key) else NOTHING
    if not isinstance(container, dict) and not (isinstance(container, list) and type(key) is int):
        raise no_operation("_[?_]", container, key)
    try:
        return Optional(present=True, content=index(container, key))
    except NoValueError as error:
        if str(error) in {_NO_KEY, _NO_INDEX}:
            return NOTHING
        raise


def chained(optional: Optional, follow: Callable[[object], Optional]) -> Optional:
    """Return what follows from the content of an optional, or nothing from nothing."""
    return follow(optional.content) if optional.present else NOTHING


def contains(element: object, container: object) -> bool:
    """Return `element in container`: an element of a list, a key of a map."""
    match container:
        case list():
            return any(equal(element, each) for each in elements(container))
        case dict() if isinstance(element, str | bool | int | float):
            return _has_key(container, element)
    raise no_operation("@in", element, container)


def made_list(elements_: Iterable[tuple[object, bool]]) -> list[object]:
    """Return a list; of an element that is marked optional its content, or nothing."""
    made = []
    for element, is_optional in elements_:
        if is_optional and not isinstance(element, Optional):
            raise no_operation("[?_]", element)
        if not is_optional:
            made.append(element)
        elif isinstance(element, Optional) and element.present:
            made.append(element.content)
    return made


def made_map(entries: Iterable[tuple[object, object, bool]]) -> dict[object, object]:
    """Return a map; raise `NoValueError` for a key that cannot be one, or that comes twice.

    Of a value that is marked optional it has the content, or no entry.
    """
    made: dict[object, object] = {}
    for key, marked, is_optional in entries:
        contents = made_list([(marked, is_optional)])
        if not contents:
            continue
        (value,) = contents
        if not isinstance(key, str | bool | int):
            raise NoValueError("a key is a text, a whole number or a bool")
        if key in made:
            raise NoValueError("a key comes twice")
        made[key] = value
    return made


def _position(container: Sequence[object], key: object) -> int:
    if not _is_number(key):
        raise no_operation("_[_]", container, key)
    number = cast("float", key)
    if number != number // 1 or not 0 <= number < len(container):
        raise NoValueError(_NO_INDEX)
    return int(number)


def _entry(container: Mapping[object, object], key: object) -> object:
    for known in _candidates(container, key):
        if equal(known, key):
            return container[known]
    raise NoValueError(_NO_KEY)


def _has_key(container: Mapping[object, object], key: object) -> bool:
    return any(equal(known, key) for known in _candidates(container, key))


def _candidates(container: Mapping[object, object], key: object) -> Iterable[object]:
    """Return the keys that may be equal to one: for a text itself, else all there are."""
    if type(key) is str:
        return (key,) if key in container else ()
    return container


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
