"""`authz routes`: what is exposed, and how it is protected."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from authz.cli.output import Exit, say

if TYPE_CHECKING:
    from authz.cli.routes.drift import Drift
    from authz.cli.routes.gathering import Exposing
    from authz.cli.routes.traffic import Traffic
    from authz.policy import Exposure


class Form(StrEnum):
    """Who reads it."""

    PRETTY = "pretty"
    JSON = "json"
    HTML = "html"
    MARKDOWN = "markdown"


def command(
    *,
    policies: Annotated[list[Path] | None, typer.Option(help="Folder or file of policies. [default: policies]")] = None,
    tests: Annotated[
        list[Path] | None, typer.Option(exists=True, help="Where tests are. [default: beside the policies]")
    ] = None,
    records: Annotated[
        Path | None, typer.Option(exists=True, help="Decision records: what was seen of each route.")
    ] = None,
    admin: Annotated[
        str, typer.Option(metavar="URL", help="A running service that is asked what it has counted instead.")
    ] = "",
    openapi: Annotated[Path | None, typer.Option(exists=True, help="A description of the API to compare with.")] = None,
    fail_on_drift: Annotated[
        bool, typer.Option("--fail-on-drift", help="Exit 5 where policies and the description differ.")
    ] = False,
    output: Annotated[Form, typer.Option(help="Who reads it.")] = Form.PRETTY,
) -> None:
    """List every route that policies expose: who may, how often, who tests it, who changed it last, what was seen.

    Flags: anonymous, allow-all, no-limit, no-tests, shadow, denied (no request gets through). --openapi also finds
    operations that nothing protects or that are denied, and routes that the API does not have.
    """
    if records is not None and admin:
        raise typer.BadParameter("give one of --records and --admin")
    if fail_on_drift and openapi is None:
        raise typer.BadParameter("--fail-on-drift compares with --openapi FILE")
    shown = _shown(policies or [Path("policies")], tests, (records, admin), openapi)
    say(_written(shown, output))
    if fail_on_drift and shown.drift:
        raise typer.Exit(Exit.REPLAY)


def _shown(
    policies: list[Path], tests: list[Path] | None, sources: tuple[Path | None, str], openapi: Path | None
) -> Exposing:
    from authz.cli.routes.gathering import Exposing, rows  # noqa: PLC0415 - see the package's docstring
    from authz.cli.testing.files import batches  # noqa: PLC0415
    from authz.cli.testing.running import suites  # noqa: PLC0415
    from authz.policy import Exposure  # noqa: PLC0415
    from authz.server.deciding import policies_in  # noqa: PLC0415

    compiled = policies_in(policies)
    exposure = Exposure(compiled.written)
    found = batches(tests or [path for path in policies if path.is_dir()], policies)
    asked = [suite for batch in found for suite in suites(batch)]
    traffic = _traffic(exposure, *sources)
    return Exposing(
        rows=rows(compiled, exposure, asked, traffic),
        traffic=traffic,
        drift=None if openapi is None else _drift(exposure, openapi),
    )


def _traffic(exposure: Exposure, records: Path | None, admin: str) -> Traffic | None:
    from authz.cli.routes import traffic  # noqa: PLC0415

    if records is not None:
        return traffic.recorded(exposure, records)
    return traffic.counted(exposure, admin) if admin else None


def _drift(exposure: Exposure, file: Path) -> tuple[Drift, ...]:
    from authz.cli.from_openapi import Missing, read  # noqa: PLC0415
    from authz.cli.routes.drift import drift  # noqa: PLC0415

    if not file.is_file():
        raise typer.BadParameter(f"can't read {file}: no such file")
    try:
        return drift(exposure.lines, read(file).description.operations)
    except Missing as missing:
        raise typer.BadParameter(str(missing)) from missing


def _written(shown: Exposing, output: Form) -> str:
    from authz.cli.routes import report  # noqa: PLC0415

    match output:
        case Form.JSON:
            return json.dumps(report.data(shown), indent=2)
        case Form.MARKDOWN:
            return report.markdown(shown)
        case Form.HTML:
            from authz.cli.routes.page import page  # noqa: PLC0415

            return page(shown)
        case Form.PRETTY:
            return report.pretty(shown)
