"""`authz import`: policies to start from, made of what another program was configured with."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from authz.cli.output import say, tell
from authz.files import whole

if TYPE_CHECKING:
    from authz.cli.from_openapi import Wanted


class Origin(StrEnum):
    """What can be converted."""

    OPENAPI = "openapi"
    RATELIMIT = "ratelimit"


def command(  # noqa: PLR0913 - one per flag
    origin: Annotated[
        Origin,
        typer.Argument(
            help="What FILE is: openapi, a description of an API; ratelimit, a domain of envoyproxy/ratelimit."
        ),
    ],
    file: Annotated[Path, typer.Argument(exists=True, help="The file to convert.")],
    *,
    output_dir: Annotated[Path | None, typer.Option(help="openapi: the folder to write policies and tests to.")] = None,
    force: Annotated[bool, typer.Option("--force", help="openapi: overwrite files that are there.")] = False,
    issuer: Annotated[str, typer.Option(help="openapi: who makes the tokens. [default: what the document says]")] = "",
    jwks: Annotated[str, typer.Option(help="openapi: the issuer's key set. [default: by discovery]")] = "",
    audience: Annotated[list[str] | None, typer.Option(help="openapi: whom tokens must be for.")] = None,
    trust_domain: Annotated[list[str] | None, typer.Option(help="openapi: whose certificates are believed.")] = None,
    host: Annotated[list[str] | None, typer.Option(help="openapi: hosts of the API. [default: any]")] = None,
    unchecked: Annotated[
        list[str] | None, typer.Option(help="openapi: media types whose bodies are let through unread.")
    ] = None,
) -> None:
    """Convert another program's configuration, or the description of an API, to policies.

    What is made of ratelimit goes to standard output, and what was assumed stands at its head. Of openapi, a folder is
    made: a guardrail that holds requests against the description, a policy per tag, identity providers, and tests.
    """
    if origin is Origin.RATELIMIT:
        _ratelimit(file)
        return
    if output_dir is None:
        raise typer.BadParameter("--output-dir is missing: the folder to write policies and tests to")
    from authz.cli.from_openapi import Issuing, Wanted  # noqa: PLC0415 - see the package's docstring

    issuing = Issuing(issuer, jwks, tuple(audience or ()), tuple(trust_domain or ()))
    _openapi(file, output_dir, Wanted(issuing, tuple(host or ()), tuple(unchecked or ())), force=force)


def _ratelimit(file: Path) -> None:
    from authz.cli import from_ratelimit  # noqa: PLC0415 - see the package's docstring
    from authz.errors import PolicyFaults, SettingsFaults  # noqa: PLC0415
    from authz.limits.descriptors import read_domain  # noqa: PLC0415

    try:
        text = whole(file).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"can't read {file}: {getattr(error, 'strerror', None) or 'no UTF-8'}") from error
    try:
        converted = from_ratelimit.convert(read_domain(text, str(file)))
    except SettingsFaults as error:  # of a setting, where the service reads it; here it is a file that is checked
        raise PolicyFaults(error.faults) from None
    say(from_ratelimit.text(converted).rstrip("\n"))
    tell(from_ratelimit.summary(converted))


def _openapi(file: Path, folder: Path, wanted: Wanted, *, force: bool) -> None:
    from authz.cli.from_openapi import Missing, made, read, write  # noqa: PLC0415 - see the package's docstring
    from authz.cli.placing import Taken  # noqa: PLC0415

    if not file.is_file():
        raise typer.BadParameter(f"can't read {file}: it is no file")
    try:
        policies = made(read(file, wanted.unchecked), wanted)
        names = write(policies, folder, force=force)
    except Missing as missing:
        raise typer.BadParameter(str(missing)) from missing
    except Taken as taken:
        raise typer.BadParameter(f"already in {folder}: {taken} (--force overwrites)") from taken
    say("\n".join(str(folder / name) for name in names))
    for note in policies.notes:
        tell(f"note: {note}")
    tell(f"next: authz check {folder} && authz test {folder}; then make the rules say who may do what")
