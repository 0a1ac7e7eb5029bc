"""What an OpenAPI document says, once it is known to have no faults: those are told as a policy's would be."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from authz.content.openapi import compile_api
from authz.content.openapi.operations import described
from authz.files import whole
from authz.policy.files import Files
from authz.server.deciding import compiler

if TYPE_CHECKING:
    from authz.content.openapi import Api
    from authz.content.openapi.operations import Description

_ASKING = """\
apiVersion: authz/v1
kind: Guardrail
metadata: {{name: api}}
spec: {{validate: [{{name: api, openapi: {name}, security: ignore, unchecked: [{unchecked}]}}]}}
"""


class Source(NamedTuple):
    """An API, and the files that describe it: by their names from the folder of the first."""

    name: str
    description: Description
    api: Api
    files: Mapping[str, bytes]


class _Folder(Mapping[str, bytes]):
    """A folder whose files are read when asked for; `asking` is the one that lists itself."""

    def __init__(self, folder: Path, asking: str, content: bytes) -> None:
        self._folder = folder
        self._asking = asking
        self._content = content
        self.read: dict[str, bytes] = {}

    def __getitem__(self, path: str) -> bytes:
        if path == self._asking:
            return self._content
        if path not in self.read:
            try:
                self.read[path] = whole(Path(path))
            except OSError as error:
                raise KeyError(path) from error
        return self.read[path]

    def __iter__(self) -> Iterator[str]:
        return iter([self._asking])

    def __len__(self) -> int:
        return 1


def read(file: Path, unchecked: tuple[str, ...] = ()) -> Source:
    """Return the API that a file describes; raise `PolicyFaults` with every fault of it."""
    folder = str(file.parent)
    asking = posixpath.join(folder, "the policies to be made.yaml")
    content = _ASKING.format(name=file.name, unchecked=", ".join(unchecked)).encode()
    files = _Folder(file.parent, asking, content)
    compiler("auto").compile(files)
    beside = Files(files)
    path = posixpath.join(folder, file.name)
    root = beside.description(path).value

    def beside_it(name: str) -> object:
        return beside.description(posixpath.join(folder, name)).value

    taken = frozenset(unchecked)
    found = described(root, beside_it, taken)
    compiled = compile_api(root, beside_it, unchecked=taken)
    copied = {posixpath.relpath(name, folder): content for name, content in files.read.items()}
    return Source(file.name, found, compiled, copied)
