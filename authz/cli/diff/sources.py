"""One of the two states that are compared: policies and their tests as a commit has them, or as a folder has them now.

A commit is read from Git's own store, never checked out: attributes of the repository that leave files out of an
archive, or filters that change them, have no say. Links are refused, for where they lead may be in no commit.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from authz.cli.git import commit_of, git
from authz.cli.testing.files import batches
from authz.errors import PolicyFaults, Unavailable
from authz.files import whole
from authz.policy.reading import is_test_file
from authz.server.deciding import compiler
from authz.store import read
from authz.testing import read_suites

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from authz.policy import PolicySet
    from authz.testing import Suite

_LINK = "120000"
_SUBMODULE = "160000"


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One state; `files` are those beside documents, by the path below its folder, `suites` its tests."""

    label: str
    policies: PolicySet
    files: Mapping[str, bytes]
    suites: tuple[Suite, ...]


def side(name: str, folders: Sequence[Path]) -> Side:
    """Return a folder that is called so, else the folders of policies as a revision has them.

    Raises `PolicyFaults` with what is wrong with the policies, `Unavailable` for what Git does not have.
    """
    return folder(Path(name)) if Path(name).exists() else revision(name, folders)


def folder(path: Path) -> Side:
    """Return what a folder holds."""
    return folders([path])


def folders(paths: Sequence[Path]) -> Side:
    """Return what folders hold together."""
    reading = read(paths)
    if reading.faults:
        raise PolicyFaults(reading.faults)
    found = batches([path for path in paths if path.is_dir()], paths)
    tests = {str(file): whole(file) for batch in found for file in batch.files}
    label = ", ".join(map(str, paths))
    return _side(label, reading.files, tests, [str(path) for path in paths])


def revision(name: str, paths: Sequence[Path]) -> Side:
    """Return what folders held at a revision."""
    files: dict[str, bytes] = {}
    roots = [f"{name}:{path}" for path in paths]
    for path, root in zip(paths, roots, strict=True):
        files |= {f"{root}/{inside}": content for inside, content in _committed(path, name)}
    if not files:
        raise Unavailable(f"{name} has no policies in {', '.join(map(str, paths))}")
    tests = {path: content for path, content in files.items() if is_test_file(path)}
    return _side(name, {path: files[path] for path in files.keys() - tests.keys()}, tests, roots)


def _side(label: str, files: Mapping[str, bytes], tests: Mapping[str, bytes], roots: Sequence[str]) -> Side:
    policies = compiler("auto").compile(files)
    held = {document.file for document in policies.written}
    return Side(
        label=label,
        policies=policies,
        files={_below(path, roots): content for path, content in files.items() if path not in held},
        suites=read_suites(tests),
    )


def _below(path: str, roots: Sequence[str]) -> str:
    """Return a path without the folder it is in, so that two states compare wherever they are."""
    root = next((root for root in roots if path.startswith(f"{root.rstrip('/')}/")), "")
    return path[len(root) :].lstrip("/")


def _committed(path: Path, name: str) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a folder at a revision by their paths in it; names that begin with a dot are skipped."""
    if not path.is_dir():
        why = "policies of a revision are those of a folder" if path.exists() else "where are the policies? --policies"
        raise Unavailable(f"there is no folder {path} to look for {name} in: {why}")
    commit = commit_of(path, name)
    for entry in filter(None, git(path, "ls-tree", "-r", "-z", commit, ".").split(b"\0")):
        about, _, raw = entry.partition(b"\t")
        mode, _, blob = about.decode().split()
        inside = os.fsdecode(raw)
        if any(part.startswith(".") for part in inside.split("/")):
            continue
        if mode in {_LINK, _SUBMODULE}:
            raise Unavailable(f"{name}:{path}/{inside} is a link, and where it leads is in no commit; compare folders")
        yield inside, git(path, "cat-file", "blob", blob)
