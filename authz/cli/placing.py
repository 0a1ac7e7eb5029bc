"""Files that a verb makes, on disk: whole or not at all, and nothing that is there already unless that is wanted."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from authz.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping


class Taken(Exception):
    """Files are there already, with other contents."""


def write(contents: Mapping[str, bytes], folder: Path, *, force: bool) -> tuple[str, ...]:
    """Write files into a folder; return their names, raise `Taken` where one would be overwritten.

    Raises `Unavailable` where one can't be written; those that were not there before are gone then.
    """
    there = sorted(name for name in contents if (folder / name).exists())
    if there and not force:
        raise Taken(", ".join(there))
    made: list[Path] = []
    try:
        for name, content in contents.items():
            if name not in there:
                made.append(folder / name)
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            exchange(folder / name, content)
    except (OSError, Unavailable) as error:
        for path in made:
            with suppress(OSError):
                path.unlink()
        raise error if isinstance(error, Unavailable) else _unwritten(error.filename or folder, error) from error
    return tuple(sorted(contents))


def exchange(file: Path, content: bytes) -> None:
    """Put a file in the place of one, or where none is, whole or not at all; raises `Unavailable`."""
    place = Path(os.path.realpath(file))  # not `resolve`, which ends at a link to itself
    beside = place.with_name(f".{place.name}.new")  # a name that is read by nobody
    try:
        beside.write_bytes(content)
        if place.exists():
            shutil.copymode(place, beside)
            with suppress(PermissionError):
                shutil.chown(beside, place.stat().st_uid, place.stat().st_gid)
        beside.replace(place)
    except OSError as error:
        raise _unwritten(file, error) from error
    finally:
        with suppress(OSError):
            beside.unlink()


def _unwritten(file: Path | str, error: OSError) -> Unavailable:
    return Unavailable(f"{file}: can't be written: {(error.strerror or str(error)).lower()}")
