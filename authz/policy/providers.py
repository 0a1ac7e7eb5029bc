"""Identity providers as policies know them: by name, made by somebody else, and asked who is calling.

This package reads the documents and says what is wrong with them and where. What proves an identity is not its
business: a builder makes a provider of each document, and one identifier of all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from authz.model import Identity, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from authz.model import Request
    from authz.policy.documents import IdentityProvider
    from authz.policy.source import Text


class Identifier(Protocol):
    """Names the caller."""

    def identify(
        self, providers: tuple[str, ...], request: Request, deadline: float, done: Callable[[Identity], None], /
    ) -> None:
        """Ask the providers of these names and call `done` once, from any thread and in time (monotonic seconds).

        With `ANONYMOUS`, or an identity that says how to present a credential, where nobody presents one.
        """


class Beside(Protocol):
    """The files beside a document."""

    def raw(self, name: Text, /) -> tuple[str, bytes]:
        """Return the path and the bytes of a file that the document names; raise `Unfit` where it is not there."""


class ProviderBuilder(Protocol):
    """Makes providers at load, so that a bad key file is a fault of the document and not of a request."""

    def build(self, document: IdentityProvider, beside: Beside, /) -> object:
        """Return the provider of a document; raise `Unfit` with every fault of what the document names."""

    def join(self, providers: Mapping[str, object], /) -> Identifier:
        """Return what asks these providers by name; they are about to come into force."""


class Unproved:
    """The builder of those who only read policies: whoever is to be identified can't be."""

    def build(self, document: IdentityProvider, beside: Beside, /) -> object:
        """Return nothing that could prove anything; the files it would take have to be there."""
        for name in document.spec.files:
            beside.raw(name)
        return None

    def join(self, _providers: Mapping[str, object], /) -> Identifier:
        """Return this: it proves nobody."""
        return self

    def identify(
        self, _providers: Sequence[str], _request: Request, _deadline: float, done: Callable[[Identity], None], /
    ) -> None:
        """Say that nobody can be identified; a policy that requires it denies."""
        done(Identity(error=Reason.IDENTITY_UNAVAILABLE))
