"""`authz init`: policies, data and tests to start from, with schemas for the editor, a hook and a workflow."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from authz.cli.output import say, tell

PLACES = {
    "policies/orders.yaml": "api.yaml",
    "policies/platform.yaml": "platform.yaml",
    "policies/data.yaml": "data.yaml",
    "policies/tenants.txt": "tenants.txt",
    "policies/orders_test.yaml": "api_test.yaml",
    ".vscode/settings.json": "vscode.json",
    ".github/workflows/policies.yaml": "workflow.yaml",
    ".pre-commit-config.yaml": "pre-commit.yaml",
}
"""Where each file of `files` is written."""


def command(
    folder: Annotated[Path, typer.Argument(help="Where to write.")] = Path(),
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
) -> None:
    """Write policies that work with their tests and data, and schemas, editor settings, a hook and a workflow for them.

    Nothing that is there is overwritten, unless that is wanted.
    """
    from authz.cli.placing import Taken, write  # noqa: PLC0415 - see the package's docstring

    try:
        names = write(contents(), folder, force=force)
    except Taken as taken:
        raise typer.BadParameter(f"already in {folder}: {taken} (--force overwrites)") from taken
    say("\n".join(str(folder / name) for name in names))
    tell(f"next: authz check --lint {folder / 'policies'} && authz test --coverage {folder / 'policies'}")


def contents() -> dict[str, bytes]:
    """Return everything that is written, by its place."""
    from authz.policy.schema import schema  # noqa: PLC0415

    held = files("authz.cli.init").joinpath("files")
    made = {place: held.joinpath(name).read_bytes() for place, name in PLACES.items()}
    schemas = {"policy": schema(), "test": schema("PolicyTest")}
    return made | {
        f"schema/{name}.schema.json": (json.dumps(one, indent=2) + "\n").encode() for name, one in schemas.items()
    }
