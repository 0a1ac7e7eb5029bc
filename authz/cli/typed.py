"""What was typed, looked at before a verb sees it: nothing blank, and no word twice.

A blank is what a shell makes of a variable that is not set. To a verb it would be another thing than the caller meant:
no end for a key, or the folder one stands in. What a value means is for the verb to say, not for this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperOption

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from typer._click import Context

MAY_BE_BLANK = {"body", "key_parts"}
"""A body that is empty is one, and so is a part of a key that was counted."""

MAY_REPEAT = {"headers", "key_parts"}
"""Texts that mean something each time they are there."""


class Typed(TyperCommand):
    """A verb whose arguments were looked at."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Refuse what is blank or there twice, then read the rest."""
        given: dict[str, Any]
        given, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        for parameter in self.get_params(ctx):
            assert isinstance(parameter, TyperOption | TyperArgument)  # noqa: S101 - typer has no others
            fault = _fault(parameter, _texts(given.get(parameter.name or "")))
            if fault:
                raise typer.BadParameter(fault, ctx=ctx, param=parameter)
        return super().parse_args(ctx, args)


def word(text: str) -> str:
    """Return a word that others are compared with; raises `BadParameter` for one that could only look like them."""
    if text != text.strip():
        raise typer.BadParameter(f'"{text}" has blanks around it, and would be another word than without')
    if not text.isprintable():
        raise typer.BadParameter(f"{text!a} holds what can't be shown")
    return text


def words(texts: list[str] | None) -> list[str]:
    """Return words that others are compared with; raises `BadParameter` likewise."""
    return [word(text) for text in texts or ()]


def _texts(given: object) -> Sequence[str]:
    several: Iterable[object] = given if isinstance(given, (list, tuple)) else (given,)
    return [one for one in several if isinstance(one, str)]


def _fault(parameter: TyperOption | TyperArgument, texts: Sequence[str]) -> str:
    if parameter.name not in MAY_BE_BLANK and not all(text.strip() for text in texts):
        return "is empty (a variable that is not set?)"
    twice = [text for number, text in enumerate(texts) if text in texts[:number]]
    if twice and parameter.name not in MAY_REPEAT and parameter.multiple:
        return f'"{twice[0]}" is given twice'
    return ""
