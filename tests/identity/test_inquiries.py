"""Asking somebody else: once for many, for a bounded time, and not at all while nobody answers."""

from __future__ import annotations

import queue
import threading
import time
from typing import Any

import pytest

from authz.errors import Unavailable
from authz.identity import inquiries
from authz.identity.claims import Said
from authz.identity.credentials import InvalidCredential
from authz.identity.inquiries import FAILURES, MOST_WAITING, Inquiries, InquiryRules
from authz.model import Identity
from tests.identity.conftest import wait_for

NOW = 1_790_000_000.0


class Issuer:
    """Says of `good` that it is alice's, and nothing of others; may be made to hold its tongue, or to fail."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.speaks = threading.Event()
        self.speaks.set()
        self.fails = False
        self.refused: set[str] = set()
        self.ends = NOW + 3600

    def __call__(self, credential: str, now: float, timeout: float) -> Said | None:  # noqa: ARG002 - time stands still
        self.asked.append(credential)
        self.speaks.wait(10)
        if self.fails:
            raise Unavailable("away")
        if credential == "foreign":
            raise InvalidCredential("the token is for another audience")
        if credential == "bad" or credential.startswith("guess") or credential in self.refused:
            return None
        return Said(Identity(authenticated=True, subject=credential), 0.0, self.ends)


@pytest.fixture
def issuer() -> Any:
    """Return an issuer that speaks again when the test is over."""
    issuer = Issuer()
    yield issuer
    issuer.speaks.set()


def ask(asking: Inquiries, credential: str = "good", now: float = NOW, patience: float = 10.0) -> object:
    """Ask and wait for the finding."""
    found: queue.SimpleQueue[object] = queue.SimpleQueue()
    asking.ask(credential, now, time.monotonic() + patience, found.put)
    return found.get(timeout=10)


def subject(finding: object) -> str:
    """Return whom a finding names."""
    assert isinstance(finding, Identity)
    return finding.subject


def test_a_finding_is_kept_for_its_time(issuer: Issuer) -> None:
    """Good ones for `keep`, bad ones for less, and none beyond what the issuer said."""
    asking = Inquiries(issuer, InquiryRules(timeout=5, keep=60, keep_refused=5))
    assert [subject(ask(asking)) for _ in range(3)] == ["good"] * 3
    assert issuer.asked == ["good"]
    assert subject(ask(asking, now=NOW + 61)) == "good"
    assert isinstance(ask(asking, "bad"), InvalidCredential)
    assert isinstance(ask(asking, "bad", NOW + 4), InvalidCredential)
    assert isinstance(ask(asking, "bad", NOW + 6), InvalidCredential)
    assert issuer.asked == ["good", "good", "bad", "bad"]
    assert str(ask(asking, "foreign")) == "the token is for another audience"
    issuer.ends = NOW + 10
    assert subject(ask(asking, "short")) == "short"
    assert isinstance(ask(asking, "short", NOW + 11), InvalidCredential)


def test_guesses_push_nobody_out_who_is_known(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """J5: whoever sends bad credentials fills the memory of bad ones: known callers are not asked about anew."""
    monkeypatch.setattr(inquiries, "REMEMBERED", 3)
    asking = Inquiries(issuer, InquiryRules(timeout=5, keep=60, keep_refused=60))
    assert subject(ask(asking)) == "good"
    for number in range(5):
        assert isinstance(ask(asking, f"guess {number}"), InvalidCredential)
    assert subject(ask(asking)) == "good"
    assert issuer.asked.count("good") == 1
    assert isinstance(ask(asking, "guess 0"), InvalidCredential)
    assert issuer.asked.count("guess 0") == 2  # it was forgotten: the memory has its bound
    for number in range(3):
        assert subject(ask(asking, f"user {number}")) == f"user {number}"
    assert subject(ask(asking)) == "good"
    assert issuer.asked.count("good") == 2


def test_a_finding_takes_the_place_of_the_one_before(issuer: Issuer) -> None:
    """A credential that was taken back is bad from the next question on, and the other way round."""
    asking = Inquiries(issuer, InquiryRules(timeout=5, keep=10, keep_refused=10, stale=3600))
    assert subject(ask(asking)) == "good"
    issuer.refused = {"good"}
    assert isinstance(ask(asking, now=NOW + 11), InvalidCredential)
    issuer.fails = True
    assert isinstance(ask(asking, now=NOW + 22), InvalidCredential)
    issuer.fails, issuer.refused = False, set()
    assert subject(ask(asking, now=NOW + 33)) == "good"


def test_requests_with_one_credential_are_one_question(issuer: Issuer) -> None:
    """A hundred at once wait for the same answer, and each gets it once."""
    asking = Inquiries(issuer, InquiryRules(timeout=5))
    issuer.speaks.clear()
    found: queue.SimpleQueue[object] = queue.SimpleQueue()
    for _ in range(100):
        asking.ask("good", NOW, time.monotonic() + 10, found.put)
    issuer.speaks.set()
    assert {subject(found.get(timeout=10)) for _ in range(100)} == {"good"}
    assert issuer.asked == ["good"]
    assert found.empty()


def test_nobody_waits_longer_than_they_can(issuer: Issuer) -> None:
    """Each caller is answered by its own deadline, and by the timeout at the latest; a late finding is kept."""
    asking = Inquiries(issuer, InquiryRules(timeout=0.3))
    issuer.speaks.clear()
    started = time.monotonic()
    found: queue.SimpleQueue[object] = queue.SimpleQueue()
    asking.ask("good", NOW, started + 10, found.put)
    assert isinstance(ask(asking, patience=0.05), Unavailable)
    assert time.monotonic() - started < 0.3
    assert isinstance(found.get(timeout=10), Unavailable)
    assert time.monotonic() - started < 2
    issuer.speaks.set()
    wait_for(lambda: len(asking._good) == 1)
    assert subject(ask(asking, patience=0.0)) == "good"


def test_what_waits_is_bounded(issuer: Issuer) -> None:
    """A flood of unknown tokens is answered at once beyond the bound, and everybody is answered once."""
    asking = Inquiries(issuer, InquiryRules(timeout=0.3))
    issuer.speaks.clear()
    found: queue.SimpleQueue[object] = queue.SimpleQueue()
    for number in range(2 * MOST_WAITING):
        asking.ask(str(number), NOW, time.monotonic() + 10, found.put)
    assert found.qsize() >= MOST_WAITING
    answers = [found.get(timeout=10) for _ in range(2 * MOST_WAITING)]
    assert all(isinstance(answer, Unavailable) for answer in answers)
    issuer.speaks.set()
    wait_for(lambda: not asking._waiting)
    assert found.empty()
    assert len(issuer.asked) <= InquiryRules().threads + 1


def test_an_issuer_that_fails_is_left_alone(issuer: Issuer) -> None:
    """After some failures in a row nobody is asked for a while, then one question is enough to come back."""
    clock = [0.0]
    asking = Inquiries(issuer, InquiryRules(timeout=5), monotonic=lambda: clock[0])
    issuer.fails = True
    for number in range(FAILURES + 10):
        assert isinstance(_at(asking, str(number), clock[0] + 5), Unavailable)
    assert len(issuer.asked) == FAILURES
    issuer.fails = False
    clock[0] += inquiries.REST
    assert subject(_at(asking, "good", clock[0] + 5)) == "good"


def _at(asking: Inquiries, credential: str, deadline: float) -> object:
    found: queue.SimpleQueue[object] = queue.SimpleQueue()
    asking.ask(credential, NOW, deadline, found.put)
    return found.get(timeout=10)


def test_an_outdated_finding_serves_only_where_that_is_wanted(issuer: Issuer) -> None:
    """`on_error: stale`: while the issuer fails, for `max_stale`; `deny`: not at all."""
    for stale, expected in ((100.0, Identity), (0.0, Unavailable)):
        issuer.fails = False
        asking = Inquiries(issuer, InquiryRules(timeout=5, keep=60, stale=stale))
        ask(asking)
        issuer.fails = True
        assert isinstance(ask(asking, now=NOW + 100), expected)
        assert isinstance(ask(asking, now=NOW + 161), Unavailable)


def test_a_fault_of_whoever_asks_is_an_answer_all_the_same() -> None:
    """Whatever is raised on the thread, who waits is told 503 and not left waiting."""

    def broken(_credential: str, _now: float, _timeout: float) -> Said | None:
        raise RuntimeError("a bug")

    assert isinstance(ask(Inquiries(broken, InquiryRules(timeout=5))), Unavailable)
