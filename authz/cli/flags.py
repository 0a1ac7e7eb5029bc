"""A flag for every setting, made from the settings themselves: none can be missing, and none can say otherwise."""

from __future__ import annotations

import inspect
from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated, Any

import typer

from authz.config import load
from authz.config.names import SETTINGS, Setting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def with_settings(function: Callable[..., None]) -> Callable[..., None]:
    """Give a verb every setting as a flag; it gets those that were typed as `flags`, by setting name."""
    own = [one for one in inspect.signature(function, eval_str=True).parameters.values() if one.name != "flags"]
    names = {setting.name.replace(".", "_"): setting.name for setting in SETTINGS.values()}

    def verb(**given: Any) -> None:  # noqa: ANN401 - whatever typer parsed
        typed = {name: given.pop(parameter) for parameter, name in names.items()}
        texts = {name: value for name, value in typed.items() if value is not None}
        flags = {name: tuple(text) if isinstance(text, list) else text for name, text in texts.items()}
        function(flags=flags, **given)

    defaults = {name: default for name, default, _ in load(environment={}, flags={}).rows()}
    parameters = [_parameter(setting, defaults[setting.name]) for setting in SETTINGS.values()]
    verb.__signature__ = inspect.Signature([*own, *parameters])  # type: ignore[attr-defined]
    verb.__doc__ = function.__doc__
    verb.__annotations__ = {}
    return verb


def with_switches(arguments: Sequence[str]) -> list[str]:
    """Return arguments in which every switch has its value: one that stands alone is on, as `--require-tests` is."""
    switches = {setting.flag for setting in SETTINGS.values() if setting.switch}
    written: list[str] = []
    for argument, following in zip_longest(arguments, arguments[1:], fillvalue="-"):
        written += [argument, "true"] if argument in switches and following.startswith("-") else [argument]
    return written


def _parameter(setting: Setting, default: str) -> inspect.Parameter:
    values = ("true", "false") if setting.switch else setting.choices
    option = typer.Option(
        setting.flag,
        help=f"{setting.about}{' Repeatable.' if setting.many else ''} [default: {default}]",
        metavar="[true|false]"
        if setting.switch
        else "|".join(setting.choices) or setting.name.rpartition(".")[2].upper(),
        show_default=False,
        autocompletion=lambda incomplete: [value for value in values if value.startswith(incomplete)],
    )
    kind = list[str] if setting.many else str
    return inspect.Parameter(
        setting.name.replace(".", "_"),
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[kind | None, option],
    )
