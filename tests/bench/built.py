"""Which package a benchmark measures: the compiled one, as it gets deployed, or with `--interpreted` the checkout.

A script that measures calls `choose` before all else where it is started. That builds (`make compiled`, which takes no
time where nothing has changed) and starts the script anew with what was built first on Python's path: for itself and
for all that it starts. What is measured then is said by the package itself (`authz.build`), not by what was meant.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from authz.build import Build, build

if TYPE_CHECKING:
    import argparse

ROOT = Path(__file__).parents[2]
MAKE = "/usr/bin/env", "make", "--silent", "compiled"
BUILT = ROOT / "build" / "compiled"
FLAG = "--interpreted"
CHOSEN = "BENCH_CHOSEN"  # in the environment: what a script chose that started itself, or this process, anew


def option(parser: argparse.ArgumentParser) -> None:
    """Give a script the flag that `choose` looks for."""
    parser.add_argument(FLAG, action="store_true", help="measure the checkout as it is, without compiling it")


def choose() -> None:
    """Start this script anew on the compiled package; return where it runs on what it is to measure.

    Where this machine can't compile, says why and goes on interpreted; where a build fails, exits with 1.
    """
    if CHOSEN in os.environ:
        if os.environ[CHOSEN] == str(BUILT) and build() is Build.INTERPRETED:
            print(f"{BUILT} holds nothing that {sys.executable} loads: measured interpreted", file=sys.stderr)
        return
    os.environ[CHOSEN] = str(ROOT)
    if FLAG in sys.argv or not _can_compile():
        return
    if subprocess.run(MAKE, cwd=ROOT, stdout=sys.stderr, check=False).returncode:
        sys.exit(f"`make compiled` failed; {FLAG} measures the checkout")
    os.environ[CHOSEN] = str(BUILT)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(BUILT), os.environ.get("PYTHONPATH"))))
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - no shell is wanted


def _can_compile() -> bool:
    """Whether there is what it takes; says what is not."""
    asked = [sys.executable, str(ROOT / "deploy" / "compile.py")]
    found = subprocess.run(asked, capture_output=True, text=True, check=False)
    if found.returncode:
        print(f"not the compiled package, which gets deployed, is measured: {found.stderr.strip()}", file=sys.stderr)
    return found.returncode == 0
