"""`authz provenance`: what Git knows of a folder, to go with it where Git does not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from authz.cli.output import say


def command(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="A folder of policies in a checkout.")],
) -> None:
    """Print the commit, author and date of a folder of policies, and whether its files differ from that commit.

    As `.provenance.json` at the top of the folder, or among the files of a ConfigMap, it tells the service, whose
    records then name the commit.
    """
    from authz.errors import Unavailable  # noqa: PLC0415 - see the package's docstring
    from authz.store.checkout import described  # noqa: PLC0415
    from authz.store.provenance import written  # noqa: PLC0415

    found = described(str(folder.resolve()))
    if found is None:
        raise Unavailable(f"{folder} is in no checkout of Git that has a commit")
    say(written(found).decode().rstrip())
