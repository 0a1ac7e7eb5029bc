"""What travels together: equal checks become one script call, and all calls that wait become one pipeline.

Equal means the same counters at the same cost under the same limits; `n` of them are one call with `n`, which admits
as many as fit. They came within one round trip of each other, so no order among them was lost, and the script's
answer is handed out in the order they came.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import hiredis

from authz.limits.asks import PER_ASK, Answer
from authz.limits.connection import error_code
from authz.limits.question import Question, Words, pack

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from authz.limits.plan import Plan
    from authz.model import Usage

Heard = Callable[["Waiting", Answer | None, int, float], None]
NOSCRIPT = "NOSCRIPT"
_NUMBERS = {int}
TAKE = "t:"
"""Charges as usual; in place of the time to come back, the answer has the stamp by which the store knows the charge."""

MOVED = "MOVED "
"""The one error whose text is kept: `MOVED slot host:port`."""


def give(stamp: int) -> str:
    """Return the verb that gives back what was taken under a stamp."""
    return f"g{stamp}:"


class Waiting:
    """One caller: what it asks, until when it waits (`time.monotonic()`), and who hears the answer.

    `heard` gets this caller, the answer, its rank among those merged with it and when they were sent; or `None`. `verb`
    is "" for who charges or looks, else `TAKE` or what `give` returns.
    """

    __slots__ = ("count", "deadline", "done", "heard", "moved", "plan", "told", "verb")

    def __init__(
        self,
        plan: Plan,
        count: int,
        deadline: float,
        heard: Heard,
        done: Callable[[Usage], None] = lambda _: None,
        verb: str = "",
    ) -> None:
        self.plan = plan
        self.count = count
        self.deadline = deadline
        self.heard = heard
        self.done = done
        self.verb = verb
        self.told = False
        self.moved = False

    def tell(self, answer: Answer | None, rank: int = 0, sent_at: float = 0.0) -> None:
        """Hand over the answer, the first time; later ones came too late and are dropped."""
        if not self.told:
            self.told = True
            self.heard(self, answer, rank, sent_at)


class Call:
    """One script call for callers that ask the same; `count` is 0 for those that only look."""

    __slots__ = ("callers", "count", "question", "verb")

    def __init__(self, question: Question, count: int, verb: str) -> None:
        self.question = question
        self.count = count
        self.verb = verb
        self.callers: list[Waiting] = []

    def packed(self, sha: str) -> bytes:
        """Return the command to send."""
        count = self.count * len(self.callers)
        return self.question.packed(sha, f"{self.verb}{count}" if self.verb else count)

    def fits(self, outcome: Answer | str) -> bool:
        """Say whether an outcome can be this call's."""
        return isinstance(outcome, str) or len(outcome.numbers) == PER_ASK * len(self.question.keys)


class Batch:
    """The calls of one round trip. `reloaded` says that it follows a NOSCRIPT and brings the script with it."""

    def __init__(self, calls: list[Call], *, sent_at: float, reloaded: bool = False) -> None:
        self.calls = calls
        self.sent_at = sent_at
        self.reloaded = reloaded
        self.next_deadline = min(caller.deadline for caller in self.callers)
        self._outcomes: list[Answer | str] = []

    @property
    def callers(self) -> Iterator[Waiting]:
        """Everybody who waits for this batch."""
        return (caller for call in self.calls for caller in call.callers)

    def packed(self, sha: str, script: str) -> bytes:
        """Return what to send, in order."""
        head = [pack(("SCRIPT", "LOAD", script))] if self.reloaded else []
        return b"".join(head + [call.packed(sha) for call in self.calls])

    def take(self, replies: list[object]) -> bool:
        """Take replies as they come; say whether all are there."""
        self._outcomes += [_answer(reply) for reply in replies]
        return len(self._outcomes) >= len(self.calls) + self.reloaded

    def unloaded(self) -> list[Call]:
        """Part with the calls that did not run because the script is not there, the first time; return them."""
        if self.reloaded or NOSCRIPT not in self._outcomes:
            return []
        pairs = self.outcomes()
        self.calls = [call for call, outcome in pairs if outcome != NOSCRIPT]
        self._outcomes = [outcome for _, outcome in pairs if outcome != NOSCRIPT]
        return [call for call, outcome in pairs if outcome == NOSCRIPT]

    def late(self, now: float) -> list[Waiting]:
        """Return the callers whose time is over and who were not told yet."""
        if now < self.next_deadline:
            return []
        left = [caller for caller in self.callers if not caller.told]
        self.next_deadline = min((caller.deadline for caller in left if caller.deadline > now), default=float("inf"))
        return [caller for caller in left if caller.deadline <= now]

    def outcomes(self) -> list[tuple[Call, Answer | str]]:
        """Return the answer, or the code of the error, for each call; an answer of the wrong size is an error."""
        pairs = zip(self.calls, self._outcomes[int(self.reloaded) :], strict=True)
        return [(call, outcome if call.fits(outcome) else "ERR") for call, outcome in pairs]


def merged(callers: Iterable[Waiting]) -> list[Call]:
    """Return one call for each kind of check, in the order the first of each came."""
    calls: dict[tuple[Words, Words, int, str], Call] = {}
    for caller in callers:
        question = caller.plan.question
        kind = (question.keys, question.arguments, caller.count, caller.verb)
        call = calls.get(kind)
        if call is None:
            call = calls[kind] = Call(question, caller.count, caller.verb)
        call.callers.append(caller)
    return list(calls.values())


def _answer(reply: object) -> Answer | str:
    if isinstance(reply, list) and set(map(type, reply)) == _NUMBERS:
        return Answer(admitted=reply[0], numbers=reply[1:])
    if not isinstance(reply, hiredis.ReplyError):
        return "ERR"
    return str(reply) if str(reply).startswith(MOVED) else error_code(str(reply))
