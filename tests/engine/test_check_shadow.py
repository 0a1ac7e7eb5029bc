"""A check of which a policy in shadow asks who is calling: it is told, and nobody waits or is denied for it."""

from __future__ import annotations

import pytest

from authz.content import SchemaValidators
from authz.model import ANONYMOUS, Identity, Reason
from authz.policy import Compiler
from authz.store import Snapshot
from tests.engine.conftest import CANARY, NOON, Bench, Door

SHADOW = """\
apiVersion: authz/v1
kind: Policy
metadata: {name: open}
spec:
  match: [{paths: ["/orders"]}]
  rules: [{name: all, allow: true}]
---
apiVersion: authz/v1
kind: Policy
metadata: {name: planned}
spec:
  mode: shadow
  match: [{paths: ["/orders"]}]
  identity: {providers: [staff]}
  rules: [{name: alice, allow: identity.subject == "alice"}]
"""


@pytest.fixture(scope="module")
def planned() -> Snapshot:
    """Compile a policy in shadow that asks who is calling, where none in force does."""
    made = Compiler(validators=SchemaValidators(), providers=("staff",))
    return Snapshot(policies=made.compile({"p.yaml": SHADOW.encode()}), generation=1, loaded_at=NOON)


@pytest.mark.parametrize(
    ("identity", "would"),
    [
        (Identity(authenticated=True, provider="staff", subject="alice"), "allow"),
        (Identity(authenticated=True, provider="staff", subject="mallory"), "would_deny"),
        (Identity(error=Reason.INVALID_CREDENTIALS), "would_deny"),
        (ANONYMOUS, "would_deny"),
    ],
)
def test_a_policy_in_shadow_is_told_who_is_calling(identity: Identity, would: str, planned: Snapshot) -> None:
    """L11: it says what it would say if it were in force, and the answer and the record are of nobody all the same."""
    door = Door()
    door.identity = identity
    bench = Bench(planned, identifier=door)
    assert bench.ask("GET").reason == Reason.ALLOWED
    assert [str(trace.outcome) for trace in bench.outcome.decision.documents] == ["allow", would]
    assert bench.outcome.identity == ANONYMOUS
    assert [names for names, _ in door.asked] == [("staff",)]


def test_nobody_waits_for_what_is_in_shadow(planned: Snapshot) -> None:
    """A provider that has to ask first holds up no answer; what it says later is too late to be on record."""
    door = Door()
    door.identity = None
    bench = Bench(planned, identifier=door)
    caller = bench.ask("GET")
    assert caller.reason == Reason.ALLOWED
    assert door.done is not None
    door.done(Identity(authenticated=True, provider="staff", subject="alice"))
    assert len(caller.answers) == 1
    trace = bench.outcome.decision.documents[1]
    assert (trace.outcome, trace.error) == (
        "none",
        "who is calling was not known at once, and nobody waits for what is in shadow",
    )


def test_a_fault_in_identifying_for_a_shadow_denies_nobody(planned: Snapshot) -> None:
    """It is told, as every fault of ours is."""

    class Broken:
        def identify(self, *_: object) -> None:
            raise RuntimeError(CANARY)

    bench = Bench(planned, identifier=Broken())
    assert bench.ask("GET").reason == Reason.ALLOWED
    assert [str(fault) for fault in bench.faults] == [CANARY]
