"""`authz schema`: what editors and other programs may hold on to, as JSON Schema."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from authz.cli.output import say

if TYPE_CHECKING:
    from collections.abc import Callable


class Subject(StrEnum):
    """What has a schema."""

    POLICY = "policy"
    TEST = "test"
    RECORD = "record"
    SETTINGS = "settings"


class Form(StrEnum):
    """How it is written."""

    JSON = "json"
    MARKDOWN = "markdown"


def command(
    subject: Annotated[Subject, typer.Argument(help="What to print the schema of.")] = Subject.POLICY,
    output: Annotated[Form, typer.Option(help="markdown: the reference of all settings.")] = Form.JSON,
) -> None:
    """Print a JSON Schema: of policy files, of their tests, of decision records, of the settings file."""
    import json  # noqa: PLC0415 - see the package's docstring

    if output is Form.JSON:
        say(json.dumps(_SCHEMAS[subject](), indent=2))
        return
    if subject is not Subject.SETTINGS:
        raise typer.BadParameter("only settings have a reference in Markdown")
    from authz.config.reference import reference  # noqa: PLC0415

    say(reference().rstrip("\n"))


def _policy() -> dict[str, Any]:
    from authz.policy.schema import schema  # noqa: PLC0415

    return schema()


def _test() -> dict[str, Any]:
    from authz.policy.schema import schema  # noqa: PLC0415

    return schema("PolicyTest")


def _record() -> dict[str, Any]:
    from authz.audit.schema import schema  # noqa: PLC0415

    return schema()


def _settings() -> dict[str, Any]:
    from authz.config.reference import schema  # noqa: PLC0415

    return schema()


_SCHEMAS: dict[Subject, Callable[[], dict[str, Any]]] = {
    Subject.POLICY: _policy,
    Subject.TEST: _test,
    Subject.RECORD: _record,
    Subject.SETTINGS: _settings,
}
