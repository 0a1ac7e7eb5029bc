"""Planted faults: for every code a text that has it, where `check` points, and how it helps."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from authz.cli.codes import EXPLAINED, Example, examples, page, reference
from authz.cli.output import Exit
from authz.policy.linting.codes import Lint
from tests.cli.codes.conftest import planted

REFERENCE = Path(__file__).parents[3] / "authz/cli/docs/codes.md"
NOT_SHOWN = {"AZ003", "AZ300", "AZ308", "AZ311", "AZ417"}
"""Codes of what is too large to be shown, and of what no text is known to have on the engine that decides."""

NEEDS_MORE = {"AZ409", "AZ410", "AZ415"}
"""Warnings that go away with another document; what is right says so in a comment."""

_LONG = "cel.bind(a, request.path + request.path + request.path + request.path,"
PLANTED = [
    # code, line and column, what the caret underlines, words of the hint, or of the message where that says it all
    ("AZ001", "6:22", "\x07", "remove it, or escape it in quotes"),
    ("AZ002", "7:1", "", "a list in brackets is not closed"),
    ("AZ004", "7:3", "rules", "join the two"),
    ("AZ005", "6:10", "&rules", "remove it, and write out what it names"),
    ("AZ006", "8:13", "!identity.authenticated", "quote the whole of a text"),
    ("AZ007", "5:9", "404", "quote it"),
    ("AZ008", "5:17", "True", "write true, or quote it"),
    ("AZ009", "0:0", "", "remove it, or begin with apiVersion: authz/v1"),
    ("AZ101", "1:13", "v1", "one of authz/v1"),
    ("AZ102", "2:7", "Polcy", 'did you mean "Policy"?'),
    ("AZ103", "8:7", "alow", 'did you mean "allow"?'),
    ("AZ104", "7:7", "n", "one of allow, deny and redirect"),
    ("AZ105", "6:14", "/orders", "write it in brackets"),
    ("AZ106", "6:9", "enforced", 'did you mean "enforce"?'),
    ("AZ107", "7:54", "200", "from 400 to 599"),
    ("AZ108", "7:14", "all readers", "at both ends"),
    ("AZ109", "8:14", "readers", "already in line 7"),
    ("AZ110", "7:46", "query", "it belongs to allow"),
    ("AZ111", "9:31", "X-Subject", 'write "x-subject"'),
    ("AZ112", "6:15", '"/orders/**/lines"', "write * for one segment"),
    ("AZ113", "6:15", '"API.example.com:443"', 'write "api.example.com"'),
    ("AZ114", "6:17", "get", 'write "GET"'),
    ("AZ115", "7:48", "3/min", "N/minute"),
    ("AZ116", "7:67", "90sec", "a number and a unit: 90s, 5m, 24h, 7d, 250ms"),
    ("AZ117", "5:14", "10.0.0.1/8", 'write "10.0.0.0/8"'),
    ("AZ118", "5:20", "../risky.txt", "without '..'"),
    ("AZ119", "7:34", '"application/json; charset=utf-8"', "lower case, without parameters: application/json"),
    ("AZ120", "7:33", "login.example.com", 'begin with "https://" or "/"'),
    ("AZ121", "2:7", "PolicyTest", "_test.yaml"),
    ("AZ122", "6:20", "allow", "write a Policy, or deny the contrary"),
    ("AZ123", "6:28", "2026-12-31", "RFC 3339 with its offset: 2026-11-23T12:00:00Z"),
    ("AZ124", "1:37", "n", "authz keys new"),
    ("AZ125", "7:100", "Europe/Berln", 'did you mean "Europe/Berlin"?'),
    ("AZ126", "7:52", '"last seen"', "letters, digits, '_' and '-'"),
    ("AZ127", "1:37", '"', "authz keys password"),
    ("AZ128", "1:8", '"', "at most 128 characters, without a colon"),
    ("AZ129", "6:20", '"https://app.example.com/"', "https://app.example.com"),
    ("AZ130", "8:46", "oder", 'did you mean "order"?'),
    ("AZ201", "7:12", 'variables.tenant != ""', "say one of them without the other"),
    ("AZ202", "7:64", "${", 'write "$${" for the text itself'),
    ("AZ203", "6:26", "staf", 'did you mean "staff"?'),
    ("AZ204", "7:30", "type", "no such type"),
    ("AZ205", "1:18", ",", "JSON has double quotes, no comments, and no comma before a bracket"),
    ("AZ206", "9:18", "keys.json", "no usable key"),
    ("AZ207", "9:41", "${", "quoted attribute"),
    ("AZ208", "1:1", "{", "convert it to OpenAPI 3.0 or 3.1"),
    ("AZ209", "3:18", "d", "write descriptors: file.pb"),
    ("AZ301", "7:46", "=", 'did you mean "=="?'),
    ("AZ302", "7:31", "reqest.method", 'did you mean "request.method"?'),
    ("AZ303", "7:50", "htp", 'did you mean "http"?'),
    ("AZ304", "7:44", "==", "convert one of them: string(...), int(...)"),
    ("AZ305", "7:48", "identity.subject", "write it out, or compare with == or in"),
    ("AZ306", "7:48", '"^/(orders$"', "in the syntax of RE2: no look-around, no back-references"),
    ("AZ307", "8:59", "identity.scopes.all(c, a + b != c)", "hasAny, hasAll, inSet and maps look things up"),
    ("AZ309", "8:7", _LONG, "repeat less of it"),
    ("AZ310", "7:34", "request.method", "compare it, or leave the question out"),
    ("AZ401", "7:51", '"/orders/[0-9]+"', 'write "^(...)$"'),
    ("AZ402", "7:14", "readers", "remove it, or say where it differs"),
    ("AZ403", "8:14", "everybody", "name the paths that are public, or providers"),
    ("AZ404", "7:14", "per-caller", "remove it"),
    ("AZ405", "7:14", "often", "client.ip"),
    ("AZ406", "6:29", '"/orders/{id}"', "put it first, or leave it out"),
    ("AZ407", "6:38", "DELTE", 'did you mean "DELETE"?'),
    ("AZ408", "7:28", 'request.path.startsWith("/admin")', 'write request.path.glob("/admin/**")'),
    ("AZ409", "3:18", "d", "remove it, or read data.d"),
    ("AZ410", "3:18", "d", "remove it, or name it"),
    ("AZ411", "6:15", "tenant", "remove it, or read it"),
    ("AZ412", "7:44", '"x-forwarded-for"', "client.ip"),
    ("AZ413", "7:28", "request.json", "max_bytes"),
    ("AZ414", "7:47", '"X-Tenant"', 'write "x-tenant"'),
    ("AZ415", "3:18", "d", "write one beside it, in a file *_test.yaml"),
    ("AZ416", "3:54", "AZ405", "remove it"),
]  # fmt: skip


def told(run: Callable[..., Any], folder: Path, code: str, text: str) -> list[dict[str, Any]]:
    """Return the faults and warnings about a text, read as `authz check --lint` or `authz test` read it."""
    example = examples()[code]
    name, files = planted(example, text)
    for file, content in files.items():
        (folder / file).write_text(content)
    verb = ["test"] if example.within == "test" else ["check", "--lint"]
    ran = run(*verb, str(folder), "--output", "json")
    faults = [one for one in json.loads(ran.out).get("faults", []) if Path(one["file"]).name in {name, *example.files}]
    for fault in faults:
        lines = Path(fault["file"]).read_text().split("\n")
        fault["under"] = lines[fault["line"] - 1][fault["column"] - 1 :][: fault["length"]] if fault["line"] else ""
        fault["status"] = ran.status
    return faults


@pytest.mark.parametrize(("code", "place", "under", "words"), PLANTED, ids=[row[0] for row in PLANTED])
def test_a_planted_fault_is_found_and_pointed_at(
    code: str, place: str, under: str, words: str, run: Callable[..., Any], tmp_path: Path
) -> None:
    """Its file, line and column, the stretch of text that is meant, and the way out."""
    found = [fault for fault in told(run, tmp_path, code, examples()[code].wrong) if fault["code"] == code]
    assert found
    first = found[0]
    assert f"{first['line']}:{first['column']}" == place
    assert first["under"] == under
    assert words in first["hint"] + first["message"]
    assert first["status"] == (Exit.FINE if code in set(Lint) else Exit.POLICIES)


def test_fifty_and_more_are_planted() -> None:
    """Every code has one, but for those that cannot be shown."""
    assert [row[0] for row in PLANTED] == [code for code in EXPLAINED if code not in NOT_SHOWN]
    assert len(PLANTED) > 50


@pytest.mark.parametrize("code", [code for code in EXPLAINED if code not in NOT_SHOWN | NEEDS_MORE])
def test_what_is_right_has_no_fault(code: str, run: Callable[..., Any], tmp_path: Path) -> None:
    """Who follows the example is rid of the fault and gets no other."""
    found = told(run, tmp_path, code, examples()[code].right)
    assert not [fault for fault in found if fault["severity"] == "error" or fault["code"] == code]


@pytest.mark.parametrize("code", EXPLAINED)
def test_every_code_has_a_page(code: str, run: Callable[..., Any]) -> None:
    """`authz help CODE` says what it means, in any case of letters, with a wrong and a right text."""
    ran = run("help", code.lower())
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == page(code) + "\n"
    assert " ".join(EXPLAINED[code].split()) in " ".join(ran.out.split())
    assert (code in NOT_SHOWN) == ("Right:" not in ran.out)


def test_examples_are_of_codes() -> None:
    """None is left over."""
    assert list(examples()) == list(EXPLAINED)
    assert {code for code, example in examples().items() if example == Example()} == NOT_SHOWN


def test_the_reference_is_up_to_date() -> None:
    """`make docs` writes it."""
    assert REFERENCE.read_text() == reference()
