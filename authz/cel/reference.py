"""The reference of what an expression can read and call, as Markdown, from the code that reads and calls it.

Texts come from the comments in `vocabulary.proto` and from the registry of functions; nothing is written twice.
`make docs` writes `docs/reference.md`, and a test finds it out of date.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from authz.cel import functions, names, standard
from authz.cel.vocabulary import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from authz.cel.functions import Function

_LINE = re.compile(r"\s*(?://\s?(?P<text>.*)|message (?P<message>\w+) \{|(?P<end>\})|(?P<field>[^=]*\b\w+) = \d+;)")


def reference(vocabulary: str) -> str:
    """Return the reference; `vocabulary` is the text of `vocabulary.proto`."""
    return "\n".join(_lines(comments(vocabulary))) + "\n"


def comments(vocabulary: str) -> Mapping[str, str]:
    """Return the comment above every field, by `Message.field`."""
    found, waiting, messages = {}, list[str](), list[str]()
    for match in filter(None, map(_LINE.match, vocabulary.splitlines())):
        if match["text"] is not None:
            waiting.append(match["text"])
            continue
        if match["message"]:
            messages.append(match["message"])
        elif match["field"]:
            found[f"{messages[-1]}.{match['field'].split()[-1]}"] = " ".join(waiting)
        elif messages:
            messages.pop()
        waiting.clear()
    return found


def _lines(texts: Mapping[str, str]) -> Iterator[str]:
    yield from (
        "# What an expression can read and call",
        "",
        "Written by `make docs`. Do not edit.",
        "",
        "## Variables",
        "",
        "Reading a name that has no value for a request is an error, which is neither true nor false.",
        "",
        *_table(("name", "type", "meaning"), (_variable(name, texts) for name in VARIABLES)),
        "",
        "`data.<name>` is a `Data` document, `variables.<name>` a variable of the document itself.",
        "",
        *_messages(texts),
        "## Functions",
        "",
        *_table(("usage", "meaning", "example"), (_function(function) for function in functions.FUNCTIONS)),
        "",
        f"A list that `map` or `filter` makes has at most {names.MAX_LIST} elements.",
        "Patterns, networks and formats are string literals and are checked when a policy is loaded.",
        "",
        "## CEL's own",
        "",
        *_table(
            ("usage", "example"),
            (
                (f"`{_cell(known.usage)}`", f"`{_cell(known.example)}`")
                for known in (*standard.OPERATORS, *standard.MACROS, *standard.FUNCTIONS)
            ),
        ),
    )


def _variable(name: str, texts: Mapping[str, str]) -> tuple[str, ...]:
    namespace, _, member = name.rpartition(".")
    owner = namespace.capitalize() if namespace else "Vocabulary"
    return f"`{name}`", str(VARIABLES[name]), _cell(texts[f"{owner}.{member or name}"])


def _messages(texts: Mapping[str, str]) -> Iterator[str]:
    """Yield a table for each message of ours that a variable holds."""
    for name, type_ in VARIABLES.items():
        if type_.name.startswith("authz.v1."):
            owner = type_.name.removeprefix("authz.v1.") + "."
            rows = [
                (f"`{name}.{key.removeprefix(owner)}`", text) for key, text in texts.items() if key.startswith(owner)
            ]
            yield from _table(("field", "meaning"), ((field, _cell(text)) for field, text in rows))
            yield ""


def _function(function: Function) -> tuple[str, ...]:
    return f"`{_cell(function.usage)}`", _cell(function.doc), f"`{_cell(function.example)}`"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield _row(head)
    yield _row(("---",) * len(head))
    yield from map(_row, rows)


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
