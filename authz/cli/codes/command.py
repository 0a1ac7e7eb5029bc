"""`authz help`: what a code of a fault or a warning means."""

from __future__ import annotations

from typing import Annotated, NoReturn

import typer

from authz.cli.output import say
from authz.cli.verbs import VERBS


def command(
    context: typer.Context,
    code: Annotated[str, typer.Argument(help="A code, such as AZ103, or a verb. Left out: a line for each code.")] = "",
) -> None:
    """Explain a code that was shown beside a fault, with a text that has it and one that says what was meant."""
    from authz.cli.codes import EXPLAINED, FINDINGS, page  # noqa: PLC0415 - see the package's docstring
    from authz.policy.documents.values import nearest  # noqa: PLC0415

    all_ = {**EXPLAINED, **FINDINGS}
    if not code:
        say("\n".join(f"{known}  {paragraph.partition('. ')[0].rstrip('.')}." for known, paragraph in all_.items()))
        return
    if code in VERBS:
        _verb(context, code)
    known = code.upper()
    if known not in all_:
        meant = nearest(known, all_)
        hint = f"did you mean {meant}?" if meant else "authz help lists them, authz --help lists verbs"
        raise typer.BadParameter(f"no code is called {code} ({hint})")
    say(page(known))


def _verb(context: typer.Context, name: str) -> NoReturn:
    context.find_root().command([name, "--help"], prog_name="authz")
    raise typer.Exit
