"""The names an expression may use, and what to say of one that it may not.

Every engine's undeclared name ends here, so that each reads the same and comes with the nearest name there is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf import descriptor_pool

from authz.cel import functions, standard
from authz.cel.faults import Code, CompileFault, nearest

if TYPE_CHECKING:
    from collections.abc import Collection

MAX_LIST = 256
"""Elements `map` and `filter` may make: the C++ engine appends in time that grows with the list."""

TOO_MANY = "@too_many"
"""The name that stands for a list that became longer; nobody can write it, and nobody binds it."""

_SHOWN = 4
_QUOTES = frozenset("\"'")

FUNCTIONS = frozenset(
    function.name for function in (*functions.FUNCTIONS, *standard.FUNCTIONS, *standard.MACROS)
)  # fmt: skip
"""Every function and macro that can be called by name."""

_MISTAKEN = {"and": "&&", "or": "||", "not": "!", "=": "==", "&": "&&", "|": "||", "is": "==", "<>": "!="}


def undeclared_variable(name: str, variables: Collection[str], *, line: int, column: int, length: int) -> CompileFault:
    """Return the fault of a name that is no variable."""
    members = sorted(variable for variable in variables if variable.startswith(f"{name}."))
    if members:
        shown = ", ".join(members[:_SHOWN]) + (", ..." if len(members) > _SHOWN else "")
        message, hint = f'"{name}" has no value of its own', f"it has {shown}"
    else:
        namespaces = {variable.partition(".")[0] for variable in variables}
        quotes = "" if "." in name else f'a text is in quotes: "{name}"'
        message, hint = f'undeclared variable "{name}"', nearest(name, {*variables, *namespaces}) or quotes
    return CompileFault(line=line, column=column, length=length, code=Code.UNDECLARED, message=message, hint=hint)


def undeclared_function(name: str, *, line: int, column: int, length: int) -> CompileFault:
    """Return the fault of a name that is no function, or one that is called in no way it can be."""
    if name in FUNCTIONS:
        message, hint = f'"{name}" is not called like this', ""
    else:
        message, hint = f'undeclared function "{name}"', nearest(name, FUNCTIONS)
    return CompileFault(line=line, column=column, length=length, code=Code.UNDECLARED, message=message, hint=hint)


def no_value(name: str) -> str:
    """Return what is said of a name that was read and is not bound."""
    if name == TOO_MANY:
        return f"a list of more than {MAX_LIST} elements was to be made"
    return f"{name.removeprefix('@')} has no value"


def not_taken(function: str, arguments: str, *, line: int, column: int) -> CompileFault:
    """Return the fault of an operator or function that is given what it does not take; `function` is its tree name."""
    name = spoken(function)
    return CompileFault(
        line=line, column=column, length=len(name), code=Code.TYPE, message=f'"{name}" does not take ({arguments})',
        hint=_mending(name, arguments),
    )  # fmt: skip


def _mending(name: str, arguments: str) -> str:
    """Return how an operator is probably meant."""
    if name == "in" and arguments == "string, string":
        return "write text.contains(part)"
    compares = name in {"==", "!=", "<", "<=", ">", ">="} and "null" not in arguments
    return "convert one of them: string(...), int(...)" if compares else ""


def spoken(function: str) -> str:
    """Return an operator or function as it is written: `_==_` is `==`."""
    return (function if function[-1:].isalnum() else function.replace("_", "")).removeprefix("@")


def no_field(field: str, message: str, *, line: int, column: int) -> CompileFault:
    """Return the fault of a field that a message does not have."""
    return CompileFault(
        line=line,
        column=column,
        length=len(field),
        code=Code.FIELD,
        message=f'no field "{field}" in {message}',
        hint=nearest(field, _fields(message)),
    )


def unexpected(token: str, *, line: int, column: int) -> CompileFault:
    """Return the fault of a token that cannot stand where it does; an empty one is the end."""
    if token in _QUOTES:
        what = "this text is not closed, or has an escape that is none"
    else:
        what = f'unexpected "{token}"' if token else "unexpected end of the expression"
    hint = f'did you mean "{_MISTAKEN[token]}"?' if token in _MISTAKEN else ""
    length = max(1, len(token))
    return CompileFault(
        line=line, column=column, length=length, code=Code.SYNTAX, message=f"syntax error: {what}", hint=hint
    )


def _fields(message: str) -> Collection[str]:
    try:
        return tuple(descriptor_pool.Default().FindMessageTypeByName(message).fields_by_name)
    except KeyError:
        return ()
