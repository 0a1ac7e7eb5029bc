"""All files to one `PolicySet`, or every fault in them.

What was read and compiled is kept from one compilation to the next, so that a change costs what changed. The answer
depends on the files alone: never on their order, and never on what was compiled before.
"""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from authz.cel import DYN, VARIABLES, EngineName, Environment
from authz.errors import PolicyFaults
from authz.policy.attempt import Attempt, Kept
from authz.policy.deciding.arranging import arrange
from authz.policy.deciding.places import DATA
from authz.policy.deciding.plan import World
from authz.policy.documents.grammar import is_identifier
from authz.policy.listing import ending
from authz.policy.parts import Addition, FileDocuments, without
from authz.policy.pauses import paced
from authz.policy.providers import Unproved
from authz.policy.reading import is_policy_file, read
from authz.policy.rereading import reread
from authz.policy.routing.index import Index
from authz.policy.selection import PolicySet

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from authz.policy.attempt import WatchDocument
    from authz.policy.compiled import Document
    from authz.policy.deciding.plan import Plan
    from authz.policy.facts import BodyValidators
    from authz.policy.parts import Governed, Part
    from authz.policy.providers import ProviderBuilder


T = TypeVar("T")


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
        self._files: dict[str, tuple[bytes, FileDocuments]] = {}
        self._kept = Kept()
        self._additions: dict[str, Addition] = {}
        self._index: Index[Document, Plan] = Index(_nobody)
        self._world: World | None = None

    def compile(self, files: Mapping[str, bytes]) -> PolicySet:
        """Return the policies that files hold; raise `PolicyFaults` with every fault of every file.

        Paths are as faults are to show them. Files that hold no policies are read where a document names them.
        """
        attempt = Attempt(files, self._read(files), self._kept, self._pause, self._watch)
        documents = attempt.documents()
        held = list(attempt.data())
        data = {DATA + document.name: one for document, one in held}
        providers = {document.name: provider for document, provider in attempt.providers(self._builder)}
        types = dict.fromkeys((DATA + name for name in attempt.broken("Data") if is_identifier(name)), DYN)
        environment = self._vocabulary.extended(types | {name: one.type for name, one in data.items()})
        known = self._providers | providers.keys() | attempt.broken("IdentityProvider")
        parts = attempt.governed(environment, self._validators, known)
        digest = attempt.settle()
        self._kept = attempt.kept
        if attempt.faults:
            raise PolicyFaults(attempt.faults)
        additions = self._added(parts)
        binding = environment.extended(dict.fromkeys(_union(one.variables for one in additions.values()), DYN))
        world = self._world_of(binding, {name: one.value for name, one in data.items()})
        return PolicySet(
            self._indexed(additions, world),
            documents=documents,
            governed=tuple(chain.from_iterable(part.results for part in parts.values())),
            reads=_union(one.reads for one in additions.values()),
            digest=digest,
            identifier=self._builder.join(providers),
            world=world,
            ending=ending((document, key, entry) for document, one in held for key, entry in one.ending),
        )

    def _read(self, files: Mapping[str, bytes]) -> list[FileDocuments]:
        """Read the files that hold documents, in order of their paths; those that did not change from memory."""
        known, self._files = self._files, {}
        for path in sorted(path for path in paced(files, self._pause) if path in known or is_policy_file(path)):
            before, documents = known.get(path, (None, None))
            content = files[path]
            if documents is None or before is None:
                documents = FileDocuments.of(read(path, content, pause=self._pause), sha256(content).digest())
            elif before != content:
                reading = reread(documents.reading, before, content, self._pause)
                documents = FileDocuments.of(reading, sha256(content).digest())
            self._files[path] = content, documents
            self._pause()
        return [documents for _, documents in self._files.values()]

    def _added(self, parts: Mapping[str, Part[Governed]]) -> dict[str, Addition]:
        """Return what each file adds; of a file that stays as it is, what it added before."""
        added = {}
        for path, part in paced(parts.items(), self._pause):
            known = self._additions.get(path)
            added[path] = known if known is not None and known.part is part else Addition.of(part)
        return added

    def _world_of(self, environment: Environment, data: Mapping[str, object]) -> World:
        """Return what plans have in common: the same as before where names and data are the same."""
        if self._world is not None and self._world.is_of(environment, data):
            return self._world
        return World(environment=environment, data=data)

    def _indexed(self, additions: dict[str, Addition], world: World) -> Index[Document, Plan]:
        """Return the index of the documents that are not off, made from the one before.

        In the same world the plans of documents that stay are what they were, and are kept.
        """
        keep = world is self._world
        removed = paced(without(self._additions, additions), self._pause)
        added = paced(without(additions, self._additions), self._pause)
        index = self._index.updated(partial(arrange, world=world), removed, added, keep=keep)
        if keep:
            gone = self._index.answers - index.answers
            world.remembered.forget(gone.__contains__, self._pause)
        self._index, self._additions, self._world = index, additions, world
        return index


def _union(sets: Iterable[frozenset[T]]) -> frozenset[T]:
    return frozenset[T]().union(*sets)


def _nobody(_matches: object) -> Plan:
    raise AssertionError("an index that nothing was put in answers nobody")
