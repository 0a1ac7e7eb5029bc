"""What nobody uses: data, providers and variables that are not read, documents that are not tested."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.policy.deciding.places import DATA
from authz.policy.documents import Data, Guardrail, IdentityProvider, Policy
from authz.policy.linting.codes import Lint
from authz.policy.linting.looking import warned
from authz.policy.terms import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from authz.errors import Fault
    from authz.policy.documents import Document
    from authz.policy.linting.looking import Expressions, Looked


def variables(document: Policy | Guardrail, looked_at: Iterable[Looked]) -> Iterator[Fault]:
    """Yield a warning for every variable of a document that none of its expressions reads."""
    read = {name for looked in looked_at for name in looked.expression.variables}
    for name in document.spec.variables:
        if VARIABLES + name not in read:
            yield warned(name, Lint.UNREAD_VARIABLE, f'nothing reads variable "{name}"', "remove it, or read it")


def documents(document: Document, all_: Iterable[Document], seen: Expressions) -> Iterator[Fault]:
    """Yield a warning for data that no expression reads, and for a provider that no policy names."""
    name = document.metadata.name
    if isinstance(document, Data):
        if not any(DATA + name in looked.expression.variables for looked in seen.all()):
            yield warned(name, Lint.UNREAD_DATA, f'nothing reads data "{name}"', f"remove it, or read data.{name}")
    elif isinstance(document, IdentityProvider):
        named = {provider for each in all_ if isinstance(each, Policy) for provider in each.spec.identity.providers}
        if name not in named:
            yield warned(name, Lint.UNUSED_PROVIDER, f'no policy names provider "{name}"', "remove it, or name it")


def tests(document: Document) -> Iterator[Fault]:
    """Yield a warning for a document that governs requests and is not tested."""
    if isinstance(document, Policy | Guardrail):
        name = document.metadata.name
        message = f'no test is about {str(document.kind).lower()} "{name}"'
        yield warned(name, Lint.UNTESTED, message, "write one beside it, in a file *_test.yaml")
