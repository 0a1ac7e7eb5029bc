"""What was made of the documents of one file, what went into it, and what it adds to a set of policies.

Few files change at a time. So whatever has to be known of all documents is gathered by file: who compiles again looks
once at a file that did not change, however many documents it holds. Values only; `attempt` makes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from authz.model import Mode
from authz.policy import compiled
from authz.policy.documents import Data, Guardrail, IdentityProvider, Policy
from authz.policy.routing.entries import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from authz.cel import Attribute, CelType
    from authz.policy.documents import Document
    from authz.policy.reading import FileReading

R = TypeVar("R")

Governed = Entry[compiled.Document]


class FileDocuments(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The documents of one file by what becomes of them; of two with one kind and name, `names` has the first.

    Of documents at fault, `governing` has what can be looked at for more faults. `digest` is that of the whole file.
    """

    reading: FileReading
    digest: bytes
    names: Mapping[tuple[str, str], Document]
    data: tuple[Data, ...]
    providers: tuple[IdentityProvider, ...]
    governing: tuple[Policy | Guardrail, ...]

    @property
    def path(self) -> str:
        """Return the path of the file, as faults show it."""
        return self.reading.file

    @classmethod
    def of(cls, reading: FileReading, digest: bytes) -> FileDocuments:
        """Return the documents of a reading."""
        names: dict[tuple[str, str], Document] = {}
        for document in reading.documents:
            names.setdefault((document.kind, document.name), document)
        return cls(
            reading=reading,
            digest=digest,
            names=names,
            data=tuple(each for each in reading.documents if isinstance(each, Data)),
            providers=tuple(each for each in reading.documents if isinstance(each, IdentityProvider)),
            governing=(*(each for each in reading.documents if isinstance(each, Policy | Guardrail)), *reading.rest),
        )


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """What there is for documents to depend on: types of variables, contents of files, names of providers."""

    types: Mapping[str, CelType] = {}
    files: Mapping[str, bytes] = {}
    providers: frozenset[str] = frozenset()


class Ties(msgspec.Struct, frozen=True, kw_only=True):
    """What documents depend on outside themselves: types of the data they read, files and providers they name."""

    types: Mapping[str, CelType] = {}
    files: Mapping[str, bytes] = {}
    providers: frozenset[str] = frozenset()

    def hold(self, around: Around) -> bool:
        """Return whether the same would be made of the documents again."""
        return (
            around.providers.issuperset(self.providers)
            and all(around.types.get(name) == kind for name, kind in self.types.items())
            and all(around.files.get(path) == content for path, content in self.files.items())
        )


class Made(msgspec.Struct, Generic[R], frozen=True, kw_only=True, eq=False):
    """What was made of one document, and what went into it."""

    document: Document
    result: R
    ties: Ties


class Part(msgspec.Struct, Generic[R], frozen=True, kw_only=True, eq=False):
    """What was made of some documents of one file, in their order: `None` of those at fault; `ties` are of them all."""

    documents: Sequence[Document]
    made: tuple[Made[R] | None, ...]
    results: tuple[R, ...]
    ties: Ties

    @classmethod
    def of(cls, documents: Sequence[Document], made: Iterable[Made[R] | None]) -> Part[R]:
        """Return a part; what was made of documents at the same time can't contradict itself."""
        all_made = tuple(made)
        there = [each for each in all_made if each is not None]
        ties = Ties(
            types={name: kind for each in there for name, kind in each.ties.types.items()},
            files={path: content for each in there for path, content in each.ties.files.items()},
            providers=frozenset().union(*(each.ties.providers for each in there)),
        )
        return cls(documents=documents, made=all_made, results=tuple(each.result for each in there), ties=ties)

    @property
    def whole(self) -> bool:
        """Return whether no document is at fault."""
        return len(self.results) == len(self.documents)


class Addition(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What one file adds to a set of policies: entries that are not off; variables and attributes of all."""

    part: Part[Governed]
    entries: tuple[Governed, ...]
    variables: frozenset[str]
    reads: frozenset[Attribute]

    @classmethod
    def of(cls, part: Part[Governed]) -> Addition:
        """Return what is added by the documents of a part."""
        documents = [entry.document for entry in part.results]
        return cls(
            part=part,
            entries=tuple(entry for entry in part.results if entry.document.mode is not Mode.OFF),
            variables=frozenset().union(*(document.variables for document in documents)),
            reads=frozenset().union(*(document.reads for document in documents)),
        )


def without(some: Mapping[str, Addition], others: Mapping[str, Addition]) -> Iterator[Governed]:
    """Yield the entries of some files, by path, that are not among those of others."""
    for path, addition in some.items():
        other = others.get(path)
        if other is not addition:
            there = frozenset() if other is None else frozenset(map(id, other.entries))
            yield from (entry for entry in addition.entries if id(entry) not in there)
