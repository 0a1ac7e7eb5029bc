"""Rounds without gRPC: which thread sends which answer, from a script of events."""

from __future__ import annotations

import math
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from authz.transport import rounds
from authz.transport.rounds import AT_ONCE, DOUBT, PATIENCE, ROUND, Rounds, Writer

if TYPE_CHECKING:
    from collections.abc import Callable


class Letter:
    """A call that notes who watched and who sent it."""

    def __init__(self, response: bytes | None = b"x") -> None:
        self.response = response
        self.watched_by: list[str] = []
        self.sent_by: list[str] = []
        self.age = 0
        self.settled = math.inf

    def waits(self) -> bool:
        return self.response is None

    def watch(self) -> None:
        self.watched_by.append(threading.current_thread().name)

    def send(self) -> None:
        self.sent_by.append(threading.current_thread().name)

    def grow_older(self) -> None:
        self.age += 1

    def settle_doubt(self) -> None:
        self.settled = time.monotonic()


class Script:
    """What `poll` returns: events whose arrival does something, then the end, once there is nothing left to watch.

    Notes how often it might have waited forever.
    """

    def __init__(self, steps: list[Callable[[Rounds], None]]) -> None:
        self.writer = Writer()
        self.rounds = Rounds(self.poll, self.writer, max_in_flight=3)
        self._steps = list(steps)
        self.waits = 0

    def poll(self, deadline: float | None = None) -> Any:
        if deadline is not None and (self._steps or [pause])[0] is pause:
            del self._steps[:1]
            threading.Event().wait(deadline - time.time())
            return SimpleNamespace(tag=None)
        while self._steps and self._steps[0] is pause:
            self._steps.pop(0)
        if not self._steps:
            return self._event(lambda rounds: setattr(rounds, "stopped", True))
        self.waits += deadline is None
        return self._event(self._steps.pop(0))

    def _event(self, step: Callable[[Rounds], None]) -> Any:
        return SimpleNamespace(tag=SimpleNamespace(arrived=lambda _event: step(self.rounds)))

    def play(self) -> None:
        """Run the polling on this thread, then the writer on its own."""
        self.rounds.run()
        self.writer.end()
        thread = threading.Thread(target=self.writer.run, name="writer")
        thread.start()
        thread.join()


def pause(_rounds: Rounds) -> None:
    """Nothing has arrived."""


def end(rounds: Rounds) -> None:
    """Stop, with calls that gRPC has not finished."""
    rounds.stopped = True


def settling(letters: list[Letter]) -> list[Callable[[Rounds], None]]:
    """Return a step per letter that takes, hears, settles and finishes it."""
    return [lambda rounds, letter=letter: _take(rounds, letter) for letter in letters]


def _take(rounds: Rounds, letter: Letter) -> None:
    rounds.take(letter)
    rounds.hear(rounds.room.turn)
    rounds.settle(letter)
    rounds.finish(letter)


HERE = threading.current_thread().name


def test_a_small_round_is_sent_at_once() -> None:
    """When nothing more has arrived, a few answers leave from the polling thread."""
    letters = [Letter() for _ in range(AT_ONCE)]
    Script([*settling(letters), pause, pause]).play()
    assert [letter.sent_by for letter in letters] == [[HERE]] * AT_ONCE


def test_a_large_round_is_the_writers() -> None:
    """More answers are handed over together."""
    letters = [Letter() for _ in range(AT_ONCE + 1)]
    Script([*settling(letters), pause, pause]).play()
    assert [letter.sent_by for letter in letters] == [["writer"]] * (AT_ONCE + 1)


def test_a_round_ends_even_if_events_never_do() -> None:
    """Answers wait for ROUND calls at most, though more arrive without a pause."""
    letters = [Letter() for _ in range(ROUND + 1)]
    script = Script([*settling(letters), lambda _rounds: None])
    script.play()
    assert [letter.sent_by for letter in letters[:ROUND]] == [["writer"]] * ROUND


