"""Results for programs: JSON, JUnit's XML, and GitHub's workflow commands. Pure."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from itertools import groupby
from typing import TYPE_CHECKING, Any

import msgspec

from authz.cli.reports import Report, report
from authz.cli.testing.showing import plain, why
from authz.errors import Fault
from authz.testing import Verdict
from authz.testing.results import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from authz.testing import Finding, Result


def as_json(results: Sequence[Result], **more: object) -> str:
    """Return results as one JSON object; `more` is put beside them."""
    listed = [msgspec.to_builtins(result) for result in results]
    return json.dumps({"counts": count(tuple(results)), "tests": listed, **more}, indent=2, default=str)


def as_junit(results: Sequence[Result]) -> str:
    """Return results as JUnit's XML: a suite per document, a case per test."""
    root = ET.Element("testsuites", _totals(results))
    for (file, name), group in groupby(results, key=lambda result: (result.file, result.suite)):
        members = list(group)
        suite = ET.SubElement(root, "testsuite", {"name": plain(name), "file": plain(file), **_totals(members)})
        for result in members:
            _case(suite, result)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def _totals(results: Sequence[Result]) -> dict[str, str]:
    counted = count(tuple(results))
    return {
        "tests": str(len(results)),
        "failures": str(counted[Verdict.FAILED]),
        "skipped": str(counted[Verdict.SKIPPED]),
        "time": f"{sum(result.seconds for result in results):.3f}",
    }


def _case(suite: ET.Element, result: Result) -> None:
    name = plain(" / ".join(part for part in (result.group, result.name) if part))
    place: dict[str, Any] = {"classname": plain(result.suite), "file": plain(result.file), "line": str(result.line)}
    case = ET.SubElement(suite, "testcase", {"name": name, "time": f"{result.seconds:.3f}", **place})
    if result.verdict is Verdict.FAILED:
        text = "\n".join(plain(line) for finding in result.failures for line in _told(finding))
        ET.SubElement(case, "failure", {"message": plain(_sentence(result))}).text = text
    elif result.verdict is Verdict.SKIPPED:
        ET.SubElement(case, "skipped", {"message": plain(result.why)})


def as_github(results: Sequence[Result], missing: Sequence[Fault] = ()) -> str:
    """Return what failed as workflow commands, which GitHub shows beside the lines of a pull request.

    `missing` is what no test has shown.
    """
    faults = [
        Fault(
            file=result.file,
            line=finding.line,
            column=finding.column,
            message=plain(f"{result.title}: {_differs(finding)}"),
        )
        for result in results
        for finding in result.failures
    ]
    return report([*faults, *missing], Report.GITHUB)


def _sentence(result: Result) -> str:
    return "; ".join(_differs(finding) for finding in result.failures)


def _differs(finding: Finding) -> str:
    return "; ".join(f"{one.key}: expected {one.expected}, got {one.actual}" for one in finding.differences)


def _told(finding: Finding) -> Iterator[str]:
    yield finding.asked
    yield from (f"{one.key}: expected {one.expected}, got {one.actual}" for one in finding.differences)
    yield from why(finding.answer)
