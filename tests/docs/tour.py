"""The tour as a program: every command of a page is run, one after the other, and what it says is put below it.

Commands begin with `$ ` in blocks marked `console`; what follows is what both streams said. A command with `--watch` is
stopped when it waits. `make docs` writes the page again, a test compares.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "authz/cli/docs/tour.md"
_BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
_WAITS = "waiting for changes"


def performed(page: str, folder: Path) -> str:
    """Return a page with what its commands say when they are run in an empty folder."""
    place = folder

    def block(found: re.Match[str]) -> str:
        nonlocal place
        said = []
        for command in re.findall(r"^\$ (.*)$", found[1], re.MULTILINE):
            said.append(f"$ {command}\n")
            if command.startswith("cd "):
                place = place / command.removeprefix("cd ")
            else:
                said.append(_run(command, place))
        return "```console\n" + "".join(said) + "```"

    return _BLOCK.sub(block, page)


def _run(command: str, place: Path) -> str:
    """Return what a command says on both streams; one that watches is stopped when it has said that it waits."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"PATH": path, "NO_COLOR": "1", "COLUMNS": "120", "HOME": str(place), "LC_ALL": "C.UTF-8"}
    said = []
    with subprocess.Popen(
        ["/bin/bash", "-c", f"exec {command}" if "--watch" in command else command],
        cwd=place, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line.rstrip() + "\n")
            if _WAITS in line:
                process.terminate()
    return "".join(said)
