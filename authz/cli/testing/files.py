"""Tests on disk, and the policies each file is about: those given, or those that lie beside or above it.

The nearest folder counts, from the file upwards, that holds policies itself or in a folder `policies`; where a
repository ends, so does the search.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from authz.cli.testing.ours import is_ours
from authz.errors import Fault, PolicyFaults
from authz.policy.reading import is_policy_file, is_test_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Files of tests that are about the same policies."""

    policies: tuple[Path, ...]
    files: tuple[Path, ...]


def batches(paths: Sequence[Path], policies: Sequence[Path]) -> tuple[Batch, ...]:
    """Return the tests that lie in folders or are named, by the policies they are about; raise `PolicyFaults`."""
    found: dict[tuple[Path, ...], list[Path]] = {}
    for file in dict.fromkeys(file for path in paths for file in _tests(path)):
        found.setdefault(tuple(policies) or (_policies_of(file),), []).append(file)
    return tuple(Batch(policies=sources, files=tuple(files)) for sources, files in found.items())


def tested(files: Iterable[str], paths: Iterable[Path]) -> frozenset[str]:
    """Return those of some files of policies that tests are about; beside a file that is named, those of its folder."""
    named = list(paths)
    others = [test for path in named if path.is_file() for test in beside(path)]
    about = {folder for batch in batches([*filter(Path.is_dir, named), *others], []) for folder in batch.policies}
    return frozenset(file for file in files if any(Path(file).is_relative_to(folder) for folder in about))


def beside(file: Path) -> tuple[Path, ...]:
    """Return the tests in the folder of a file."""
    return tuple(sorted(test for test in file.parent.iterdir() if is_test_file(test.name)))


def _tests(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(filter(is_test_file, names)):
            file = path / os.path.relpath(folder, path) / name
            if is_ours(file):
                yield file


def _policies_of(file: Path) -> Path:
    for folder in _above(file):
        for candidate in (folder, folder / "policies"):
            if candidate.is_dir() and any(is_policy_file(entry.name) for entry in candidate.iterdir()):
                return candidate
    message = "no policies lie beside or above these tests"
    raise PolicyFaults([Fault(file=str(file), message=message, hint="name them: --policies DIR")])


def _above(file: Path) -> Iterator[Path]:
    """Yield the folders from a file's own upwards, written as the file is while that is possible."""
    for folder in (*file.parents, *file.absolute().parents[len(file.parents) :]):
        yield folder
        if (folder / ".git").exists():
            return
