"""`authz keys new`: an API key to give away, and the entry that knows it again."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from authz.cli.output import Output, say, tell
from authz.identity.api_keys import SHORTEST_SECRET, digest, new_key


class Action(StrEnum):
    """What can be done with keys."""

    NEW = "new"


def command(
    action: Annotated[Action, typer.Argument(help="What to do: `new` makes a key.")],
    *,
    key_id: Annotated[str, typer.Option("--id", help="What records call the key. [default: made up]")] = "",
    subject: Annotated[str, typer.Option(help="Who holds it. [default: the id]")] = "",
    roles: Annotated[list[str] | None, typer.Option("--role", help="A role of the holder.")] = None,
    scopes: Annotated[list[str] | None, typer.Option("--scope", help="A scope of the holder.")] = None,
    expires: Annotated[str, typer.Option(help="When it stops being good: 2027-11-23T12:00:00Z.")] = "",
    secret_file: Annotated[Path | None, typer.Option(help="The provider's secret: the digest is an HMAC then.")] = None,
    output: Annotated[Output, typer.Option(help="Who reads the key.")] = Output.PRETTY,
) -> None:
    """Make an API key, and print it this once beside the entry for the provider's file of keys.

    The key is kept nowhere: who loses it gets a new one. To rotate, add the new entry, hand over the new key, and take
    the old entry away when metrics say that it is used no more.
    """
    from authz.policy import Unfit, key_entries  # noqa: PLC0415 - see the package's docstring

    assert action is Action.NEW  # noqa: S101 - there is no other
    key = new_key()
    secret = b"" if secret_file is None else _secret(secret_file)
    made = digest(key.encode(), secret)
    said = {"subject": subject, "roles": roles, "scopes": scopes, "expires": expires}
    kind = "sha256" if secret_file is None else "hmac-sha256"
    entry: dict[str, object] = {
        "id": key_id or f"key-{made[:8]}",
        kind: made,
        **{name: value for name, value in said.items() if value},
    }
    written = _entry(entry)
    try:
        key_entries("the entry", written.encode())
    except Unfit as unfit:
        raise typer.BadParameter("; ".join(fault.message for fault in unfit.faults)) from unfit
    if output is Output.JSON:
        say(json.dumps({"key": key, "entry": entry}, indent=2))
    else:
        say(f"key: {key}\n\n{written}")
        tell("the key is shown this once; the entry goes into the provider's file of keys")


def _secret(file: Path) -> bytes:
    try:
        secret = file.read_bytes().strip()
    except OSError as error:
        raise typer.BadParameter(f"can't read {file}: {error.strerror}") from error
    if len(secret) < SHORTEST_SECRET:
        raise typer.BadParameter(f"{file} holds no secret of at least {SHORTEST_SECRET} bytes")
    return secret


def _entry(entry: dict[str, object]) -> str:
    """Write an entry as YAML: JSON's texts and lists are YAML's."""
    return "- " + "\n  ".join(f"{name}: {json.dumps(value)}" for name, value in entry.items())
