"""Where a setting's text comes from: a YAML file, the environment, the command line.

Each source gives texts by setting name, each with its origin, and a fault for every name that is no setting. A file
is read as text throughout (`off` stays `off`, `1.10` stays `1.10`): YAML's own guesses at types never apply.
"""

from __future__ import annotations

import difflib
import re
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec
import yaml

from authz.config.names import SECTIONS, SETTINGS
from authz.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PREFIX = "AUTHZ_"
CONFIG_VARIABLE = "AUTHZ_CONFIG"

_VARIABLES = {setting.variable: setting for setting in SETTINGS.values()}
_SERVICE_LINK = re.compile(r"AUTHZ_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)")
"""What the kubelet sets in every container for a Service called `authz` or `authz-...`."""


_CREDENTIALS = re.compile(r"(?<=://)\S*(?=@)")


class Source(StrEnum):
    """The four places a value can come from; a later one wins."""

    DEFAULT = "default"
    FILE = "file"
    ENVIRONMENT = "environment"
    FLAG = "flag"


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where one value was written. `name` is the file, the variable or the flag; `text` the line of the file."""

    source: Source
    name: str = ""
    line: int = 0
    column: int = 0
    text: str = ""

    def __str__(self) -> str:
        if self.source is Source.FILE:
            return f"{self.name}:{self.line}"
        return self.name or self.source.value

    def fault(self, message: str, hint: str = "") -> Fault:
        """Say what is wrong with what was written here."""
        return Fault(file=self.name, line=self.line, column=self.column, message=message, hint=hint, text=self.text)


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What one source says of one setting."""

    value: str | tuple[str, ...]
    origin: Origin


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """What one source says of all settings. `ignored` are names that look like ours and are not."""

    given: dict[str, Given] = {}
    faults: list[Fault] = []
    ignored: tuple[str, ...] = ()


def from_file(name: str, content: str) -> Gathered:
    """Read a YAML file of settings."""
    try:
        root = yaml.compose(content, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        return Gathered(faults=[_syntax_fault(name, content, error)])
    except RecursionError:
        return Gathered(faults=[Fault(file=name, message="is nested too deeply to be settings")])
    gathered = Gathered()
    if root is not None:
        _read_section(root, "", _File(name, content.splitlines()), gathered)
    return gathered


def from_environment(environment: Mapping[str, str]) -> Gathered:
    """Read the `AUTHZ_*` variables; a list is separated by commas."""
    gathered = Gathered()
    ignored = []
    for variable, value in sorted(environment.items()):
        if not variable.startswith(PREFIX) or variable == CONFIG_VARIABLE or _SERVICE_LINK.fullmatch(variable):
            continue
        origin = Origin(source=Source.ENVIRONMENT, name=variable)
        if variable in _VARIABLES:
            _take(gathered, _VARIABLES[variable].name, value, origin)
        elif hint := nearest(variable, _VARIABLES, PREFIX):
            gathered.faults.append(origin.fault("is no setting", hint))
        else:
            ignored.append(variable)
    return msgspec.structs.replace(gathered, ignored=tuple(ignored))


def from_flags(flags: Mapping[str, str | tuple[str, ...]]) -> Gathered:
    """Take the flags that were given, by setting name."""
    gathered = Gathered()
    for name, value in flags.items():
        _take(gathered, name, value, Origin(source=Source.FLAG, name=SETTINGS[name].flag))
    return gathered


def nearest(name: str, known: Iterable[str], prefix: str = "") -> str:
    """Return a hint at the known name that was probably meant; `""` where none is near. All begin with `prefix`."""
    bare = [one.removeprefix(prefix) for one in known]
    close = difflib.get_close_matches(name.removeprefix(prefix), bare, n=1, cutoff=0.7)
    return f'did you mean "{prefix}{close[0]}"?' if close else ""


def _take(gathered: Gathered, name: str, value: str | tuple[str, ...], origin: Origin) -> None:
    if isinstance(value, str) and SETTINGS[name].many:
        value = tuple(part.strip() for part in value.split(","))
    if not value or (isinstance(value, tuple) and "" in value):
        gathered.faults.append(origin.fault("is empty", "leave it out to keep the default"))
    else:
        gathered.given[name] = Given(value=value, origin=origin)


class _File:
    def __init__(self, name: str, lines: list[str]) -> None:
        self._name = name
        self._lines = lines

    def origin(self, node: yaml.Node) -> Origin:
        mark = node.start_mark
        text = _line(self._lines, mark.line)
        return Origin(source=Source.FILE, name=self._name, line=mark.line + 1, column=mark.column + 1, text=text)


def _read_section(node: yaml.Node, prefix: str, file: _File, gathered: Gathered) -> None:
    if not isinstance(node, yaml.MappingNode):
        gathered.faults.append(file.origin(node).fault("settings are a mapping of names to values"))
        return
    seen: set[str] = set()
    for key, value in node.value:
        name = f"{prefix}{key.value}"
        if name in seen:
            gathered.faults.append(file.origin(key).fault(f'"{name}" is set twice'))
        elif name in SECTIONS:
            if not _is_empty(value):
                _read_section(value, f"{name}.", file, gathered)
        elif name in SETTINGS:
            _read_value(name, value, file, gathered)
        else:
            hint = nearest(name, [*SETTINGS, *SECTIONS])
            gathered.faults.append(file.origin(key).fault(f'unknown setting "{name}"', hint))
        seen.add(name)


def _read_value(name: str, node: yaml.Node, file: _File, gathered: Gathered) -> None:
    many = SETTINGS[name].many
    if many and isinstance(node, yaml.SequenceNode):
        parts = list(_scalars(node))
        if len(parts) == len(node.value):
            _take(gathered, name, tuple(parts), file.origin(node))
            return
    elif isinstance(node, yaml.ScalarNode):
        _take(gathered, name, (node.value,) if many and node.value else node.value, file.origin(node))
        return
    wanted = "a list of texts" if many else "one value"
    gathered.faults.append(file.origin(node).fault(f'"{name}" is {wanted}'))


def _scalars(node: yaml.SequenceNode) -> Iterator[str]:
    return (item.value for item in node.value if isinstance(item, yaml.ScalarNode))


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.value == ""


def _syntax_fault(name: str, content: str, error: yaml.YAMLError) -> Fault:
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return Fault(file=name, message=getattr(error, "reason", None) or "is no YAML")
    mark = error.problem_mark
    problem = ", ".join(part for part in (error.context, error.problem) if part)
    text = _line(content.splitlines(), mark.line)
    return Fault(file=name, line=mark.line + 1, column=mark.column + 1, message=problem, text=text)


def _line(lines: list[str], number: int) -> str:
    """Return a line to show, every character kept in its column and credentials in URLs masked."""
    line = lines[number] if number < len(lines) else ""
    return _CREDENTIALS.sub(lambda match: "*" * len(match[0]), line)
