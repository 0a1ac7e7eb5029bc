"""What becomes something else, or dangerous, when mypyc compiles it: found in texts, and in what mypyc makes of them.

The list of modules is in `pyproject.toml`. Most of what is named here compiles without a word and goes wrong where it
runs. Whether functions recurse is asked of mypyc's own intermediate form, which knows what calls what in C: calls that
go through Python have Python's bound and may come back.
"""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from mypy.fscache import FileSystemCache
from mypyc.build import get_mypy_config
from mypyc.codegen.emitmodule import compile_modules_to_ir, parse_and_typecheck
from mypyc.errors import Errors
from mypyc.ir.ops import Call, MethodCall
from mypyc.irbuild.mapper import Mapper
from mypyc.options import CompilerOptions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mypyc.ir.func_ir import FuncIR
    from mypyc.ir.ops import Op

ROOT = Path(__file__).parents[2]
KEYWORDS = frozenset(
    {
        "_alignof", "_asm", "_attribute", "_complex", "_const", "_extension", "_imag", "_inline", "_label", "_null",
        "_real", "_restrict", "_signed", "_thread", "_typeof", "_volatile",
    }
)  # fmt: skip
"""Attributes that are words of C with the underscore that mypyc puts before them."""


def listed() -> list[str]:
    """Return the paths of the modules that get compiled, from the root."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    modules: list[str] = project["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["custom"]["modules"]
    return modules


def misread(text: str) -> list[str]:
    """Return what mypyc makes something else of than Python does, by line."""
    nodes = [*ast.walk(ast.parse(text))]
    faults = [fault for node in nodes if isinstance(node, ast.ClassDef) for fault in _class(node)]
    faults += [fault for node in nodes if isinstance(node, ast.FunctionDef) for fault in _function(node)]
    for node in nodes:
        if isinstance(node, ast.Attribute) and node.attr == "__new__":
            faults.append((node.lineno, "__new__ calls __init__, without arguments"))
        elif isinstance(node, ast.Attribute) and node.attr in KEYWORDS:
            faults.append((node.lineno, f"the attribute {node.attr} is _{node.attr} in C, a word of its own"))
    return [f"line {line}: {what}" for line, what in sorted(faults)]


def _class(node: ast.ClassDef) -> Iterator[tuple[int, str]]:
    if node.keywords:
        words = ", ".join(keyword.arg or "**" for keyword in node.keywords)
        yield node.lineno, f"class {node.name} loses its keywords: {words}"
    if any(ast.unparse(base).rpartition(".")[2] == "Struct" for base in node.bases):
        yield node.lineno, f"class {node.name} is no Struct any more"
    methods = {each.name for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
    for each in node.body:
        if isinstance(each, ast.Assign) and isinstance(each.value, ast.Name) and each.value.id in methods:
            yield each.lineno, f"class {node.name} loses the second name of {each.value.id}"


def _function(node: ast.FunctionDef) -> Iterator[tuple[int, str]]:
    """Yield where a function asks of which type a parameter is that C has made a double of."""
    doubles = {each.arg for each in node.args.args if each.annotation and ast.unparse(each.annotation) == "float"}
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and ast.unparse(call.func) in {"type", "isinstance"} and call.args:
            name = ast.unparse(call.args[0])
            if name in doubles:
                yield call.lineno, f"{name} is a double in C, also where it was an integer"


def recursive(paths: Sequence[str]) -> dict[str, list[str]]:
    """Return every function that calls itself in C, by full name, with those that it does so through.

    There, nothing counts how deep calls are: nesting that a caller chose would end the process.
    """
    options, files = CompilerOptions(), FileSystemCache()
    arguments = ["--config-file", str(ROOT / "pyproject.toml"), *paths]
    sources, _, checks = get_mypy_config(arguments, None, options, files)
    checked = parse_and_typecheck(sources, checks, options, [(sources, "all")], files)
    mapper = Mapper({source.module: "all" for source in sources})
    modules = compile_modules_to_ir(checked, mapper, options, Errors(checks))
    calls = {function.decl.fullname: _called(function) for module in modules.values() for function in module.functions}
    return {name: way for name in calls if (way := _way_back(calls, name)) is not None}


def _called(function: FuncIR) -> set[str]:
    return {name for block in function.blocks for op in block.ops for name in _named(op)}


def _named(op: Op) -> Iterator[str]:
    """Yield what an operation calls; of a method, those of subclasses too."""
    if isinstance(op, Call):
        yield op.fn.fullname
    elif isinstance(op, MethodCall):
        declared = op.receiver_type.class_ir
        for each in (declared, *(declared.subclasses() or ())):
            yield each.method_decl(op.method).fullname


def _way_back(calls: Mapping[str, set[str]], start: str) -> list[str] | None:
    """Return the functions on the shortest way from one to itself."""
    ways: list[list[str]] = [[]]
    seen: set[str] = set()
    for way in ways:  # grows while it is walked
        for called in sorted(calls.get(way[-1] if way else start, ())):
            if called == start:
                return way
            if called not in seen:
                seen.add(called)
                ways.append([*way, called])
    return None
