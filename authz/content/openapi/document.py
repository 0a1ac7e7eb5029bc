"""What is written in an OpenAPI document and in the files it refers to, walked with places and flaws.

A `Node` is a value and where it stands. Everything that is wrong is noted as a `Flaw` at its place and the walk goes
on, so that all of it is told at once. References lead inside the document, or to a file in its folder or below.
Nothing is fetched.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from authz.content.pointers import steps
from authz.paths import decoded

Read = Callable[[str], object]
"""From the path of a file, relative to the document's folder, to what it says; raises `LookupError`."""

MAX_FLAWS = 100
"""Flaws that are told; more of them help nobody."""

MAX_CHAIN = 16
"""References that lead to references."""

Path = tuple[str | int, ...]


class Flaw(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong: in which file (`""` is the document itself), where in it, and what.

    `known` are the words that may stand there.
    """

    file: str
    path: Path
    message: str
    hint: str = ""
    known: tuple[str, ...] = ()


class ApiError(ValueError):
    """An OpenAPI document that no request can be held against."""

    def __init__(self, flaws: list[Flaw]) -> None:
        super().__init__(*(flaw.message for flaw in flaws))
        self.flaws = tuple(flaws[:MAX_FLAWS])


class Document:
    """The files of one description, and what is wrong with them."""

    def __init__(self, root: object, read: Read) -> None:
        self.flaws: list[Flaw] = []
        self._files: dict[str, object] = {"": root}
        self._read = read

    @property
    def root(self) -> Node:
        """Return the whole document."""
        return Node(self, "", (), self._files[""])

    def find(self, origin: Node, reference: str) -> Node | None:
        """Return where a reference leads, and note where it leads nowhere."""
        name, _, fragment = reference.partition("#")
        try:
            file = _joined(origin.file, name) if name else origin.file
            found: Any = self._file(file)
            path: list[str | int] = []
            for written in _steps(fragment):
                step: str | int = int(written) if isinstance(found, list) else written
                found = found[step]
                path.append(step)
        except (LookupError, ValueError, TypeError) as error:
            cause = str(error) if isinstance(error, LookupError) and " " in str(error) else "it leads nowhere"
            origin.flaw(f'cannot follow "{reference}": {cause}')
            return None
        return Node(self, file, tuple(path), found)

    def _file(self, file: str) -> object:
        if file not in self._files:
            self._files[file] = self._read(file)
        return self._files[file]


class Node:
    """A value, and where it is written."""

    __slots__ = ("document", "file", "path", "value")

    def __init__(self, document: Document, file: str, path: Path, value: object) -> None:
        self.document = document
        self.file = file
        self.path = path
        self.value: Any = value

    @property
    def place(self) -> tuple[str, Path]:
        """Return what tells this place from every other."""
        return self.file, self.path

    @property
    def name(self) -> str:
        """Return the last step of the way here."""
        return str(self.path[-1]) if self.path else ""

    def flaw(self, message: str, hint: str = "", known: tuple[str, ...] = ()) -> None:
        """Note that something is wrong here, once."""
        flaw = Flaw(file=self.file, path=self.path, message=message, hint=hint, known=known)
        if flaw not in self.document.flaws:
            self.document.flaws.append(flaw)

    def get(self, key: str | int) -> Node | None:
        """Return what stands under a key, if anything does; `null` is nothing."""
        try:
            found: object = self.value[key] if isinstance(self.value, Mapping | list) else None  # type: ignore[index]
        except (LookupError, TypeError):
            return None
        return None if found is None else Node(self.document, self.file, (*self.path, key), found)

    def items(self) -> Iterator[tuple[str, Node]]:
        """Yield the members of a mapping; anything else is a flaw and has none."""
        if not isinstance(self.value, Mapping):
            self.flaw(f"{self.shown} is a mapping")
            return
        for key, value in self.value.items():
            yield key, Node(self.document, self.file, (*self.path, key), value)

    def members(self, key: str) -> Iterator[tuple[str, Node]]:
        """Yield the members of the mapping under a key, if there is one."""
        if (found := self.get(key)) is not None:
            yield from found.items()

    def elements(self, key: str) -> Iterator[Node]:
        """Yield the elements of the list under a key, if there is one."""
        if (found := self.get(key)) is None:
            return
        if not isinstance(found.value, list):
            found.flaw(f"{found.shown} is a list")
            return
        for index, value in enumerate(found.value):
            yield Node(self.document, self.file, (*found.path, index), value)

    def text(self, key: str, default: str = "") -> str:
        """Return the text under a key, or the default."""
        found = self.get(key)
        if found is None:
            return default
        if not isinstance(found.value, str):
            found.flaw(f"{found.shown} is a text")
            return default
        return found.value

    def needed(self, key: str) -> str:
        """Return the text under a key that has to be there."""
        if self.get(key) is None:
            self.flaw(f'"{key}" is missing')
        return self.text(key)

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Return the truth under a key, or the default."""
        found = self.get(key)
        if found is None:
            return default
        if not isinstance(found.value, bool):
            found.flaw(f"{found.shown} is true or false")
            return default
        return found.value

    def only(self, known: frozenset[str]) -> Node:
        """Note every key that nobody knows; a misspelled one would demand nothing."""
        for key, node in self.items():
            if key not in known and not key.startswith("x-"):
                node.flaw(f'unknown key "{key}"', known=tuple(sorted(known)))
        return self

    def resolved(self) -> Node | None:
        """Return what this is, or what it refers to; `None`, and a flaw, where that is nothing."""
        node: Node | None = self
        for _ in range(MAX_CHAIN):
            if node is None or not isinstance(node.value, Mapping) or "$ref" not in node.value:
                return node
            reference = node.value["$ref"]
            if not isinstance(reference, str):
                node.flaw('"$ref" is a text')
                return None
            node = node.document.find(node, reference)
        self.flaw("the reference leads through too many others, or in a circle")
        return None

    @property
    def shown(self) -> str:
        """Return what to call this in a message."""
        return f'"{self.name}"' if self.path else "the document"


def _joined(file: str, name: str) -> str:
    """Return the path of a file that another one refers to; raise `LookupError` for one out of reach."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(file), name))
    if "://" in name or "\\" in name or name.startswith("/") or path.startswith(".."):
        raise LookupError("only files in the folder of the document, or below, can be referred to")
    return path


def _steps(fragment: str) -> list[str]:
    """Return the steps of a JSON Pointer in a fragment (RFC 6901, section 6)."""
    if fragment and not fragment.startswith("/"):
        raise LookupError('a reference is a path such as "#/components/schemas/Order"')
    return steps(decoded(fragment))
