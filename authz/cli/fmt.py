"""`authz fmt`: policies and tests written in one way, comments and all; what they say stays what it is."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from authz.cli.output import Exit, say, tell
from authz.cli.placing import exchange
from authz.files import whole
from authz.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

OURS = b"authz/"
"""What every document says; files of data and those of other programs are left alone."""


def command(
    paths: Annotated[list[Path], typer.Argument(exists=True, help="Folders and files, tests among them.")],
    *,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit 3 if anything would be.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Change nothing; show what would be.")] = False,
) -> None:
    """Write policies and tests in one way: the docs' order of keys, one indentation, quotes where they are needed.

    Comments stay with what they are about. A file with a fault is left as it is, and exits 3.
    """
    files = [file for path in paths for file in _files(path)]
    changed, faulty = [], []
    for file in dict.fromkeys(files):
        before = whole(file)
        after = _formatted(file, before)
        if after is None:
            faulty.append(file)
        elif after != before:
            changed.append(file)
            if diff:
                say(_difference(file, before, after))
            if not (check or diff):
                exchange(file, after)
    for file in faulty:
        tell(f"{file}: has a fault, and is left as it is: authz check shows it")
    told = "would be written anew" if check or diff else "written anew"
    for file in changed if not diff else ():
        tell(f"{file}: {told}")
    tell(f"{counted(len(files), 'file')} read, {len(changed)} {told}")
    raise typer.Exit(Exit.POLICIES if faulty or (check and changed) else Exit.FINE)


def _files(path: Path) -> Iterator[Path]:
    """Yield what is named, or those of a folder that hold documents."""
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            file = Path(folder, name)
            if name.endswith((".yaml", ".yml")) and not name.startswith(".") and OURS in whole(file):
                yield file


def _formatted(file: Path, content: bytes) -> bytes | None:
    """Return the content of a file as it is to be written; nothing where it has a fault."""
    from authz.policy.documents import KINDS  # noqa: PLC0415 - see the package's docstring
    from authz.policy.formatting import formatted  # noqa: PLC0415
    from authz.policy.reading import TESTS, is_test_file, read  # noqa: PLC0415

    if read(str(file), content, TESTS if is_test_file(str(file)) else KINDS).faults:
        return None
    return formatted(content.decode()).encode()


def _difference(file: Path, before: bytes, after: bytes) -> str:
    old, new = (content.decode().splitlines() for content in (before, after))
    return "\n".join(difflib.unified_diff(old, new, str(file), str(file), lineterm=""))