def test_a_call_that_waits_is_watched_by_the_writer() -> None:
    """G11: calls that still wait once PATIENCE is over are handed over to be watched."""
    letter = Letter(None)
    script = Script([*settling([letter]), pause])
    begun = time.monotonic()
    script.play()
    assert time.monotonic() - begun >= PATIENCE
    assert letter.watched_by == ["writer"]
    assert letter.sent_by == []
    assert script.rounds.in_flight == 1


def test_a_call_without_a_message_is_doubted_for_a_moment() -> None:
    """Row G4: it may have been reset, which is told later; others are served meanwhile, and it is not forgotten."""
    doubted, other = Letter(None), Letter()
    begun = time.monotonic()
    Script([lambda rounds: rounds.doubt(doubted), *settling([other]), pause, pause]).play()
    assert DOUBT <= doubted.settled - begun < math.inf
    assert other.sent_by == [HERE]


def test_a_call_answered_while_it_is_handed_over_is_sent_once() -> None:
    """Who answers leaves it to the writer, who may hear of it as one to watch too: the call knows better."""
    letter = Letter(None)
    script = Script([*settling([letter]), pause])
    script.rounds.run()
    script.writer.leave(letter)
    script.writer.end()
    script.writer.run()
    assert len(letter.sent_by) == 1
    assert script.rounds.in_flight == 0


def test_a_call_that_is_answered_in_its_round_is_never_watched() -> None:
    """Watching costs gRPC a batch and an event: who is answered before the round ends goes without."""
    letter = Letter(None)

    def answer(rounds: Rounds) -> None:
        letter.response = b"soon"
        rounds.writer.leave(letter)

    script = Script([*settling([letter]), answer, pause])
    script.play()
    assert (letter.watched_by, letter.sent_by) == ([], ["writer"])


def test_a_call_that_is_answered_in_time_is_never_watched() -> None:
    """Nor is one that is answered after its round and before PATIENCE is over; nothing waits for it any more then."""
    letter = Letter(None)

    def answer(rounds: Rounds) -> None:
        letter.response = b"soon"
        rounds.writer.leave(letter)

    script = Script([*settling([letter]), pause, answer, lambda _rounds: None])
    script.play()
    assert (letter.watched_by, letter.sent_by) == ([], ["writer"])
    assert script.waits == 2


def test_calls_that_wait_are_waited_for_by_others_first(monkeypatch: Any) -> None:
    """A round with calls that wait gives its turn to those who answer them; one without does not."""
    turns: list[str] = []
    monkeypatch.setattr(rounds, "give_turn", lambda: turns.append("others"))
    Script([*settling([Letter()]), pause]).play()
    assert turns == []
    Script([*settling([Letter(None), Letter(None), Letter()]), pause]).play()
    assert turns == ["others"]


def test_answers_that_come_at_once_wake_the_writer_once() -> None:
    """The writer is woken by the first, finds the others, and can be woken again."""
    writer, letters = Writer(), [Letter() for _ in range(5)]
    for letter in letters:
        writer.leave(letter)
    assert writer.backlog() == 1
    thread = threading.Thread(target=writer.run, name="writer")
    thread.start()
    last = Letter()
    writer.leave(last)
    writer.end()
    thread.join()
    assert [letter.sent_by for letter in [*letters, last]] == [["writer"]] * 6


def test_poll_waits_only_with_nothing_to_send() -> None:
    """With a call in hand, answered or not, the queue is only looked at; with one to watch, it waits until then."""
    script = Script([*settling([Letter()]), pause, *settling([Letter()]), pause])
    script.play()
    assert script.waits == 2
    waiting = Script([*settling([Letter(None)]), pause, *settling([Letter(None)]), pause])
    waiting.play()
    assert waiting.waits == 1


def test_an_event_that_goes_wrong_ends_nothing(caplog: Any) -> None:
    """One bad event is logged, and the next is taken."""

    def wrong(_rounds: Rounds) -> None:
        raise RuntimeError

    letter = Letter()
    Script([wrong, *settling([letter]), pause]).play()
    assert len(letter.sent_by) == 1
    assert "could not be taken" in caplog.text


