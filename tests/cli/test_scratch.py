"""A folder while a verb runs."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from authz.cli.scratch import scratch
from authz.errors import Unavailable


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave no place that can be written to, as in a container whose root is read-only."""
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/proc"])


def test_it_is_gone_afterwards() -> None:
    """With everything in it, and it says whose it was."""
    with scratch("bench") as folder:
        (folder / "noop.sock").touch()
        assert folder.name.startswith("authz-bench-")
    assert not folder.exists()


@pytest.mark.usefixtures("nowhere")
def test_a_container_without_tmp_is_told_what_is_needed(run: Callable[..., Any]) -> None:
    """One line that names TMPDIR, from every verb that needs room."""
    ran = run("demo", "--exit-after-check")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("authz demo needs a folder for what it makes while it runs: none of TMPDIR, /tmp, ")
    assert "(set TMPDIR to a folder that can; in a container mount a tmpfs" in ran.err
    for verb in ("bench", "test"):
        with pytest.raises(Unavailable, match=f"authz {verb} needs a folder"), scratch(verb):
            pass


def test_a_place_too_deep_for_sockets_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than by a server that does not start."""
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", os.fspath(deep))
    with pytest.raises(Unavailable, match=f"makes sockets below {deep}, which is too long"), scratch("demo"):
        pass
    assert not list(deep.iterdir())
