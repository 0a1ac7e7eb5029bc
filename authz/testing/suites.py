"""Files of tests, read; and what they name, looked up in the policies under test.

A test that names a rule nobody has would pass for the wrong reason or fail for no reason, so it is a fault with its
place, like a misspelled key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

import msgspec

from authz.errors import PolicyFaults
from authz.identity.providers import Providers
from authz.policy.codes import Code
from authz.policy.documents.grammar import Unfit
from authz.policy.documents.tests import PolicyTest
from authz.policy.documents.values import nearest, taken
from authz.policy.reading import TESTS, is_test_file, read
from authz.policy.source import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from authz.errors import Fault
    from authz.identity.providers import Provider
    from authz.policy import Listed, PolicySet
    from authz.policy.documents.expectations import Expectation
    from authz.policy.source import Text


class Suite(msgspec.Struct, frozen=True, kw_only=True):
    """One document of tests."""

    file: str
    document: PolicyTest

    @property
    def name(self) -> str:
        """Return what the document is called."""
        return self.document.name


def read_suites(files: Mapping[str, bytes], pause: Callable[[], None] = lambda: None) -> tuple[Suite, ...]:
    """Return the tests that files hold, in order of their paths; raise `PolicyFaults` with every fault of every file.

    Files whose names do not end in `_test.yaml` are passed over. `pause` is called after each that is read.
    """
    readings = []
    for path in sorted(filter(is_test_file, files)):
        readings.append(read(path, files[path], TESTS))
        pause()
    documents = [cast("PolicyTest", document) for reading in readings for document in reading.documents]
    faults = [fault for reading in readings for fault in reading.faults]
    first: dict[str, Text] = {}
    for document in documents:
        name = document.metadata.name
        if first.setdefault(name, name) is not name:
            faults.append(taken(first[name], name, "PolicyTest"))
    if faults:
        raise PolicyFaults(faults)
    return tuple(Suite(file=document.file, document=document) for document in documents)


def providers_of(policies: PolicySet) -> Mapping[str, Provider]:
    """Return the identity providers of a set of policies, by name."""
    return policies.identifier.by_name if isinstance(policies.identifier, Providers) else {}


def check(suites: Iterable[Suite], policies: PolicySet) -> tuple[Fault, ...]:
    """Return a fault for every name in tests that the policies do not know."""
    names, providers = _names(policies), providers_of(policies)
    faults = [fault for suite in suites for fault in _check(suite, names, providers)]
    faults += [fault for suite in suites for fault in _data(suite, policies)]
    return tuple(sorted(faults))


class _Names(NamedTuple):
    """What policies hold, by name; parts as `document/part`."""

    documents: frozenset[str]
    rules: frozenset[str]
    limits: frozenset[str]


def _names(policies: PolicySet) -> _Names:
    governing = [each for each in policies.documents if each.mode is not None]
    return _Names(
        documents=frozenset(each.name for each in governing),
        rules=frozenset(f"{each.name}/{name}" for each in governing for name in _asked(each)),
        limits=frozenset(f"{each.name}/{name}" for each in governing for name in each.limits),
    )


def _asked(document: Listed) -> tuple[str, ...]:
    """Return the names of what can settle a decision in a document."""
    return (*(rule.name for rule in document.rules), *document.validations)


def _check(suite: Suite, names: _Names, providers: Mapping[str, Provider]) -> Iterator[Fault]:
    spec = suite.document.spec
    for caller in spec.identities.values():
        yield from _known(caller.provider, providers.keys(), "identity provider")
        provider = providers.get(caller.provider)
        if caller.key_id is not None and provider is not None:
            yield from _known(caller.key_id, provider.holders, f'key or user of "{provider.name}"')
    for case in spec.cases:
        for expected in (case.expect, *(step.expect for step in case.steps)):
            if expected is not None:
                yield from _expected(expected, names)


def _data(suite: Suite, policies: PolicySet) -> Iterator[Fault]:
    """Yield what is wrong with data that takes the place of the policies' own."""
    spec = suite.document.spec
    for data in (spec.data, *(case.data for case in spec.cases), *(table.data for table in spec.matrix)):
        try:
            policies.with_data(data)
        except Unfit as unfit:
            yield from unfit.faults


def _expected(expected: Expectation, names: _Names) -> Iterator[Fault]:
    parts = names.rules | names.limits
    for text, known, what in (
        (expected.policy, names.documents, "policy or guardrail"),
        (expected.rule, parts, "rule"),
        (expected.limit, names.limits, "limit"),
    ):
        if text is not None:
            yield from _known(text, known, what)
    for texts, known, what in (
        (expected.would_deny, names.rules | names.documents, "document or rule"),
        (expected.would_limit, names.limits, "limit"),
        (expected.errors, parts, "rule, validation or limit"),
    ):
        for text in texts or ():
            yield from _known(text, known, what)


def _known(name: Text, known: Collection[str], what: str) -> Iterator[Fault]:
    if name not in known:
        meant = nearest(name, known)
        hint = f'did you mean "{meant}"?' if meant else "the policies under test have none of this name"
        yield name.fault(Code.UNNAMED, f"no {what} is called {quoted(name)}", hint=hint)
