"""`authz sign`: stand for a folder of policies, so that a service serves nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from authz.cli.output import tell
from authz.cli.placing import exchange
from authz.files import whole
from authz.words import counted


def command(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="A folder of policies.")],
    *,
    key: Annotated[Path, typer.Option("--key", help="A private key of Ed25519, PEM, without a passphrase.")],
) -> None:
    """Write `.signature.json` into a folder of policies: every file's digest, signed. Do it after the last change.

    `openssl genpkey -algorithm ed25519 -out signing.pem` makes a key, `openssl pkey -in signing.pem -pubout` prints the
    half that `authz serve --verify-key` wants. Where the folder comes from (`authz provenance`) is signed with it.
    """
    from authz.errors import PolicyFaults, Unavailable  # noqa: PLC0415 - see the package's docstring
    from authz.store import read  # noqa: PLC0415
    from authz.store.folders import SIGNATURE  # noqa: PLC0415
    from authz.store.signatures import files_of, key_id, private_key, sign  # noqa: PLC0415

    reading = read([folder], tests=True)
    if reading.faults:
        raise PolicyFaults(reading.faults)
    try:
        secret = private_key(whole(key))
    except ValueError as error:
        raise Unavailable(f"{key}: {error}") from None
    (origin,) = reading.origins
    files = files_of(origin, reading)
    try:
        signature = sign(files, secret)
    except ValueError as error:
        raise Unavailable(f"{folder}: {error}") from None
    exchange(folder / SIGNATURE, signature)  # a service that watches the folder never reads half of it
    tell(f"{counted(len(files), 'file')} signed by the key {key_id(secret.public_key())}")
