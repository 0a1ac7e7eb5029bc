"""Lay file, environment and flags over the defaults, check the whole, and remember where each value came from.

The one place of the settings that opens a file; the environment is handed in. Every fault of every source is
collected and raised at once as `SettingsFaults`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from pydantic import ValidationError

from authz.config.names import SETTINGS
from authz.config.settings import Settings
from authz.config.sources import (
    CONFIG_VARIABLE,
    Gathered,
    Given,
    Origin,
    Source,
    from_environment,
    from_file,
    from_flags,
    nearest,
)
from authz.errors import Fault, SettingsFaults
from authz.files import whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic_core import ErrorDetails

_DEFAULT = Origin(source=Source.DEFAULT)
_UNREAD = {
    "int_parsing": "is no whole number",
    "float_parsing": "is no number",
    "bool_parsing": "is neither true nor false",
}


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """Settings in force; `origins` has an entry for every setting that is not at its default.

    `ignored` are `AUTHZ_*` variables that are no settings and resemble none.
    """

    settings: Settings
    origins: Mapping[str, Origin]
    ignored: tuple[str, ...] = ()

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """Give every setting as name, value and origin, in words; no secret is among them."""
        values = self.settings.model_dump(mode="json")
        for name in SETTINGS:
            yield name, _text(_at(values, name)), str(self.origins.get(name, _DEFAULT))


def load(
    *, file: Path | None = None, environment: Mapping[str, str], flags: Mapping[str, str | tuple[str, ...]]
) -> Loaded:
    """Read settings from a file, then `AUTHZ_*`, then flags (by setting name, as text); the later wins.

    Without `file`, `AUTHZ_CONFIG` may name it. Raises `SettingsFaults` with every fault.
    """
    if file is None and environment.get(CONFIG_VARIABLE):
        file = Path(environment[CONFIG_VARIABLE])
    sources = [_read(file), from_environment(environment), from_flags(flags)]
    given: dict[str, Given] = {}
    for source in sources:
        given |= source.given
    faults = [fault for source in sources for fault in source.faults]
    settings = _validate(given, faults)
    if settings is None or faults:
        raise SettingsFaults(faults)
    origins = {name: one.origin for name, one in given.items()}
    return Loaded(settings=settings, origins=origins, ignored=sources[1].ignored)


def _read(file: Path | None) -> Gathered:
    if file is None:
        return Gathered()
    try:
        return from_file(str(file), whole(file).decode())
    except OSError as error:
        return Gathered(faults=[Fault(file=str(file), message=f"can't be read: {error.strerror}")])
    except UnicodeDecodeError:
        return Gathered(faults=[Fault(file=str(file), message="is no UTF-8 text")])


def _validate(given: Mapping[str, Given], faults: list[Fault]) -> Settings | None:
    try:
        return Settings.model_validate(_nested(given))
    except ValidationError as error:
        faults.extend(_fault(detail, given) for detail in _causes(error.errors(include_url=False)))
        return None


def _causes(details: list[ErrorDetails]) -> Iterator[ErrorDetails]:
    """Leave out that a list is too short because of the members that are told already."""
    members = {detail["loc"][:-1] for detail in details if isinstance(detail["loc"][-1], int)}
    return (detail for detail in details if detail["loc"] not in members)


def _nested(given: Mapping[str, Given]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, one in given.items():
        section, _, key = name.rpartition(".")
        (tree.setdefault(section, {}) if section else tree)[key] = one.value
    return tree


def _fault(detail: ErrorDetails, given: Mapping[str, Given]) -> Fault:
    path = [part for part in detail["loc"] if isinstance(part, str)]
    name = next((known for known in (".".join(path[:2]), path[0]) if known in given), None)
    name = name or next(known for known in given if known.startswith(f"{path[0]}."))
    origin = given[name].origin
    message, hint = _words(detail, name, given[name].value)
    return origin.fault(message if message.startswith(path[0] + ".") else f"{name}: {message}", hint)


def _words(detail: ErrorDetails, name: str, value: str | tuple[str, ...]) -> tuple[str, str]:
    """Say in our words what pydantic found."""
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, ValueError):
        return str(cause), ""
    allowed = SETTINGS[name].choices
    if allowed:
        return f'"{value}" is none of {", ".join(allowed)}', nearest(str(value), allowed)
    if detail["type"] in _UNREAD:
        return f'"{value}" {_UNREAD[detail["type"]]}', ""
    message = detail["msg"].removeprefix("Input ").removeprefix("Value ")
    return f"{message[:1].lower()}{message[1:]}", ""


def _at(values: Mapping[str, Any], name: str) -> object:
    section, _, key = name.rpartition(".")
    return (values[section] if section else values)[key]


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None or value == "" else str(value)
