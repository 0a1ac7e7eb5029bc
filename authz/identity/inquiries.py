"""Finding out whose a credential is where that takes a while, with a bound on everything: time, threads, memory.

Somebody else is asked, or a password's hash computed. A finding is kept by the credential's digest, keyed for this
process and provider, for as long as it may be; requests that bring the same
credential meanwhile wait for the one question that is under way. Threads come when there is something to ask, and a
sweeper answers whoever would wait too long. An issuer that fails several times in a row is left alone for a while.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

import msgspec

from authz.errors import Unavailable
from authz.identity.claims import Said
from authz.identity.credentials import InvalidCredential
from authz.model import Identity

if TYPE_CHECKING:
    from collections.abc import Callable

    Finding = Identity | InvalidCredential | Unavailable
    Answer = Callable[[Finding], None]

REMEMBERED = 10_000
"""Findings kept per provider, good ones and bad ones apart: guesses, however many, push out nobody who is known."""

MOST_WAITING = 256
"""Credentials that are asked about at once, per provider; one more is not asked about."""

FAILURES = 5
"""Failures in a row after which nobody is asked for `REST` seconds."""

REST = 1.0


class Ask(Protocol):
    """Asks about one credential."""

    def __call__(self, credential: str, now: float, timeout: float, /) -> Said | None:
        """Return what the issuer says, `None` where the credential is not good; raises `Unavailable` in time.

        `InvalidCredential` where it is good and not for us.
        """


class InquiryRules(msgspec.Struct, frozen=True, kw_only=True):
    """How long (seconds) a question may take, a good finding is kept, a bad one is kept.

    `stale` is for how long an outdated finding serves while there is no answer; 0 for never. `threads` is how many
    questions are under way at once.
    """

    timeout: float = 0.1
    keep: float = 60.0
    keep_refused: float = 5.0
    stale: float = 0.0
    threads: int = 4


class _Kept(msgspec.Struct, frozen=True):
    """A finding, and until when it is fresh: seconds since the epoch."""

    said: Said | None
    refusal: str
    until: float

    def at(self, now: float) -> Finding:
        if self.said is None:
            return InvalidCredential(self.refusal)
        try:
            return self.said.at(now)
        except InvalidCredential as error:
            return error


class _Waiting(msgspec.Struct):
    """A question under way: who waits for its answer, and until when each does (monotonic seconds)."""

    now: float
    deadline: float
    answers: list[tuple[float, Answer]]


class Inquiries:
    """The questions of one provider; `ask` may be called from any thread. Each of its own does `begin` first."""

    def __init__(
        self,
        ask: Ask,
        rules: InquiryRules,
        *,
        begin: Callable[[], None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._rules = rules
        self._monotonic = monotonic
        self._key = secrets.token_bytes(32)
        self._good: OrderedDict[bytes, _Kept] = OrderedDict()
        self._bad: OrderedDict[bytes, _Kept] = OrderedDict()
        self._waiting: dict[bytes, _Waiting] = {}
        self._changed = threading.Condition()
        self._sweeping = False
        self._failures = 0
        self._rest_until = float("-inf")
        self._threads = ThreadPoolExecutor(rules.threads, "inquiry", begin)
        self._sweeper = ThreadPoolExecutor(1, "inquiry-sweeper")

    def ask(self, credential: str, now: float, deadline: float, answer: Answer) -> None:
        """Call `answer` once, by `deadline`: at once where a fresh finding is kept."""
        digest = hashlib.blake2b(credential.encode(), digest_size=32, key=self._key).digest()
        kept = self._kept(digest)
        if kept is not None and now < kept.until:
            answer(kept.at(now))
            return
        begun = self._monotonic()
        latest = min(deadline, begun + self._rules.timeout)
        with self._changed:
            waiting = self._waiting.get(digest)
            if waiting is not None:
                waiting.answers.append((latest, answer))
                self._watch()
                return
            refused = begun < self._rest_until or len(self._waiting) >= MOST_WAITING
            if not refused:
                self._waiting[digest] = _Waiting(now, latest, [(latest, answer)])
                self._watch()
        if refused:
            answer(self._failing(digest, now))
        else:
            self._threads.submit(self._inquire, digest, credential)

    def _inquire(self, digest: bytes, credential: str) -> None:
        """Ask, on a thread of the pool, and tell everybody who waits."""
        waiting = self._waiting.get(digest)
        left = 0.0 if waiting is None else waiting.deadline - self._monotonic()
        if waiting is None or left <= 0:
            self._settle(digest, None)
            return
        try:
            said = self._ask(credential, waiting.now, left)
            kept = self._finding(said, "the issuer says that the credential is not good", waiting.now)
        except InvalidCredential as error:
            kept = self._finding(None, str(error), waiting.now)
        except Exception:  # noqa: BLE001 - whatever goes wrong between us and the issuer, who waits is answered
            self._fail()
            self._settle(digest, None)
            return
        self._failures = 0
        self._keep(digest, kept)
        self._settle(digest, kept)

    def _finding(self, said: Said | None, refusal: str, now: float) -> _Kept:
        keep = self._rules.keep_refused if said is None else self._rules.keep
        return _Kept(said, refusal, now + keep)

    def _kept(self, digest: bytes) -> _Kept | None:
        return self._good.get(digest) or self._bad.get(digest)

    def _keep(self, digest: bytes, kept: _Kept) -> None:
        """Keep a finding in the place of the one before, which may have been the other way."""
        place, other = (self._bad, self._good) if kept.said is None else (self._good, self._bad)
        with self._changed:
            place[digest] = kept
            place.move_to_end(digest)
            other.pop(digest, None)
            if len(place) > REMEMBERED:
                place.popitem(last=False)

    def _fail(self) -> None:
        self._failures += 1
        if self._failures >= FAILURES:
            self._rest_until = self._monotonic() + REST

    def _settle(self, digest: bytes, kept: _Kept | None) -> None:
        """Answer everybody who still waits for one question."""
        with self._changed:
            waiting = self._waiting.pop(digest, None)
            self._changed.notify()
        if waiting is None:
            return
        for _, answer in waiting.answers:
            answer(self._failing(digest, waiting.now) if kept is None else kept.at(waiting.now))

    def _failing(self, digest: bytes, now: float) -> Finding:
        """Return what is said while nobody can be asked: an outdated finding where that is wanted, else nothing."""
        kept = self._kept(digest)
        if kept is not None and now < kept.until + self._rules.stale:
            return kept.at(now)
        return Unavailable("the credential could not be checked in time")

    def _watch(self) -> None:
        """Have the sweeper run while anybody waits; called with the lock held."""
        if self._sweeping:
            self._changed.notify()
        else:
            self._sweeping = True
            self._sweeper.submit(self._sweep)

    def _sweep(self) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    self._sweeping = False
                    return
                late = self._take_late(self._monotonic())
                if not late:
                    self._changed.wait(max(0.0, self._earliest() - self._monotonic()))
            for digest, now, answer in late:
                answer(self._failing(digest, now))

    def _earliest(self) -> float:
        return min(latest for waiting in self._waiting.values() for latest, _ in waiting.answers)

    def _take_late(self, now: float) -> list[tuple[bytes, float, Answer]]:
        """Take away who has waited long enough; a question that nobody waits for any more goes with the last."""
        late = []
        for digest, waiting in list(self._waiting.items()):
            late += [(digest, waiting.now, answer) for latest, answer in waiting.answers if latest <= now]
            waiting.answers = [(latest, answer) for latest, answer in waiting.answers if latest > now]
            if not waiting.answers:
                del self._waiting[digest]
        return late
