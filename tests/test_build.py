"""How the package was built is what Python loads, and finding it out loads nothing."""

from __future__ import annotations

import inspect
import shutil
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

import authz
from authz import build, engine


def test_it_is_what_is_loaded() -> None:
    """Python's own functions have code; those of an extension have none."""
    compiled = not inspect.isfunction(engine.Engine.check)
    assert build.build() is (build.Build.COMPILED if compiled else build.Build.INTERPRETED)


@pytest.mark.parametrize(
    ("suffix", "expected"),
    [(EXTENSION_SUFFIXES[0], "compiled"), (".cpython-27-x86_64-linux-gnu.so", "interpreted"), (None, "interpreted")],
)
def test_an_extension_that_this_python_does_not_load_does_not_count(
    suffix: str | None, expected: str, tmp_path: Path
) -> None:
    """A wheel of another Python is interpreted, and is said to be; nobody's engine is loaded to say so."""
    package = tmp_path / "authz"
    (package / "engine").mkdir(parents=True)
    for module in (authz, build):
        shutil.copy(str(module.__file__), package)
    (package / "engine" / "check.py").touch()
    if suffix is not None:
        (package / "engine" / f"check{suffix}").touch()
    program = "import sys; from authz.build import build; print(build(), 'authz.engine' in sys.modules)"
    done = subprocess.check_output([sys.executable, "-c", program], cwd=tmp_path, env={}, text=True, timeout=30)
    assert done == f"{expected} False\n"
