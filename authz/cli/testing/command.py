"""`authz test`: run the tests of policies, and say what is not as they expect."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from authz.cli.output import Exit, say, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authz.testing import Result


class Form(StrEnum):
    """Who reads the results."""

    PRETTY = "pretty"
    JSON = "json"
    JUNIT = "junit"
    GITHUB = "github"


def command(
    paths: Annotated[list[Path], typer.Argument(exists=True, help="Folders and files of tests (*_test.yaml).")],
    *,
    policies: Annotated[
        list[Path] | None,
        typer.Option(exists=True, help="The policies under test. [default: those beside or above each file]"),
    ] = None,
    only: Annotated[str, typer.Option("-k", metavar="PATTERN", help="Only tests whose title matches.")] = "",
    output: Annotated[Form, typer.Option(help="Who reads the results.")] = Form.PRETTY,
) -> None:
    """Run tests of policies in this process, on the service's own engine and a clock of their own.

    Exits 4 if a test fails or none is found, 3 if tests or policies have faults, which are told with their places.
    """
    _pattern(only)
    raise typer.Exit(_run(paths, policies or [], only, output))


def _run(paths: Sequence[Path], policies: Sequence[Path], only: str, output: Form) -> Exit:
    from authz.cli.testing import running  # noqa: PLC0415 - see the package's docstring
    from authz.cli.testing.files import batches  # noqa: PLC0415
    from authz.cli.testing.showing import summary  # noqa: PLC0415
    from authz.testing import Verdict  # noqa: PLC0415

    results = running.results(batches(paths, policies), only)
    if not results:
        matching = f' whose title matches "{only}"' if only else ""
        tell(f"no test{matching} was found in {', '.join(map(str, paths))}: tests are in files named *_test.yaml")
        return Exit.TESTS
    if text := _written(results, output):
        say(text)
    tell(summary(results))
    return Exit.TESTS if any(result.verdict is Verdict.FAILED for result in results) else Exit.FINE


def _written(results: Sequence[Result], output: Form) -> str:
    from authz.cli.testing import forms, showing  # noqa: PLC0415

    written = {
        Form.PRETTY: showing.pretty,
        Form.JSON: forms.as_json,
        Form.JUNIT: forms.as_junit,
        Form.GITHUB: forms.as_github,
    }
    return written[output](results)


def _pattern(text: str) -> None:
    try:
        re.compile(text)
    except re.error as error:
        raise typer.BadParameter(f'-k "{text}" is no pattern: {error}') from error
