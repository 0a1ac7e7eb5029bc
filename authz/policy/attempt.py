"""One compilation of all documents: what was made of each, what was found wrong, what can be kept for the next.

Only what is whole is kept. A document is made again when it was read again, when data it reads has another type, when a
provider it names is gone, or when a file it names changed; everything else is what it was. Of a file of which nothing
has to be made again, what was made is taken in one piece.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, TypeVar

import msgspec

from authz.cel import DYN, SECRET
from authz.errors import Fault
from authz.policy.codes import Code
from authz.policy.compiling import Compilation
from authz.policy.data import Datum, datum
from authz.policy.deciding.places import DATA
from authz.policy.documents import Guardrail, Policy
from authz.policy.documents.grammar import Unfit
from authz.policy.faults import Together
from authz.policy.files import Files
from authz.policy.parts import Around, FileDocuments, Governed, Made, Part, Ties
from authz.policy.routing.entries import Entry
from authz.policy.routing.routes import routes
from authz.policy.terms import Watch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from authz.cel import Environment
    from authz.policy import compiled
    from authz.policy.documents import Data, Document, IdentityProvider
    from authz.policy.facts import BodyValidators
    from authz.policy.providers import ProviderBuilder

D = TypeVar("D", bound="Document")
R = TypeVar("R")

WatchDocument = Callable[[Policy | Guardrail], Watch]
"""Gets every document that governs requests, and returns what gets its expressions."""

_ANYTHING = Datum(type=DYN, value=None)
_UNTOLD = bytes(32)


class Kept(msgspec.Struct, kw_only=True):
    """What was made of the documents of files, by path."""

    data: dict[str, Part[Datum]] = {}
    governed: dict[str, Part[Governed]] = {}
    providers: dict[str, Part[object]] = {}


class Attempt:
    """One compilation. `faults` is complete when every document has been made."""

    def __init__(
        self,
        contents: Mapping[str, bytes],
        files: Sequence[FileDocuments],
        known: Kept,
        pause: Callable[[], None],
        watch: WatchDocument | None = None,
    ) -> None:
        self.faults: list[Fault] = []
        self.kept = Kept()
        self._contents = contents
        self._files = files
        self._known = known
        self._named: set[str] = set()
        self._secret: set[str] = set()
        self._pause = pause
        self._watch = watch

    def documents(self) -> tuple[Document, ...]:
        """Return the documents of all files; of two with the same kind and name the second is at fault."""
        first: dict[tuple[str, str], Document] = {}
        there = 0
        for file in self._files:
            first.update(file.names)
            there += len(file.reading.documents)
            self._pause()
        return tuple(first.values()) if len(first) == there else self._unique()

    def _unique(self) -> tuple[Document, ...]:
        first: dict[tuple[str, str], Document] = {}
        self._files = [self._first(file, first) for file in self._files]
        return tuple(first.values())

    def _first(self, file: FileDocuments, first: dict[tuple[str, str], Document]) -> FileDocuments:
        """Return a file whose documents take their names; those whose names are taken are looked at for more faults."""
        documents: list[Document] = []
        rest = list(file.reading.rest)
        for document in file.reading.documents:
            name = document.metadata.name
            known = first.setdefault((document.kind, name), document)
            if known is document:
                documents.append(document)
                continue
            taken = known.metadata.name
            place = f"{known.file}:{taken.source.place(taken.start)[0]}"
            rest.extend([document] if isinstance(document, Policy | Guardrail) else [])
            self.faults.append(name.fault(Code.NAME_TAKEN, f'{document.kind} "{name}" is already in {place}'))
        self._pause()
        reading = msgspec.structs.replace(file.reading, documents=tuple(documents), rest=tuple(rest))
        return FileDocuments.of(reading, file.digest)

    def broken(self, kind: str) -> frozenset[str]:
        """Return the names of documents of a kind that are at fault as they are written, lest others be blamed."""
        return frozenset(str(name) for file in self._files for known, name in file.reading.broken if known == kind)

    def data(self) -> Iterator[tuple[Data, Datum]]:
        """Yield what Data documents say; one at fault stands for anything, lest its readers be blamed."""
        around = Around(files=self._contents)
        for file in self._with(lambda file: file.data):
            part = self._part(file.data, self._known.data.get(file.path), self._datum, around)
            self.kept.data[file.path] = part
            for document, made in zip(file.data, part.made, strict=True):
                if made is not None and made.result.type == SECRET:
                    self._secret.update(made.ties.files)
                yield document, _ANYTHING if made is None else made.result

    def providers(self, builder: ProviderBuilder) -> Iterator[tuple[IdentityProvider, object]]:
        """Yield what IdentityProvider documents become; nothing for one at fault, lest its users be blamed."""
        around = Around(files=self._contents)
        for file in self._with(lambda file: file.providers):
            part = self._part(
                file.providers, self._known.providers.get(file.path), partial(self._provider, builder), around
            )
            self.kept.providers[file.path] = part
            for document, made in zip(file.providers, part.made, strict=True):
                yield document, None if made is None else made.result

    def governed(
        self, environment: Environment, validators: BodyValidators, providers: frozenset[str]
    ) -> Mapping[str, Part[Governed]]:
        """Return the policies and guardrails of each file, compiled and ready for the index."""
        around = Around(types=environment.variables, files=self._contents, providers=providers)
        make = partial(self._governed, environment, validators, providers)
        for file in self._with(lambda file: file.governing):
            part = self._part(file.governing, self._known.governed.get(file.path), make, around)
            self.kept.governed[file.path] = part
        return self.kept.governed

    def _with(self, documents: Callable[[FileDocuments], Sequence[Document]]) -> Iterator[FileDocuments]:
        """Yield the files that have documents of one sort."""
        for file in self._files:
            if documents(file):
                yield file
            self._pause()

    def _part(
        self, documents: tuple[D, ...], known: Part[R] | None, make: Callable[[D], Made[R] | None], around: Around
    ) -> Part[R]:
        """Return what is made of documents of one file: what is known of them as far as it would be made again."""
        if known is None or known.documents is not documents or not known.whole or not known.ties.hold(around):
            before = {} if known is None else {id(made.document): made for made in known.made if made is not None}
            known = Part.of(documents, self._each(documents, before, make, around))
        self._named.update(known.ties.files)
        return known

    def _each(
        self,
        documents: Iterable[D],
        known: Mapping[int, Made[R]],
        make: Callable[[D], Made[R] | None],
        around: Around,
    ) -> Iterator[Made[R] | None]:
        for document in documents:
            made = known.get(id(document))
            yield made if made is not None and made.ties.hold(around) else make(document)
            self._pause()

    def _datum(self, document: Data) -> Made[Datum] | None:
        beside = Files(self._contents, self._pause)
        try:
            result = datum(document.spec, beside)
        except Unfit as unfit:
            self.faults.extend(unfit.faults)
            self._named.update(beside.named)
            return None
        return Made(document=document, result=result, ties=Ties(files=beside.named))

    def _provider(self, builder: ProviderBuilder, document: IdentityProvider) -> Made[object] | None:
        beside = Files(self._contents, self._pause)
        try:
            result = builder.build(document, beside)
        except Unfit as unfit:
            self.faults.extend(unfit.faults)
            return None
        finally:
            self._named.update(beside.named)
        return Made(document=document, result=result, ties=Ties(files=beside.named))

    def _governed(
        self,
        environment: Environment,
        validators: BodyValidators,
        providers: frozenset[str],
        document: Policy | Guardrail,
    ) -> Made[Governed] | None:
        beside = Files(self._contents, self._pause)
        watch = None if self._watch is None else self._watch(document)
        compilation = Compilation(environment, validators, providers, beside, watch, self._pause)
        result = compilation.document(document)
        self.faults.extend(compilation.faults)
        self._named.update(beside.named)
        if compilation.faults:
            return None
        types = {name: environment.variables[name] for name in result.early if name.startswith(DATA)}
        ties = Ties(types=types, files=beside.named, providers=frozenset(result.providers))
        return Made(document=document, result=_entry(document, result), ties=ties)

    def settle(self) -> str:
        """Note what is wrong with files, and return the digest of all that is served: of every path and its content.

        Of a secret the path alone: whoever reads digests could try what they guess.
        """
        for file in self._files:
            if file.path not in self._named:
                self.faults.extend(file.reading.faults)
            elif file.reading.documents or file.reading.broken:
                message = "the file is named as data or as a schema, and holds documents: it cannot be both"
                self.faults.append(Fault(file=file.path, code=Together.DATA, message=message))
        known = {file.path: file.digest for file in self._files} | dict.fromkeys(self._secret, _UNTOLD)
        digest = sha256()
        for path in sorted(known.keys() | self._named & self._contents.keys()):
            name = path.encode("utf-8", "surrogateescape")
            digest.update(len(name).to_bytes(8, "big") + name)
            digest.update(known.get(path) or sha256(self._contents[path]).digest())
            self._pause()
        return digest.hexdigest()


def _entry(document: Policy | Guardrail, result: compiled.Document) -> Governed:
    """Return a document with its routes; guardrails are asked before policies."""
    order = int(isinstance(document, Policy)), document.name
    return Entry(order=order, document=result, routes=routes(document.spec.match))
