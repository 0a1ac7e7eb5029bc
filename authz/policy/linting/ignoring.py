"""Warnings that a document silences: `annotations: {authz/ignore: "AZ401, AZ405"}`, for that document alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.policy.linting.codes import Lint
from authz.policy.linting.looking import warned

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from authz.errors import Fault
    from authz.policy.documents import Document

ANNOTATION = "authz/ignore"
"""The annotation that lists codes, with commas or blanks between them."""


def heeded(document: Document, warnings: Iterable[Fault]) -> Iterator[Fault]:
    """Yield the warnings about a document that it does not silence; codes that silence nothing are one themselves."""
    annotations = document.metadata.annotations
    written = next((value for name, value in annotations.items() if name == ANNOTATION), None)
    ignored = set() if written is None else {code for part in written.split(",") for code in part.split()}
    silenced = set()
    for warning in warnings:
        if warning.code in ignored:
            silenced.add(warning.code)
        else:
            yield warning
    if written is not None:
        for code in sorted(ignored - silenced):
            message = f"no warning of this document has the code {code}"
            yield warned(written, Lint.IDLE_IGNORE, message, "remove it")
