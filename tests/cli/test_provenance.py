"""What Git knows of a folder, printed to go along with it."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from authz.cli.output import Exit


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_what_is_printed_is_what_the_service_reads(run: Callable[..., Any], policies: Path) -> None:
    """Commit, author, date; the service takes it from a copy without Git."""
    environment = {"HOME": str(policies), "PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1"}
    for name in ("AUTHOR", "COMMITTER"):
        environment |= {f"GIT_{name}_NAME": "Ann", f"GIT_{name}_EMAIL": "a@b", f"GIT_{name}_DATE": "1700000000 +0000"}
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "one"]):
        subprocess.run(["/usr/bin/env", "git", "-C", str(policies), *command], check=True, env=environment)
    ran = run("provenance", str(policies))
    assert ran.status == 0
    printed = json.loads(ran.out)
    assert printed.pop("commit")
    assert printed == {"author": "Ann <a@b>", "date": "2023-11-14T22:13:20Z", "dirty": False}
    copy = policies.parent / "copy"
    copy.mkdir()
    shutil.copy(policies / "orders.yaml", copy)
    (copy / ".provenance.json").write_text(ran.out)
    assert "(Ann <a@b>, 2023-11-14T22:13:20Z)" in run("check", str(copy)).err


def test_a_folder_in_no_checkout_is_told(run: Callable[..., Any], policies: Path) -> None:
    """Exit 1, and nothing that could be taken for a provenance."""
    ran = run("provenance", str(policies))
    assert (ran.status, ran.out) == (Exit.UNEXPECTED, "")
    assert "is in no checkout of Git" in ran.err
