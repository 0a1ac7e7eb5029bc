"""Where policies come from, as settings want it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.config import load
from authz.server.governing import governing
from authz.server.outputs import outputs

if TYPE_CHECKING:
    from pathlib import Path

POLICY = """
apiVersion: authz/v1
kind: Policy
metadata: {name: all}
spec: {match: [{paths: ["/**"]}], rules: [{name: everybody, allow: true}]}
"""


def test_what_decides_is_what_the_store_holds_unless_it_may_grow_too_old(tmp_path: Path) -> None:
    """Nothing until it is loaded; the age is looked at only where a setting bounds it."""
    (tmp_path / "a.yaml").write_text(POLICY)
    for changes, bounded in (({}, False), ({"reload.max_age": "1h", "reload.on_max_age": "deny"}, True)):
        flags = {"policies": (str(tmp_path),), "record.sink": "off", **changes}
        settings = load(environment={}, flags=flags).settings
        made = governing(settings, outputs(settings, 0))
        assert (made.aging is not None) is bounded
        assert made.snapshot() is None
        made.store.load()
        assert made.snapshot() is made.store.current is not None


def test_nothing_is_compared_where_there_is_no_candidate(tmp_path: Path) -> None:
    """A candidate is there where a folder is named for it, and never what decides."""
    (tmp_path / "a.yaml").write_text(POLICY)
    for named in ({}, {"candidate.policies": (str(tmp_path),)}):
        flags = {"policies": (str(tmp_path),), "record.sink": "off", **named}
        settings = load(environment={}, flags=flags).settings
        assert (governing(settings, outputs(settings, 0)).candidate is not None) is bool(named)
