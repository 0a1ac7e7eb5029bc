"""What each code of a fault or a warning means, with a text that has it and one that says what was meant.

The paragraphs stand beside the codes (`policy.codes`, `policy.linting.codes`, `envoy.codes`), the examples of those of
policies in `examples.yaml` here.
`authz help CODE` prints both, `reference` writes them as a page, and what code scanners show comes from here too.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from textwrap import fill, indent
from typing import TYPE_CHECKING

import msgspec

from authz.envoy import codes as findings
from authz.policy import codes
from authz.policy.linting import codes as warnings

if TYPE_CHECKING:
    from collections.abc import Mapping

EXPLAINED: Mapping[str, str] = {**codes.EXPLAINED, **warnings.EXPLAINED}
"""What each code of a policy means, a paragraph each."""

FINDINGS: Mapping[str, str] = {
    one.code: f"{one.why[:1].upper()}{one.why[1:]}. To mend it: {one.remedy}." for one in findings.CODES
}
"""What each finding of `authz envoy --check` means; what it is about stands in the finding itself."""

_WIDTH = 100

_WITHIN = {
    "policy": "the spec of a Policy",
    "guardrail": "the spec of a Guardrail",
    "data": "the spec of a Data document",
    "provider": "the spec of an IdentityProvider",
    "test": "the spec of a PolicyTest",
    "whole": "a file",
}


class Example(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text that has a code, and one that has not; `within` is what is around them, `files` what lies beside.

    Some codes have none: what has them is too long to be shown, or no policy is known that does.
    """

    within: str = "policy"
    wrong: str = ""
    right: str = ""
    files: dict[str, str] = {}

    @property
    def place(self) -> str:
        """Return what the texts are part of, for people."""
        return _WITHIN.get(self.within, f"the file {self.within}")


@cache
def examples() -> Mapping[str, Example]:
    """Return the examples by code."""
    text = files(__name__).joinpath("examples.yaml").read_bytes()
    return msgspec.yaml.decode(text, type=dict[str, Example])


def page(code: str) -> str:
    """Return what there is to say of a code, for a terminal."""
    told = f"{code}: {EXPLAINED.get(code) or FINDINGS[code]}"
    paragraphs = [fill(told, _WIDTH, break_long_words=False, break_on_hyphens=False)]
    example = examples().get(code, Example())
    if example.wrong:
        wrong, right = (indent(text.rstrip("\n"), "    ") for text in (example.wrong, example.right))
        paragraphs += [f"Wrong, in {example.place}:", wrong, "Right:", right]
    return "\n\n".join(paragraphs)


def reference() -> str:
    """Return all pages as Markdown."""
    parts = [_HEAD]
    for code, paragraph in EXPLAINED.items():
        example = examples()[code]
        parts.append(f"## {code}\n\n{paragraph}\n")
        if example.wrong:
            parts.append(f"Wrong, in {example.place}:\n\n```\n{example.wrong.rstrip()}\n```\n")
            parts.append(f"Right:\n\n```\n{example.right.rstrip()}\n```\n")
    return "\n".join(parts)


_HEAD = """\
# Codes of faults and warnings

Written by `make docs`; `authz help CODE` prints the same. AZ0xx is about files and YAML, AZ1xx about documents and
their keys, AZ2xx about what only shows when documents are compiled together, AZ3xx about expressions: these are faults,
and nothing is served that has one. AZ4xx are warnings of `authz check --lint`; where one is meant, say so:

```
metadata:
  name: orders
  annotations: {authz/ignore: "AZ405, AZ413"}
```
"""
