"""All files to one `PolicySet`, or every fault in them.

What was read and compiled is kept from one compilation to the next, so that a change costs what changed. The answer
depends on the files alone: never on their order, and never on what was compiled before.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from authz.cel import DYN, VARIABLES, EngineName, Environment
from authz.errors import PolicyFaults
from authz.model import Mode
from authz.policy.attempt import Attempt, Kept
from authz.policy.documents import Data, Guardrail, IdentityProvider, Policy
from authz.policy.index import Index
from authz.policy.listing import ending
from authz.policy.plan import DATA, World, arrange
from authz.policy.providers import Unproved
from authz.policy.reading import is_policy_file, read
from authz.policy.rereading import reread
from authz.policy.selection import PolicySet

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from authz.policy.attempt import Governed, WatchDocument
    from authz.policy.compiled import Document
    from authz.policy.facts import BodyValidators
    from authz.policy.plan import Plan
    from authz.policy.providers import ProviderBuilder
    from authz.policy.reading import FileReading


T = TypeVar("T")

TOGETHER = 256
"""Documents that are looked at between two pauses, where looking is all."""


class Compiler:
    """Compiles policies again and again, on one thread at a time.

    `builder` makes what proves identities; `providers` are names that policies may use though no document defines
    them. `pause` is called between documents, for those who compile beside the serving of requests; `watch` is given
    every document, and each of its expressions, for those who want to know what is evaluated.
    """

    def __init__(
        self,
        *,
        validators: BodyValidators,
        engine: EngineName = EngineName.AUTO,
        builder: ProviderBuilder | None = None,
        providers: Collection[str] = (),
        pause: Callable[[], None] = lambda: None,
        watch: WatchDocument | None = None,
    ) -> None:
        self._validators = validators
        self._builder = builder or Unproved()
        self._providers = frozenset(providers)
        self._pause = pause
        self._watch = watch
        self._vocabulary = Environment(VARIABLES, engine=engine)
        self._readings: dict[str, tuple[bytes, FileReading]] = {}
        self._kept = Kept()
        self._entries: dict[int, Governed] = {}
        self._index: Index[Document, Plan] = Index(_nobody)
        self._world: World | None = None

    def compile(self, files: Mapping[str, bytes]) -> PolicySet:
        """Return the policies that files hold; raise `PolicyFaults` with every fault of every file.

        Paths are as faults are to show them. Files that hold no policies are read where a document names them.
        """
        attempt = Attempt(files, self._read(files), self._kept, self._pause, self._watch)
        documents = attempt.documents()
        held = [(document, attempt.data(document)) for document in self._paced(documents) if isinstance(document, Data)]
        data = {DATA + document.name: one for document, one in held}
        providers = {
            document.name: attempt.provider(document, self._builder)
            for document in self._paced(documents)
            if isinstance(document, IdentityProvider)
        }
        environment = self._vocabulary.extended({name: one.type for name, one in data.items()})
        known = self._providers | providers.keys()
        entries = [
            attempt.governed(document, environment, self._validators, known)
            for document in documents
            if isinstance(document, Policy | Guardrail)
        ]
        digest = attempt.settle()
        self._kept = attempt.kept
        if attempt.faults:
            raise PolicyFaults(attempt.faults)
        whole = [entry for entry in entries if entry is not None]
        before = self._world
        world = self._world_of(self._binding(environment, whole), {name: one.value for name, one in data.items()})
        return PolicySet(
            self._indexed(whole, world, keep=world is before),
            documents=documents,
            governed=whole,
            digest=digest,
            identifier=self._builder.join(providers),
            world=world,
            ending=ending((document, key, entry) for document, one in held for key, entry in one.ending),
        )

    def _read(self, files: Mapping[str, bytes]) -> list[FileReading]:
        """Read the files that hold documents, in order of their paths; those that did not change from memory."""
        known, self._readings = self._readings, {}
        for path in sorted(filter(is_policy_file, files)):
            content, reading = known.get(path, (None, None))
            if reading is None or content is None:
                reading = read(path, files[path])
                self._pause()
            elif content != files[path]:
                reading = reread(reading, content, files[path])
                self._pause()
            self._readings[path] = files[path], reading
        return [reading for _, reading in self._readings.values()]

    def _world_of(self, environment: Environment, data: Mapping[str, object]) -> World:
        """Return what plans have in common: the same as before where names and data are the same."""
        if self._world is None or not self._world.is_of(environment, data):
            self._world = World(environment=environment, data=data)
        return self._world

    def _indexed(self, entries: Iterable[Governed], world: World, *, keep: bool) -> Index[Document, Plan]:
        """Return the index of the documents that are not off, made from the one before.

        In the same world the plans of documents that stay are what they were, and are kept.
        """
        before = self._entries
        self._entries = {id(entry): entry for entry in self._paced(entries) if entry.document.mode is not Mode.OFF}
        removed = [entry for known, entry in self._paced(before.items()) if known not in self._entries]
        added = [entry for known, entry in self._paced(self._entries.items()) if known not in before]
        self._index = self._index.updated(partial(arrange, world=world), removed, added, keep=keep)
        if keep:
            world.remembered.keep_only(self._index.answers)
        return self._index

    def _binding(self, environment: Environment, entries: Iterable[Governed]) -> Environment:
        """Return the environment that requests are bound in: it knows every variable of every document by name."""
        names = {name for entry in self._paced(entries) for name in entry.document.variables}
        return environment.extended(dict.fromkeys(names, DYN))

    def _paced(self, items: Iterable[T]) -> Iterator[T]:
        """Yield what there may be much of, with pauses."""
        for number, item in enumerate(items):
            if number % TOGETHER == 0:
                self._pause()
            yield item


def _nobody(_matches: object) -> Plan:
    raise AssertionError("an index that nothing was put in answers nobody")
