"""Results for people: a tree of documents, in which only what failed is opened."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from authz.testing import Verdict
from authz.testing.results import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authz.testing import Answer, Finding, Result

WIDEST = 1000
"""Columns: lines are cut by whoever shows them, not here."""

_STYLES = {Verdict.PASSED: "green", Verdict.FAILED: "bold red", Verdict.SKIPPED: "yellow"}
_MARKS = {Verdict.PASSED: "✓", Verdict.FAILED: "✗", Verdict.SKIPPED: "-"}


def plain(text: str) -> str:
    """Return a text as one line that says nothing to a terminal, to XML or to a runner: what is no letter, escaped."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def pretty(results: Sequence[Result]) -> str:
    """Return results as a tree, coloured where standard output is a terminal that shows colours."""
    console = Console(highlight=False, width=WIDEST)
    with console.capture() as captured:
        for file, group in groupby(results, key=lambda result: result.file):
            console.print(_file(file, list(group)))
    return captured.get().rstrip("\n")


def summary(results: Sequence[Result]) -> str:
    """Return how many ended how, in a line."""
    counted = count(tuple(results))
    return ", ".join(f"{number} {verdict}" for verdict, number in counted.items() if number or verdict == "passed")


def _file(file: str, results: list[Result]) -> Tree:
    tree = Tree(Text(plain(file), style="bold"))
    for suite, group in groupby(results, key=lambda result: result.suite):
        members = list(group)
        branch = tree.add(_counted(suite, members))
        for result in members:
            if result.verdict is not Verdict.PASSED:
                _result(branch, result)
    return tree


def _counted(suite: str, results: list[Result]) -> Text:
    worst = Verdict.FAILED if any(result.verdict is Verdict.FAILED for result in results) else Verdict.PASSED
    return Text.assemble((f"{_MARKS[worst]} ", _STYLES[worst]), f"{plain(suite)}: {summary(results)}")


def _result(branch: Tree, result: Result) -> None:
    place = f" ({result.file}:{result.line}:{result.column})"
    name = " / ".join(part for part in (result.group, result.name) if part)
    why = f": {result.why}" if result.why else ""
    mark = (f"{_MARKS[result.verdict]} ", _STYLES[result.verdict])
    leaf = branch.add(Text.assemble(mark, plain(name + why), (plain(place), "dim")))
    for finding in result.failures:
        _finding(leaf, finding)


def _finding(leaf: Tree, finding: Finding) -> None:
    step = "" if finding.step is None else f"step {finding.step}, "
    branch = leaf.add(Text(plain(f"{step}{finding.asked}")))
    for one in finding.differences:
        expected, actual = (plain(f"expected {one.expected}"), "green"), (plain(f"got {one.actual}"), "red")
        branch.add(Text.assemble(f"{plain(one.key)}: ", expected, ", ", actual))
    for line in why(finding.answer):
        branch.add(Text(plain(line)))


def why(answer: Answer) -> list[str]:
    """Return how an answer came about: what was decided, by whom, and what every document said."""
    by = ", ".join(answer.rules or answer.policies)
    lines = [f"it was {answer.decision}: {answer.reason}, {answer.status}" + (f", by {by}" if by else "")]
    lines += [f"limits: {', '.join(answer.limits)}"] if answer.limits else []
    lines += [f"detail: {answer.detail}"] if answer.detail else []
    for trace in answer.documents:
        said = f"{trace.outcome} by {trace.rule}" if trace.rule else trace.outcome
        mode = "" if trace.mode == "enforce" else f" ({trace.mode})"
        error = f": {trace.error}" if trace.error else ""
        lines.append(f"{trace.name}{mode}: {said}{error}")
    shown = {trace.error for trace in answer.documents}
    lines += [f"error in {error.rule}: {error.error}" for error in answer.errors if error.error not in shown]
    return lines