def test_an_answer_that_cannot_be_sent_ends_nothing(caplog: Any) -> None:
    """Neither thread ends over one answer."""

    class Unsendable(Letter):
        def send(self) -> None:
            super().send()
            raise TypeError

    letters = [Unsendable(), Letter()] + [Unsendable() if i == 1 else Letter() for i in range(5)]
    Script([*settling(letters[:2]), pause, *settling(letters[2:]), pause, pause]).play()
    assert all(len(letter.sent_by) == 1 for letter in letters)
    assert "could not be sent" in caplog.text


def test_room_is_for_calls_that_are_not_answered() -> None:
    """`take` counts, and says whether the call is within the bound; sending and dropping make room."""
    rounds, letters = Script([]).rounds, [Letter() for _ in range(4)]
    assert [rounds.take(letter) for letter in letters] == [True, True, True, False]
    for letter in letters[:2]:
        assert rounds.hear(0)
        rounds.drop(letter)
    assert rounds.in_flight == 2
    assert rounds.take(Letter())


def test_a_call_without_a_message_has_a_place_for_one_turn() -> None:
    """Streams of headers take nobody's place: once all that has arrived is looked at, they count no more."""
    seen: list[tuple[bool, int]] = []
    silent = [lambda rounds: seen.append((rounds.take(Letter()), rounds.in_flight)) for _ in range(5)]
    Script([*silent, pause, *silent[:1], pause, end]).play()
    assert seen == [(True, 1), (True, 2), (True, 3), (False, 4), (False, 5), (True, 1)]


def test_a_message_that_comes_late_is_judged_by_the_room_there_is() -> None:
    """It has lost its place: it counts again from then on, and is decided only if there is room."""
    rounds = Script([]).rounds
    rounds.take(Letter())
    rounds.room.end_turn()
    assert rounds.in_flight == 0
    for _ in range(2):
        rounds.take(Letter())
        assert rounds.hear(1)
    assert rounds.hear(0)
    rounds.take(Letter())
    rounds.room.end_turn()
    assert not rounds.hear(1)
    assert rounds.in_flight == 4


def test_calls_that_are_not_finished_grow_older(monkeypatch: Any) -> None:
    """Every SWEEP seconds those that are left grow older, answered or not, and the queue is not waited on for ever."""
    monkeypatch.setattr(rounds, "SWEEP", 0.01)
    left, finished = Letter(), Letter()
    script = Script([lambda rounds: rounds.take(left), *settling([finished]), *[pause] * 5, end])
    script.play()
    assert left.age >= 2
    assert finished.age == 0
    assert script.waits == 1  # for the first of all


def test_a_writer_that_is_behind_holds_the_polling_thread(monkeypatch: Any) -> None:
    """The queue to the writer is bounded: above, nothing is taken until it has caught up."""
    monkeypatch.setattr(rounds, "BACKLOG", 3)
    script = Script([step for _ in range(20) for step in (*settling([Letter() for _ in range(AT_ONCE + 1)]), pause)])
    polling = threading.Thread(target=script.rounds.run, daemon=True)
    polling.start()
    polling.join(0.05)
    assert polling.is_alive()
    assert script.writer.backlog() == 4
    writing = threading.Thread(target=script.writer.run, daemon=True)
    writing.start()
    polling.join(10)
    assert not polling.is_alive()
    script.writer.end()
    writing.join(10)
    assert script.rounds.in_flight == 0


@given(st.lists(st.sampled_from(["answered", "waiting", "pause"]), max_size=80))
def test_every_answer_is_sent_exactly_once(kinds: list[str]) -> None:
    """Whatever arrives in whatever rhythm: answered calls are sent once, waiting ones watched once, none is both."""
    letters = [Letter(b"x" if kind == "answered" else None) for kind in kinds if kind != "pause"]
    steps = iter(settling(letters))
    script = Script([pause if kind == "pause" else next(steps) for kind in kinds] + [pause])
    script.play()
    for letter in letters:
        assert len(letter.sent_by) == (letter.response is not None)
        assert len(letter.watched_by) == (letter.response is None)
    assert script.rounds.in_flight == sum(letter.response is None for letter in letters)
