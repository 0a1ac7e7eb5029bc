"""`authz import`: policies to start from, made of what another program was configured with."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from authz.cli.output import say, tell


class Origin(StrEnum):
    """What can be converted."""

    RATELIMIT = "ratelimit"


def command(
    origin: Annotated[Origin, typer.Argument(help="What FILE is: ratelimit, a domain of envoyproxy/ratelimit.")],
    file: Annotated[Path, typer.Argument(help="The file to convert.")],
) -> None:
    """Convert another program's configuration, to standard output.

    What was assumed stands at the head of the result. An Envoy can also go on asking its rate limit service: see
    `limits.descriptors` in the settings, which takes the file as it is.
    """
    from authz.cli import from_ratelimit  # noqa: PLC0415 - see the package's docstring
    from authz.limits.descriptors import read_domain  # noqa: PLC0415

    assert origin is Origin.RATELIMIT  # noqa: S101 - the only one
    try:
        content = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"can't read {file}: {getattr(error, 'strerror', None) or 'no UTF-8'}") from error
    converted = from_ratelimit.convert(read_domain(content, str(file)))
    say(from_ratelimit.text(converted).rstrip("\n"))
    tell(from_ratelimit.summary(converted))
