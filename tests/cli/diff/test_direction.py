"""Whether a change can only let more in, or only less."""

from __future__ import annotations

import pytest

from authz.cli.diff.direction import OPPOSITE, Direction, of_accepted, of_key, of_mode
from authz.policy.documents import Limit
from authz.policy.reading import read
from tests.cli.diff.conftest import document


def limit(text: str) -> Limit:
    """Return a limit of a policy."""
    spec = f'{{match: [{{paths: ["/a"]}}], limits: [{{name: a, rate: 3/minute, {text}}}]}}'
    (policy,) = read("a.yaml", document(spec).encode()).documents
    found = policy.spec.limits[0]  # type: ignore[attr-defined]
    assert isinstance(found, Limit)
    return found


@pytest.mark.parametrize(
    ("key", "before", "after", "direction"),
    [
        ("on_error", "on_error: deny", "on_error: allow", "wider"),
        ("on_error", "on_error: allow", "on_error: local", "narrower"),
        ("burst", "algorithm: token-bucket, burst: 5", "algorithm: token-bucket, burst: 9", "wider"),
        ("mode", "mode: enforce", "mode: shadow", "wider"),
        ("mode", 'mode: "off"', "mode: shadow", "none"),
        ("mode", 'mode: "off"', "mode: enforce", "narrower"),
        ("cost", "cost: 1", "cost: 2", "either"),
    ],
)
def test_limits(key: str, before: str, after: str, direction: str) -> None:
    """More at once, an outage that lets through, a limit that only records: more gets in."""
    assert of_key(key, limit(before), limit(after)) == direction


def test_an_empty_list_has_a_meaning_of_its_own() -> None:
    """No providers means anonymous, not nobody; so nothing is said of what comes and goes with it."""
    assert of_accepted((), ("a",)) is Direction.EITHER
    assert of_accepted(("a", "b"), ("a",)) is Direction.NARROWER
    assert of_accepted(("a", "b"), ("a", "c")) is Direction.EITHER


def test_taking_away_is_the_opposite_of_adding() -> None:
    """For parts and for modes that put them in force."""
    assert {OPPOSITE[OPPOSITE[one]] is one for one in Direction} == {True}
    assert of_mode(Direction.WIDER, Direction.NONE) is Direction.NARROWER
