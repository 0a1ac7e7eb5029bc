"""What is measured is what gets deployed, unless somebody wants otherwise or this machine can't."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import authz
from authz import build

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(1, {here!r})
import built
built.BUILT, built.MAKE = Path({folder!r}), ("/usr/bin/env", {make!r})
if __name__ == "__main__":
    built.choose()
    import authz
    print(authz.__file__, *sys.argv[1:])
"""


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a script that measures, with a package in the place of the one that is built."""
    (tmp_path / "built" / "authz").mkdir(parents=True)
    for module in (authz, build):
        shutil.copy(str(module.__file__), tmp_path / "built" / "authz")

    def run(*arguments: str, make: str = "true", **environment: str) -> subprocess.CompletedProcess[str]:
        file = tmp_path / "script.py"
        file.write_text(SCRIPT.format(here=str(HERE), folder=str(tmp_path / "built"), make=make))
        inherited = {name: value for name, value in os.environ.items() if name != "BENCH_CHOSEN"}
        return subprocess.run(
            [sys.executable, str(file), *arguments],
            env=inherited | environment, capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip

    return run


def test_what_is_built_is_measured(script: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path) -> None:
    """The script starts anew on what was built, with its arguments; what does not fit this Python is told."""
    done = script("--quick", "decision")
    assert done.stdout == f"{tmp_path}/built/authz/__init__.py --quick decision\n"
    assert done.stderr == f"{tmp_path}/built holds nothing that {sys.executable} loads: measured interpreted\n"


def test_the_checkout_is_measured_where_that_is_wanted(
    script: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    """Nothing is built and nothing said."""
    done = script("--interpreted", make="false")
    assert (done.stdout, done.stderr) == (f"{authz.__file__} --interpreted\n", "")


def test_a_machine_that_cannot_compile_measures_and_says_why(
    script: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    """With what there is to install."""
    done = script(CC="no-such-compiler")
    assert (done.returncode, done.stdout) == (0, f"{authz.__file__}\n")
    assert done.stderr.startswith("not the compiled package, which gets deployed, is measured: no C compiler: no-such")
    assert "apt-get install gcc" in done.stderr


def test_a_build_that_fails_is_no_measurement(script: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """Else a broken build would be found slow."""
    done = script(make="false")
    assert (done.returncode, done.stdout) == (1, "")
    assert "`make compiled` failed" in done.stderr
