"""`authz test`: run the tests of policies, and say what is not as they expect."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from authz.cli.output import Exit, say, tell

if TYPE_CHECKING:
    from authz.cli.testing.running import Ran
    from authz.testing import Coverage


class Form(StrEnum):
    """Who reads the results."""

    PRETTY = "pretty"
    JSON = "json"
    JUNIT = "junit"
    GITHUB = "github"


class Wanted(NamedTuple):
    """What was asked for."""

    paths: tuple[Path, ...]
    policies: tuple[Path, ...]
    only: str
    output: Form
    covering: bool
    fail_under: float
    since: str
    through_envoy: bool


def command(  # noqa: PLR0913 - one per flag
    paths: Annotated[list[Path], typer.Argument(exists=True, help="Folders and files of tests (*_test.yaml).")],
    *,
    policies: Annotated[
        list[Path] | None,
        typer.Option(exists=True, help="The policies under test. [default: those beside or above each file]"),
    ] = None,
    only: Annotated[str, typer.Option("-k", metavar="PATTERN", help="Only tests whose title matches.")] = "",
    output: Annotated[Form, typer.Option(help="Who reads the results.")] = Form.PRETTY,
    coverage: Annotated[bool, typer.Option("--coverage", help="Say what no test has shown.")] = False,
    fail_under: Annotated[
        float, typer.Option("--fail-under", min=0, max=100, help="Fail where fewer percent are covered.")
    ] = 0.0,
    coverage_diff: Annotated[
        str, typer.Option("--coverage-diff", metavar="REV", help="Look only at lines changed since a Git revision.")
    ] = "",
    through_envoy: Annotated[
        bool, typer.Option("--through-envoy", help="Send every request through a real Envoy (extra demo).")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Run again whenever a file changes; Ctrl-C ends it.")] = False,
) -> None:
    """Run tests of policies in this process (or through Envoy), on the service's own engine and a clock of their own.

    Exits 4 if a test fails, none is found or too little is covered, 3 if tests or policies have faults, which are told
    with their places.
    """
    _pattern(only)
    if through_envoy and (coverage or coverage_diff or fail_under):
        raise typer.BadParameter("coverage is counted in process, without --through-envoy")
    wanted = Wanted(
        paths=tuple(paths), policies=tuple(policies or ()), only=only, output=output,
        covering=coverage or bool(coverage_diff) or fail_under > 0, fail_under=fail_under, since=coverage_diff,
        through_envoy=through_envoy,
    )  # fmt: skip
    if watch:
        from authz.cli.testing.watching import again  # noqa: PLC0415 - see the package's docstring

        raise typer.Exit(again(lambda: _watched(wanted), lambda: _told(wanted)))
    raise typer.Exit(_ended(wanted))


def _ended(wanted: Wanted) -> Exit:
    """Run once; faults are data where a program reads the results that can read faults too."""
    from authz.cli.reports import Report, report  # noqa: PLC0415 - see the package's docstring
    from authz.errors import PolicyFaults  # noqa: PLC0415

    try:
        return _run(wanted)
    except PolicyFaults as faults:
        if wanted.output not in {Form.JSON, Form.GITHUB}:
            raise
        say(report(faults.faults, Report(wanted.output.value)))
        return Exit.POLICIES


def _watched(wanted: Wanted) -> tuple[Path, ...]:
    """Return what a run depends on: the tests, and policies that lie elsewhere."""
    from authz.cli.testing.files import batches  # noqa: PLC0415

    found = batches(wanted.paths, wanted.policies)
    return (*wanted.paths, *(path for batch in found for path in batch.policies))


def _told(wanted: Wanted) -> Exit:
    """Run once, and tell faults instead of ending with them."""
    from authz.cli.reports import told  # noqa: PLC0415 - see the package's docstring
    from authz.errors import PolicyFaults  # noqa: PLC0415

    try:
        return _run(wanted)
    except PolicyFaults as faults:
        tell(told(faults))
        return Exit.POLICIES


def _run(wanted: Wanted) -> Exit:
    from authz.cli.testing import running  # noqa: PLC0415 - see the package's docstring
    from authz.cli.testing.files import batches  # noqa: PLC0415
    from authz.cli.testing.showing import summary  # noqa: PLC0415
    from authz.testing import Verdict  # noqa: PLC0415

    found = batches(wanted.paths, wanted.policies)
    if wanted.through_envoy:
        ran = running.through_envoy(found, wanted.only)
    else:
        ran = running.ran(found, wanted.only, covering=wanted.covering)
    if not ran.results:
        matching = f' whose title matches "{wanted.only}"' if wanted.only else ""
        places = ", ".join(map(str, wanted.paths))
        tell(f"no test{matching} was found in {places}: tests are in files named *_test.yaml")
        return Exit.TESTS
    coverage = _looked_at(ran.coverage, wanted.since)
    if text := _written(ran, coverage, wanted.output):
        say(text)
    tell(summary(ran.results))
    enough = coverage is None or coverage.percent >= wanted.fail_under
    if not enough:
        tell(f"less than {wanted.fail_under:g} % is covered")
    failed = any(result.verdict is Verdict.FAILED for result in ran.results)
    return Exit.FINE if enough and not failed else Exit.TESTS


def _looked_at(coverage: Coverage | None, since: str) -> Coverage | None:
    """Return the coverage that counts: of what changed since a revision, where one is given."""
    if coverage is None or not since:
        return coverage
    from authz.cli.testing.changes import changed  # noqa: PLC0415

    files = sorted({part.place.file for part in coverage.parts})
    return coverage.within(changed(files, since))


def _written(ran: Ran, coverage: Coverage | None, output: Form) -> str:
    from authz.cli.testing import covering, forms, showing  # noqa: PLC0415

    match output:
        case Form.PRETTY:
            shown = [] if coverage is None else ["", covering.pretty(coverage)]
            return "\n".join([showing.pretty(ran.results), *shown])
        case Form.JSON:
            return forms.as_json(ran.results, **({} if coverage is None else {"coverage": covering.data(coverage)}))
        case Form.JUNIT:
            return forms.as_junit(ran.results)
        case Form.GITHUB:
            return forms.as_github(ran.results, () if coverage is None else tuple(coverage.missing()))


def _pattern(text: str) -> None:
    try:
        re.compile(text)
    except re.error as error:
        raise typer.BadParameter(f'-k "{text}" is no pattern: {error}') from error
