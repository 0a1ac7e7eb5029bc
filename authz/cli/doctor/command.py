"""`authz doctor`: what is wrong with an installation that runs, and what to do about it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from authz.cli.output import Exit, Output, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz.cli.doctor.finding import Finding
    from authz.config import Settings


def command(
    *,
    admin: Annotated[str, typer.Option(metavar="URL", help="Its admin port. [default: as served]")] = "",
    envoy_admin: Annotated[
        str, typer.Option(metavar="URL", help="Envoy's own admin port: its configuration is looked through.")
    ] = "",
    listen: Annotated[
        list[str] | None, typer.Option(metavar="ADDRESS", help="Where Envoy asks it. [default: as served]")
    ] = None,
    redis: Annotated[str, typer.Option(metavar="URL", help="Where limits are counted. [default: as served]")] = "",
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="Settings in YAML.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Only what is not fine.")] = False,
    output: Annotated[Output, typer.Option(help="Who reads it.")] = Output.PRETTY,
) -> None:
    """Look at an installation that runs: one line a finding, with the remedy. Changes nothing.

    Settings are those of `serve`: the file, `AUTHZ_*`, these flags. Exits 1 if anything is wrong; what is only odd
    may be meant.
    """
    from authz.cli.doctor.finding import Grade  # noqa: PLC0415 - see the package's docstring
    from authz.config import load  # noqa: PLC0415

    flags: dict[str, str | tuple[str, ...]] = {}
    flags |= {"listen": tuple(listen)} if listen else {}
    flags |= {"redis.url": redis} if redis else {}
    settings = load(file=config, environment=os.environ, flags=flags).settings
    found = list(_findings(settings, admin or settings.admin or "", envoy_admin))
    shown = [one for one in found if not quiet or one.grade is not Grade.FINE]
    if output is Output.JSON:
        import msgspec  # noqa: PLC0415

        say(json.dumps({"findings": msgspec.to_builtins(shown)}, indent=2))
    elif shown:
        say("\n".join(map(_line, shown)))
    raise typer.Exit(Exit.UNEXPECTED if any(one.grade is Grade.WRONG for one in found) else Exit.FINE)


def _findings(settings: Settings, admin: str, envoy_admin: str) -> Iterator[Finding]:
    from authz.cli.doctor import around  # noqa: PLC0415
    from authz.cli.doctor.finding import odd  # noqa: PLC0415

    if admin:
        yield from _told(admin)
    else:
        yield odd("admin port", "is off, and the service says nothing of itself", "set admin: 127.0.0.1:9192")
    yield from around.sockets(settings)
    yield from around.redis(settings)
    if envoy_admin:
        yield from around.envoy(envoy_admin, settings)


def _told(admin: str) -> Iterator[Finding]:
    from authz.cli.admin import data  # noqa: PLC0415
    from authz.cli.doctor.finding import wrong  # noqa: PLC0415
    from authz.cli.doctor.telling import told  # noqa: PLC0415
    from authz.errors import Unavailable  # noqa: PLC0415

    try:
        status, state = data(admin, "/status"), data(admin, "/api/state")
    except Unavailable as error:
        yield wrong("admin port", str(error), "is authz serving, and is --admin its admin port?")
        return
    checks: dict[str, int] = {}
    for each in state["numbers"]["checks"]:
        checks[each["reason"]] = checks.get(each["reason"], 0) + each["count"]
    yield from told(status, checks)


def _line(one: Finding) -> str:
    from authz.cli.doctor.finding import Grade  # noqa: PLC0415
    from authz.words import printable  # noqa: PLC0415

    colors = {Grade.FINE: typer.colors.GREEN, Grade.ODD: typer.colors.YELLOW, Grade.WRONG: typer.colors.RED}
    grade = typer.style(f"{one.grade.value:<5}", fg=colors[one.grade])
    return f"{grade} {printable(f'{one.about}: {one.what}')}" + (f" -> {printable(one.remedy)}" if one.remedy else "")
