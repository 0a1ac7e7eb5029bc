"""One compilation of all documents: what was made of each, what was found wrong, what can be kept for the next.

Only what is whole is kept. A document is made again when it was read again, when data it reads has another type, when a
provider it names is gone, or when a file it names changed; everything else is what it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from authz.cel import DYN, SECRET
from authz.errors import Fault
from authz.policy import compiled
from authz.policy.codes import Code
from authz.policy.compiling import Compilation
from authz.policy.data import Datum, datum
from authz.policy.documents import Guardrail, Policy
from authz.policy.documents.grammar import Unfit
from authz.policy.faults import Together
from authz.policy.files import Files
from authz.policy.index import Entry
from authz.policy.plan import DATA
from authz.policy.routes import routes
from authz.policy.terms import Watch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from authz.cel import CelType, Environment
    from authz.policy.documents import Data, Document, IdentityProvider
    from authz.policy.facts import BodyValidators
    from authz.policy.providers import ProviderBuilder
    from authz.policy.reading import FileReading

R = TypeVar("R")

Governed = Entry[compiled.Document]

WatchDocument = Callable[[Policy | Guardrail], Watch]
"""Gets every document that governs requests, and returns what gets its expressions."""


class Made(msgspec.Struct, Generic[R], frozen=True, kw_only=True, eq=False):
    """What was made of one document, and what went into it: the types of data it reads, the files it names."""

    document: Document
    result: R
    types: Mapping[str, CelType]
    files: Mapping[str, bytes]

    def holds(self, types: Mapping[str, CelType], files: Mapping[str, bytes]) -> bool:
        """Return whether the same would be made of the document again."""
        for name, kind in self.types.items():
            if types.get(name) != kind:
                return False
        return all(files.get(path) == content for path, content in self.files.items()) if self.files else True


class Kept(msgspec.Struct, kw_only=True):
    """What was made of documents, by their identity: a document that is read again is another one."""

    data: dict[int, Made[Datum]] = {}
    governed: dict[int, Made[Governed]] = {}
    providers: dict[int, Made[object]] = {}


class Attempt:
    """One compilation. `faults` is complete when every document has been made."""

    def __init__(
        self,
        files: Mapping[str, bytes],
        readings: Iterable[FileReading],
        known: Kept,
        pause: Callable[[], None],
        watch: WatchDocument | None = None,
    ) -> None:
        self.faults: list[Fault] = []
        self.kept = Kept()
        self._files = files
        self._readings = {reading.file: reading for reading in readings}
        self._known = known
        self._named: set[str] = set()
        self._secret: set[str] = set()
        self._pause = pause
        self._watch = watch

    def documents(self) -> tuple[Document, ...]:
        """Return the documents of all files; of two with the same kind and name the second is at fault."""
        first: dict[tuple[str, str], Document] = {}
        for reading in self._readings.values():
            for document in reading.documents:
                name = document.metadata.name
                known = first.setdefault((document.kind, name), document)
                if known is not document:
                    taken = known.metadata.name
                    place = f"{known.file}:{taken.source.place(taken.start)[0]}"
                    message = f'{document.kind} "{name}" is already in {place}'
                    self.faults.append(name.fault(Code.NAME_TAKEN, message))
            self._pause()
        return tuple(first.values())

    def data(self, document: Data) -> Datum:
        """Return what a Data document says; one at fault stands for anything, lest its readers be blamed."""
        made = self._known.data.get(id(document))
        if made is None or not made.holds({}, self._files):
            beside = Files(self._files)
            try:
                result = datum(document.spec, beside)
            except Unfit as unfit:
                self.faults.extend(unfit.faults)
                self._named.update(beside.named)
                return Datum(type=DYN, value=None)
            made = Made(document=document, result=result, types={}, files=beside.named)
            self._pause()
        self.kept.data[id(document)] = made
        self._named.update(made.files)
        if made.result.type == SECRET:
            self._secret.update(made.files)
        return made.result

    def provider(self, document: IdentityProvider, builder: ProviderBuilder) -> object:
        """Return what an IdentityProvider document becomes; nothing for one at fault, lest its users be blamed."""
        made = self._known.providers.get(id(document))
        if made is None or not made.holds({}, self._files):
            beside = Files(self._files)
            try:
                result = builder.build(document, beside)
            except Unfit as unfit:
                self.faults.extend(unfit.faults)
                return None
            finally:
                self._named.update(beside.named)
            made = Made(document=document, result=result, types={}, files=beside.named)
            self._pause()
        self.kept.providers[id(document)] = made
        self._named.update(made.files)
        return made.result

    def governed(
        self,
        document: Policy | Guardrail,
        environment: Environment,
        validators: BodyValidators,
        providers: frozenset[str],
    ) -> Governed | None:
        """Return a policy or guardrail compiled and ready for the index, `None` where it is at fault."""
        made = self._known.governed.get(id(document))
        if (
            made is None
            or not made.holds(environment.variables, self._files)
            or not providers.issuperset(made.result.document.providers)
        ):
            made = self._compiled(document, environment, validators, providers)
            if made is None:
                return None
        self.kept.governed[id(document)] = made
        if made.files:
            self._named.update(made.files)
        self._pause()
        return made.result

    def _compiled(
        self,
        document: Policy | Guardrail,
        environment: Environment,
        validators: BodyValidators,
        providers: frozenset[str],
    ) -> Made[Governed] | None:
        beside = Files(self._files)
        watch = None if self._watch is None else self._watch(document)
        compilation = Compilation(environment, validators, providers, beside, watch)
        result = compilation.document(document)
        self.faults.extend(compilation.faults)
        self._named.update(beside.named)
        if compilation.faults:
            return None
        return Made(
            document=document,
            result=_entry(document, result),
            types={name: environment.variables[name] for name in result.early if name.startswith(DATA)},
            files=beside.named,
        )

    def settle(self) -> str:
        """Note what is wrong with files, and return the digest of all that is served: every path with its content.

        Of a secret the path alone: whoever reads digests could try what they guess.
        """
        for path, reading in self._readings.items():
            if path not in self._named:
                self.faults.extend(reading.faults)
            elif reading.documents:
                message = "the file is named as data or as a schema, and holds documents: it cannot be both"
                self.faults.append(Fault(file=path, code=Together.DATA, message=message))
        digest = hashlib.sha256()
        for path in sorted(self._readings.keys() | self._named & self._files.keys()):
            content = b"" if path in self._secret else self._files[path]
            for part in (path.encode("utf-8", "surrogateescape"), content):
                digest.update(len(part).to_bytes(8, "big"))
                digest.update(part)
        return digest.hexdigest()


def _entry(document: Policy | Guardrail, result: compiled.Document) -> Governed:
    """Return a document with its routes; guardrails are asked before policies."""
    order = int(isinstance(document, Policy)), document.name
    return Entry(order=order, document=result, routes=routes(document.spec.match))
