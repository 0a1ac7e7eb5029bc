"""Old policies are put away when new ones are in force, and not before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.config import load
from authz.server.governing import governing
from authz.server.outputs import outputs
from authz.server.retiring import Retiring
from authz.store import Loaded, Refused, Snapshot, Unchanged

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

POLICY = """
apiVersion: authz/v1
kind: Policy
metadata: {name: all}
spec: {match: [{paths: ["/**"]}], rules: [{name: everybody, allow: true}]}
"""


class Policies:
    """Policies that know whom they made way for."""

    def __init__(self) -> None:
        self.made_way_for: list[object] = []

    def retire(self, successor: object, pause: Callable[[], None]) -> list[object]:
        """Take note of it, and leave something to let go of."""
        self.made_way_for.append(successor)
        pause()
        return [object()] * 100


def test_what_was_in_force_is_put_away_in_steps() -> None:
    """Once, for the policies that took its place; what was refused or did not change takes no place."""
    pauses: list[None] = []
    first, second = Policies(), Policies()
    snapshots = [Snapshot(policies=each, generation=1, loaded_at=0.0) for each in (first, second)]  # type: ignore[arg-type]
    now = snapshots[0]
    told = Retiring(lambda: now, lambda: pauses.append(None))
    loaded = Loaded(generation=1, digest="", commit="", files=1, at=0.0, seconds=0.0)
    told(loaded)
    told(Unchanged(generation=1))
    told(Refused(faults=(), generation=1))
    assert (first.made_way_for, pauses) == ([], [])
    now = snapshots[1]
    told(loaded)
    assert (first.made_way_for, second.made_way_for) == ([second], [])
    assert len(pauses) > 1 + 1


def test_a_process_puts_away_what_it_served(tmp_path: Path) -> None:
    """Nothing that requests left with the policies before is remembered when new ones are in force."""
    (tmp_path / "a.yaml").write_text(POLICY)
    settings = load(environment={}, flags={"policies": (str(tmp_path),), "record.sink": "off"}).settings
    store = governing(settings, outputs(settings, 0)).store
    store.load()
    assert store.current is not None
    old = store.current.policies
    old.governing("a.example", "/", "GET")
    assert old._index.answers
    (tmp_path / "a.yaml").write_text(POLICY.replace("true", "false"))
    store.load()
    assert store.current.policies is not old
    assert not old._index.answers
