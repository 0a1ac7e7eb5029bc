"""The same expression before both engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authz.cel import EvaluationError
from authz.cel.crosscheck import CrossCheck, Verdict

if TYPE_CHECKING:
    from authz.cel import CelType


@pytest.fixture
def check(variables: dict[str, CelType]) -> CrossCheck:
    """Return a cross-check of the usual variables."""
    return CrossCheck(variables)


def test_engines_agree_on_values_and_on_errors(check: CrossCheck) -> None:
    """The same value twice is agreement, and so are two errors, whatever they say."""
    same, none = check.compare("d.a == 1", [{"d": {"a": 1}}, {}])
    assert (same.verdict, same.first, same.second) == (Verdict.AGREE, True, True)
    assert none.verdict is Verdict.AGREE
    assert isinstance(none.first, EvaluationError)
    assert check.compare("nosuch == 1", [{}])[0].verdict is Verdict.AGREE
    assert check.compare("d", [{"d": float("nan")}])[0].verdict is Verdict.AGREE


def test_a_difference_is_found(check: CrossCheck) -> None:
    """The engines see an integer that no double holds differently; both values are shown."""
    (found,) = check.compare("d == 9007199254740992.0", [{"d": 9007199254740993}])
    assert (found.verdict, found.first, found.second) == (Verdict.DISAGREE, True, False)


def test_an_engine_that_cannot_tell_does_not_disagree(check: CrossCheck) -> None:
    """What the second engine does not know is neither agreement nor disagreement, at load or later."""
    assert check.compare("google.protobuf.Struct{} == d", [{"d": {}}])[0].verdict is Verdict.UNDETERMINED
    assert check.compare("duration(s) > duration('0s')", [{"s": "1ns"}])[0].verdict is Verdict.UNDETERMINED
