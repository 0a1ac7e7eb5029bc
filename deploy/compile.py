"""Hatch's build hook that compiles the way of a request with mypyc, where a build asks for it.

    python deploy/compile.py        # says what this machine lacks to do so, and exits 1; 0 where it lacks nothing

The modules that `pyproject.toml` lists become C extensions and stay Python: they are the same files, the wheel holds
both, and a Python that can't load the extensions runs what they were made of. Nothing is written beside the sources,
where it would shadow them: what is compiled goes straight into the wheel.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

QUIET = "-Wno-error"
"""mypyc asks for `-Werror`; a compiler newer than it warns of what it generates."""

SAME = "-ffile-prefix-map={folder}=."
"""Where it was built leaves no trace: the same sources make the same wheel."""


class Compile(BuildHookInterface):  # type: ignore[type-arg] # hatchling's is generic in what no hook sees
    """Compiles `modules`, paths from the root, into the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and tell hatchling what there is to be packed; nothing for an editable wheel."""
        if version == "editable":
            return
        if lacking := lacks():
            sys.exit(lacking)
        self._folder = tempfile.TemporaryDirectory()
        built = _compiled(Path(self.root), self.config["modules"], Path(self._folder.name))
        build_data["force_include"] |= built
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, _version: str, _build_data: dict[str, Any], _artifact_path: str) -> None:
        """Remove what was built in between."""
        if hasattr(self, "_folder"):
            self._folder.cleanup()


def lacks() -> str:
    """Return what it takes to compile for this Python and is not there; empty where all is. A compiler is tried."""
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    headers = [f"-I{sysconfig.get_path(name)}" for name in ("include", "platinclude")]
    try:
        command = [*compiler, *headers, "-fsyntax-only", "-x", "c", "-"]
        tried = subprocess.run(command, input="#include <Python.h>", capture_output=True, text=True, check=False)
    except OSError as error:
        return f"no C compiler: {compiler[0]}: {error.strerror} (Debian: apt-get install gcc libc6-dev)"
    if tried.returncode:
        why = next((line for line in tried.stderr.splitlines() if "error:" in line), f"{compiler[0]} failed")
        return f"no headers to compile with: {why.strip()} (Debian: apt-get install python3-dev libc6-dev)"
    return ""


def _compiled(root: Path, modules: list[str], folder: Path) -> dict[str, str]:
    """Return where each extension lies, and where in the wheel it belongs."""
    from mypyc.build import mypycify  # noqa: PLC0415 - only a build that compiles has it
    from setuptools import Distribution  # noqa: PLC0415 - as above

    before = Path.cwd()
    os.chdir(root)
    os.environ["CFLAGS"] = " ".join([os.environ.get("CFLAGS", ""), QUIET, SAME.format(folder=folder)])
    try:
        extensions = mypycify(
            list(modules), opt_level="3", debug_level="0", group_name="authz", target_dir=str(folder / "c")
        )
        command = Distribution({"name": "authz", "ext_modules": extensions}).get_command_obj("build_ext")
        command.build_lib, command.build_temp = str(folder / "lib"), str(folder / "temp")
        command.ensure_finalized()
        command.run()
    finally:
        os.chdir(before)
    return {str(built): str(built.relative_to(folder / "lib")) for built in (folder / "lib").rglob("*.so")}


if __name__ == "__main__":
    sys.exit(lacks() or 0)
