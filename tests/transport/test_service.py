"""The rules of the seam, without a network: one answer whatever happens."""

from __future__ import annotations

from typing import Any

import pytest

from authz.model import Reason
from authz.transport.service import Method, check, refuse


class Kept:
    """A call that keeps its answers."""

    deadline = None
    metadata = ()
    cancelled = False

    def __init__(self) -> None:
        self.answers: list[bytes] = []

    def answer(self, response: bytes, /) -> None:
        self.answers.append(response)

    def reject(self, rejection: Any, /) -> None:
        raise AssertionError(rejection)


def _echo(message: bytes, call: Any) -> None:
    call.answer(message)


def _say(reason: Reason, call: Any) -> None:
    call.answer(reason.encode())


def _method(**changes: Any) -> Method:
    given = {"path": "/a/B", "check": _echo, "refuse": _say, "last_resort": b"last resort", "max_message_bytes": 10}
    return Method(**given | changes)


def _raising(error: BaseException) -> Any:
    def either(_given: object, _call: object) -> None:
        raise error

    return either


@pytest.mark.parametrize(
    ("message", "answer"),
    [(b"", b""), (b"x" * 10, b"x" * 10), (b"x" * 11, b"body_too_large"), (None, b"malformed")],
)
def test_messages(message: bytes | None, answer: bytes) -> None:
    """A message within the bound is checked, also an empty one; a larger and a missing one are refused."""
    call = Kept()
    check(_method(), message, call)
    assert call.answers == [answer]


@pytest.mark.parametrize("error", [ValueError("canary-secret"), RecursionError(), MemoryError(), SystemExit(1)])
def test_what_check_raises_is_refused(error: BaseException, caplog: Any) -> None:
    """Whatever comes out of `check`, the call is refused, and the log names type and place but not the text (G2)."""
    call = Kept()
    check(_method(check=_raising(error)), b"x", call)
    assert call.answers == [b"internal_error"]
    assert f"/a/B: {type(error).__name__} raised at {__file__}" in caplog.text
    assert "canary-secret" not in caplog.text


def test_what_refuse_raises_is_the_last_resort() -> None:
    """Where refusing raises, directly or after a check that raised, the constant is answered."""
    method = _method(check=_raising(ValueError()), refuse=_raising(KeyError()))
    for message in (b"x", b"x" * 11, None):
        call = Kept()
        check(method, message, call)
        assert call.answers == [b"last resort"]
    call = Kept()
    refuse(method, Reason.OVERLOADED, call)
    assert call.answers == [b"last resort"]
