"""Faults as their readers want them: people, programs, GitHub, and whatever reads SARIF. Pure."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import typer

from authz import __version__
from authz.errors import PolicyFaults, SettingsFaults

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from authz.errors import AuthzError, Fault


class Report(StrEnum):
    """Who reads the faults."""

    PRETTY = "pretty"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


def report(faults: Sequence[Fault], form: Report) -> str:
    """Return the faults in one form; for people and for GitHub that is nothing where there is none."""
    return _FORMS[form](faults)


def told(error: AuthzError) -> str:
    """Return what ends a verb, for people: its faults as `authz check` shows them, or its own words."""
    faults = error.faults if isinstance(error, (PolicyFaults, SettingsFaults)) else ()
    return report(faults, Report.PRETTY) or str(error)


def _pretty(faults: Sequence[Fault]) -> str:
    return "\n".join(_painted(fault) for fault in faults)


def _painted(fault: Fault) -> str:
    """Return a fault as its own text, the place in bold and the caret in red."""
    head, *rest = str(fault).split("\n")
    place, colon, message = head.partition(": ")
    lines = [typer.style(place, bold=True) + colon + message, *rest[:-1]]
    return "\n".join([*lines, *(typer.style(line, fg="red") for line in rest[-1:])])


def _json(faults: Sequence[Fault]) -> str:
    listed = [
        {
            "file": fault.file, "line": fault.line, "column": fault.column, "length": fault.length,
            "code": fault.code, "severity": fault.severity, "message": fault.message, "hint": fault.hint,
        }
        for fault in faults
    ]  # fmt: skip
    return json.dumps({"faults": listed}, indent=2)


def _github(faults: Sequence[Fault]) -> str:
    """Return workflow commands, which GitHub shows beside the lines of a pull request."""
    return "\n".join(_annotation(fault) for fault in faults)


def _annotation(fault: Fault) -> str:
    place: Mapping[str, object] = {"file": fault.file}
    if fault.line:
        place = {**place, "line": fault.line, "col": fault.column, "endColumn": fault.column + fault.length}
    if fault.code:
        place = {**place, "title": fault.code}
    properties = ",".join(f"{name}={_escaped(str(value), ',:')}" for name, value in place.items())
    return f"::{fault.severity} {properties}::{_escaped(_sentence(fault))}"


def _escaped(text: str, also: str = "") -> str:
    """Escape as `@actions/core` does (`command.ts`): `%`, line ends, and in properties `,` and `:`."""
    return "".join(f"%{ord(one):02X}" if one in f"%\r\n{also}" else one for one in text)


def _sarif(faults: Sequence[Fault]) -> str:
    """Return SARIF 2.1.0 (OASIS): one run, one result per fault."""
    from authz.cli.codes import EXPLAINED, FINDINGS  # noqa: PLC0415 - see the package's docstring

    codes = sorted({fault.code for fault in faults if fault.code})
    rules = [{"id": code, **_described(EXPLAINED.get(code) or FINDINGS.get(code))} for code in codes]
    driver = {"name": "authz", "version": __version__, "rules": rules}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(fault) for fault in faults],
    }
    return json.dumps(
        {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}, indent=2
    )


def _described(paragraph: str | None) -> dict[str, Any]:
    return {} if paragraph is None else {"fullDescription": {"text": paragraph}}


def _result(fault: Fault) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": {"uri": _uri(fault.file)}}
    if fault.line:
        end = fault.column + fault.length
        location["region"] = {"startLine": fault.line, "startColumn": fault.column, "endColumn": end}
    result = {
        "level": str(fault.severity),
        "message": {"text": _sentence(fault)},
        "locations": [{"physicalLocation": location}],
    }
    return {"ruleId": fault.code, **result} if fault.code else result


def _uri(file: str) -> str:
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


def _sentence(fault: Fault) -> str:
    return fault.message + (f" ({fault.hint})" if fault.hint else "")


_FORMS: Mapping[Report, Callable[[Sequence[Fault]], str]] = {
    Report.PRETTY: _pretty,
    Report.JSON: _json,
    Report.GITHUB: _github,
    Report.SARIF: _sarif,
}
