"""Faults as their readers want them."""

import json
from typing import Any

import jsonschema
import msgspec
import pytest

from authz.cli.codes import EXPLAINED
from authz.cli.reports import Report, report
from authz.errors import Fault, Severity

WHOLE = Fault(file="/abs/a b.yaml", message="does not exist")
PLACED = Fault(
    file="dir/c,d:e.yaml", line=3, column=5, length=4, code="AZ103", message="100% wrong,\r\nhere: there",
    hint="mend it", text="    alow: x",
)  # fmt: skip


def test_people_get_the_line_and_the_caret() -> None:
    """The fault's own text; place and caret stand out where there is colour."""
    text = report([WHOLE, PLACED], Report.PRETTY)
    assert "\x1b[1mdir/c,d:e.yaml:3:5\x1b[0m: AZ103 100% wrong" in text
    assert text.endswith("\x1b[31m        ^^^^\x1b[0m")
    assert text.startswith("\x1b[1m/abs/a b.yaml\x1b[0m: does not exist\n")


def test_programs_get_every_field() -> None:
    """Except the source line, which is in the file."""
    assert json.loads(report([PLACED], Report.JSON)) == {
        "faults": [
            {
                "file": "dir/c,d:e.yaml", "line": 3, "column": 5, "length": 4, "code": "AZ103", "severity": "error",
                "message": "100% wrong,\r\nhere: there", "hint": "mend it",
            }
        ]
    }  # fmt: skip


def test_github_gets_one_line_each() -> None:
    """What would end the command or a property is escaped."""
    place = "file=dir/c%2Cd%3Ae.yaml,line=3,col=5,endColumn=9,title=AZ103"
    assert report([WHOLE, PLACED], Report.GITHUB).splitlines() == [
        "::error file=/abs/a b.yaml::does not exist",
        f"::error {place}::100%25 wrong,%0D%0Ahere: there (mend it)",
    ]


def test_sarif_names_rules_places_and_columns() -> None:
    """The parts that code scanners require (SARIF 2.1.0, sections 3.13, 3.14, 3.27)."""
    log = json.loads(report([WHOLE, PLACED], Report.SARIF))
    (run,) = log["runs"]
    whole, placed = run["results"]
    assert (log["version"], run["tool"]["driver"]["name"]) == ("2.1.0", "authz")
    assert run["tool"]["driver"]["rules"] == [{"id": "AZ103", "fullDescription": {"text": EXPLAINED["AZ103"]}}]
    assert (placed["ruleId"], placed["message"]["text"]) == ("AZ103", "100% wrong,\r\nhere: there (mend it)")
    assert placed["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "dir/c%2Cd%3Ae.yaml"},
        "region": {"startLine": 3, "startColumn": 5, "endColumn": 9},
    }
    assert "ruleId" not in whole
    assert whole["locations"][0]["physicalLocation"] == {"artifactLocation": {"uri": "file:///abs/a%20b.yaml"}}


def test_a_warning_is_told_as_one() -> None:
    """Every reader can tell what is refused from what is only told."""
    warning = Fault(file="a.yaml", line=1, column=2, code="EV203", message="odd", severity=Severity.WARNING)
    assert str(warning) == "a.yaml:1:2: warning: EV203 odd"
    assert report([warning], Report.GITHUB).startswith("::warning file=a.yaml")
    assert json.loads(report([warning], Report.JSON))["faults"][0]["severity"] == "warning"
    assert json.loads(report([warning], Report.SARIF))["runs"][0]["results"][0]["level"] == "warning"


def test_what_a_file_holds_does_not_speak_to_a_terminal() -> None:
    """A file from elsewhere may hold anything; the caret is below its character, tabs or not."""
    fault = Fault(file="a\x1b.yaml", line=1, column=3, message="no \x1b[2J", text="\t\x1bx\t\u202ey", length=1)
    assert str(fault) == "a�.yaml:1:3: no �[2J\n     �x �y\n      ^"


@pytest.mark.parametrize("form", [Report.PRETTY, Report.GITHUB])
def test_people_and_github_get_nothing_where_nothing_is_wrong(form: Report) -> None:
    """No news is good news."""
    assert report([], form) == ""


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


_TEXT = _object(["text"], text={"type": "string", "minLength": 1})
_PLACE = _object(["uri"], uri={"type": "string", "format": "uri-reference"})
_COUNT = {"type": "integer", "minimum": 1}
_LOCATION = _object(
    ["physicalLocation"],
    physicalLocation=_object(
        ["artifactLocation"],
        artifactLocation=_PLACE,
        region=_object(["startLine"], startLine=_COUNT, startColumn=_COUNT, endColumn=_COUNT),
    ),
)
_RULE = _object(["id"], id={"type": "string"}, fullDescription=_TEXT)
SARIF = _object(
    ["version", "runs"],
    **{"$schema": {"type": "string", "format": "uri"}},
    version={"const": "2.1.0"},
    runs={
        "type": "array",
        "items": _object(
            ["tool"],
            tool=_object(
                ["driver"],
                driver=_object(
                    ["name"],
                    name={"type": "string"},
                    version={"type": "string"},
                    rules={"type": "array", "uniqueItems": True, "items": _RULE},
                ),
            ),
            columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
            results={
                "type": "array",
                "items": _object(
                    ["message"],
                    ruleId={"type": "string"},
                    level={"enum": ["none", "note", "warning", "error"]},
                    message=_TEXT,
                    locations={"type": "array", "items": _LOCATION},
                ),
            },
        ),
    },
)
"""The part of OASIS' schema of SARIF 2.1.0 that we write, closed: another key would have to be looked up first."""


@pytest.mark.parametrize("faults", [[], [WHOLE], [WHOLE, PLACED, msgspec.structs.replace(PLACED, code="EV201")]])
def test_sarif_is_as_its_schema_says(faults: list[Fault]) -> None:
    """What code scanners refuse, they refuse whole."""
    jsonschema.Draft7Validator(SARIF).validate(json.loads(report(faults, Report.SARIF)))
