#!/usr/bin/env python3
"""Compile every `.proto` below this folder into `authz/_pb`.

The output is a pure function of the `.proto` files and the locked `grpcio-tools`; a test regenerates and compares.
Imports between generated modules are rewritten to `authz._pb....`: packages called `envoy`, `grpc` and `cel` exist
on PyPI and must not be shadowed. `google.protobuf` and `google.rpc` stay where their own packages put them.
The stubs are marked as not to be checked: protoc writes `Mapping` without its parameters.

    python protos/generate.py [FOLDER]
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path

import grpc_tools
from google.rpc import status_pb2
from grpc_tools import protoc

SOURCES = Path(__file__).resolve().parent
TARGET = SOURCES.parent / "authz" / "_pb"
INCLUDES = (SOURCES, Path(grpc_tools.__file__).parent / "_proto", Path(status_pb2.__file__).parents[2])


def generate(target: Path) -> None:
    """Replace the generated packages in `target`; files at its root are kept."""
    with tempfile.TemporaryDirectory() as scratch:
        built = Path(scratch)
        compile_into(built)
        packages = sorted(folder for folder in built.iterdir() if folder.is_dir())
        for path in sorted(built.rglob("*_pb2.py*")):
            silence = "# mypy: ignore-errors\n" if path.suffix == ".pyi" else ""
            path.write_text(silence + rewritten(path.read_text(), {package.name for package in packages}))
        for folder in sorted(folder for folder in built.rglob("*") if folder.is_dir()):
            (folder / "__init__.py").touch()
        for package in packages:
            shutil.rmtree(target / package.name, ignore_errors=True)
            shutil.copytree(package, target / package.name)


def compile_into(folder: Path) -> None:
    """Run protoc over all sources, in sorted order; raise `SystemExit` with its status if it fails."""
    sources = sorted(str(path.relative_to(SOURCES)) for path in SOURCES.rglob("*.proto"))
    options = [*(f"-I{include}" for include in INCLUDES), f"--python_out={folder}", f"--pyi_out={folder}"]
    if status := protoc.main(["protoc", *options, *sources]):
        raise SystemExit(status)


def rewritten(code: str, packages: set[str]) -> str:
    """Return generated `code` with imports of `packages` moved below `authz._pb`."""
    return re.sub(rf"^from ({'|'.join(sorted(packages))})\b", r"from authz._pb.\1", code, flags=re.MULTILINE)


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET)
