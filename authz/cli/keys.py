"""`authz keys`: a credential to give away, or one that is chosen, and the entry that knows it again.

A password comes from the terminal or from standard input and never from an argument, which other processes could read.
"""

from __future__ import annotations

import json
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from authz.cli.output import Output, say, tell
from authz.cli.typed import word, words
from authz.files import whole
from authz.identity import passwords
from authz.identity.api_keys import SHORTEST_SECRET, digest, new_key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from authz.policy import KeyEntry, UserEntry

Entry = dict[str, object]


class Action(StrEnum):
    """What can be done with keys."""

    NEW = "new"
    PASSWORD = "password"  # noqa: S105 - the word, not one


def command(
    action: Annotated[Action, typer.Argument(help="`new` makes a key, `password` an entry for one that is asked for.")],
    *,
    key_id: Annotated[
        str, typer.Option("--id", callback=word, help="What records call it; the user name. [default: made up]")
    ] = "",
    subject: Annotated[str, typer.Option(callback=word, help="Who holds it. [default: the id]")] = "",
    roles: Annotated[
        list[str] | None, typer.Option("--role", callback=words, help="A role of the holder; repeatable.")
    ] = None,
    scopes: Annotated[
        list[str] | None, typer.Option("--scope", callback=words, help="A scope of the holder; repeatable.")
    ] = None,
    expires: Annotated[str, typer.Option(help="When it stops being good: 2027-11-23T12:00:00Z.")] = "",
    secret_file: Annotated[Path | None, typer.Option(help="The provider's secret: the digest is an HMAC then.")] = None,
    output: Annotated[Output, typer.Option(help="Who reads the key.")] = Output.PRETTY,
) -> None:
    """Make an API key, and print it this once beside the entry for the provider's file of keys.

    The key is kept nowhere: who loses it gets a new one. To rotate, add the new entry, hand over the new key, and take
    the old entry away when metrics say that it is used no more.

    With `password` nothing is made up: the password is asked for, or is the first line of standard input, and what is
    printed is the entry for the provider's file of users.
    """
    said = {"subject": subject, "roles": roles, "scopes": scopes, "expires": expires}
    holder: Entry = {name: value for name, value in said.items() if value}
    if action is Action.PASSWORD:
        _password(key_id, secret_file, holder, output)
    else:
        _new(key_id, secret_file, holder, output)


def _new(key_id: str, secret_file: Path | None, holder: Entry, output: Output) -> None:
    from authz.policy import key_entries  # noqa: PLC0415 - see the package's docstring

    key = new_key()
    made = digest(key.encode(), b"" if secret_file is None else _secret(secret_file))
    kind = "sha256" if secret_file is None else "hmac-sha256"
    entry: Entry = {"id": key_id or f"key-{made[:8]}", kind: made, **holder}
    written = _written(entry, key_entries)
    if output is Output.JSON:
        say(json.dumps({"key": key, "entry": entry}, indent=2))
    else:
        say(f"key: {key}\n\n{written}")
        tell("the key is shown this once; the entry goes into the provider's file of keys")


def _password(user: str, secret_file: Path | None, holder: Entry, output: Output) -> None:
    from authz.policy import user_entries  # noqa: PLC0415 - see the package's docstring

    if not user:
        raise typer.BadParameter("a password needs --id, the user name")
    if secret_file is not None:
        raise typer.BadParameter("--secret-file is for keys: the hash of a password has a salt of its own")
    try:
        entry: Entry = {"id": user, "hash": passwords.hashed(_chosen()), **holder}
    except ModuleNotFoundError as error:
        raise typer.BadParameter(passwords.EXTRA) from error
    written = _written(entry, user_entries)
    if output is Output.JSON:
        say(json.dumps({"entry": entry}, indent=2))
    else:
        say(written)
        tell("the entry goes into the provider's file of users")


def _chosen() -> str:
    """Return the password, typed twice or from standard input, if it is one that the service would take."""
    if sys.stdin is None:
        raise typer.BadParameter("a password is asked for on a terminal, or read from standard input, which is closed")
    if sys.stdin.isatty():
        password = str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    else:
        password = sys.stdin.readline(passwords.LONGEST + 2).rstrip("\r\n")
    length = len(passwords.normal(password).encode())
    if len(password) < passwords.SHORTEST or length > passwords.LONGEST or not password.isprintable():
        what = f"{passwords.SHORTEST} characters at least, {passwords.LONGEST} bytes at most, nothing unprintable"
        raise typer.BadParameter(f"the password: {what}")
    return password


def _secret(file: Path) -> bytes:
    try:
        secret = whole(file).strip()
    except OSError as error:
        raise typer.BadParameter(f"can't read {file}: {error.strerror}") from error
    if len(secret) < SHORTEST_SECRET:
        raise typer.BadParameter(f"{file} holds no secret of at least {SHORTEST_SECRET} bytes")
    return secret


def _written(entry: Entry, read: Callable[[str, bytes], Sequence[KeyEntry | UserEntry]]) -> str:
    """Write an entry as YAML, JSON's texts and lists being YAML's, that the service would take."""
    from authz.policy import Unfit  # noqa: PLC0415 - see the package's docstring

    written = "- " + "\n  ".join(f"{name}: {json.dumps(value)}" for name, value in entry.items())
    try:
        (taken,) = read("the entry.yaml", written.encode())
    except Unfit as unfit:
        told = (f"{fault.message} ({fault.hint})" if fault.hint else fault.message for fault in unfit.faults)
        raise typer.BadParameter("; ".join(told)) from unfit
    if taken.expires is not None and taken.expires <= time.time():
        raise typer.BadParameter(f"{entry['expires']} is over: nobody would be let in", param_hint="--expires")
    return written
