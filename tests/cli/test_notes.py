"""What is noted of policies."""

from authz.cli.notes import SHOWN, ending
from authz.policy import ListedEntry


def entry(until: float, **words: str) -> ListedEntry:
    """Return an entry that ends."""
    said = {"key": "", "reason": "", "ticket": "", **words}
    return ListedEntry(data="plans", file="a.yaml", value="gold", until=until, **said)


def test_an_entry_of_a_map_is_told_with_its_key() -> None:
    """Where it stands, what it says, until when, and why."""
    assert list(ending([entry(0, key="acme", reason="trial", ticket="S-1"), entry(2, reason="trial")], now=1)) == [
        'note: a.yaml: data.plans["acme"]: "gold" ended 1970-01-01T00:00:00Z and can be removed (trial, S-1)',
        'note: a.yaml: data.plans: "gold" counts until 1970-01-01T00:00:02Z (trial)',
    ]


def test_very_many_are_counted() -> None:
    """A file of a thousand exceptions does not hide the faults above it."""
    notes = list(ending([entry(number) for number in range(100)], now=9))
    assert len(notes) == SHOWN + 1
    assert notes[-1] == "note: of 100 entries of data that end, 10 have ended"
