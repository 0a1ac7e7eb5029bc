"""`authz help`: what a code of a fault or a warning means."""

from __future__ import annotations

from typing import Annotated

import typer

from authz.cli.output import say


def command(
    code: Annotated[str, typer.Argument(help="A code, such as AZ103. Left out: a line for each.")] = "",
) -> None:
    """Explain a code that `authz check` showed, with a text that has it and one that says what was meant."""
    from authz.cli.codes import EXPLAINED, page  # noqa: PLC0415 - see the package's docstring
    from authz.policy.documents.values import nearest  # noqa: PLC0415

    if not code:
        say(
            "\n".join(f"{known}  {paragraph.partition('. ')[0].rstrip('.')}." for known, paragraph in EXPLAINED.items())
        )
        return
    known = code.upper()
    if known not in EXPLAINED:
        meant = nearest(known, EXPLAINED)
        hint = f"did you mean {meant}?" if meant else "authz help lists them; authz VERB --help explains a verb"
        raise typer.BadParameter(f"no code is called {code} ({hint})")
    say(page(known))
