"""The build hook: what it says where it can't compile, and what wheels are without it."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[2]
HOOK = ROOT / "deploy" / "compile.py"


def lacking(compiler: str) -> str:
    """Return what the hook says is lacking with this compiler."""
    environment = os.environ | {"CC": compiler}
    done = subprocess.run([sys.executable, str(HOOK)], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


def built(folder: Path, target: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Build the package as an installer has it built."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(folder)]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_machine_without_a_compiler_is_told_what_to_install() -> None:
    """In one line."""
    told = lacking("no-such-compiler -O2")
    assert (
        told == "no C compiler: no-such-compiler: No such file or directory (Debian: apt-get install gcc libc6-dev)\n"
    )


def test_a_compiler_without_headers_is_told_what_to_install(tmp_path: Path) -> None:
    """With what the compiler said of Python's own, or of the C library's."""
    compiler = tmp_path / "cc"
    compiler.write_text(
        '#!/bin/sh\necho "<stdin>:1:10: fatal error: Python.h: No such file or directory" >&2\nexit 1\n'
    )
    compiler.chmod(0o755)
    told = lacking(str(compiler))
    assert told.startswith("no headers to compile with: <stdin>:1:10: fatal error: Python.h: No such file or directory")
    assert "apt-get install python3-dev" in told


def test_a_build_that_is_to_compile_and_cannot_ends(tmp_path: Path) -> None:
    """A wheel that is slower than was asked for would not be noticed."""
    done = built(tmp_path, "wheel", HATCH_BUILD_HOOK_ENABLE_CUSTOM="true", CC="no-such-compiler")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("no C compiler: no-such-compiler")
    assert list(tmp_path.iterdir()) == []


def test_a_wheel_is_for_any_python_unless_it_is_compiled(tmp_path: Path) -> None:
    """Nobody needs a compiler to install the package, whatever lies around from other builds."""
    assert built(tmp_path, "wheel").returncode == 0
    (wheel,) = tmp_path.iterdir()
    assert wheel.name.endswith("-py3-none-any.whl")
    assert [name for name in ZipFile(wheel).namelist() if not name.startswith(("authz/", "envoy_cel_authz-"))] == []
    assert not any(name.endswith(".so") for name in ZipFile(wheel).namelist())


def test_a_source_distribution_holds_what_compiles_it(tmp_path: Path) -> None:
    """Else wheels could be compiled from the repository alone."""
    assert built(tmp_path, "sdist").returncode == 0
    (file,) = tmp_path.iterdir()
    with tarfile.open(file) as held:
        names = {name.partition("/")[2] for name in held.getnames()}
    assert {"deploy/compile.py", "pyproject.toml", "authz/engine/check.py"} <= names
