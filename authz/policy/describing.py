"""The OpenAPI document of a validation: read from the files beside the policy, its faults put where they are written.

What a description says is the business of whoever compiles it; here a file and a path in it become a line and a caret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.policy.documents.faults import place_of
from authz.policy.documents.grammar import Unfit
from authz.policy.documents.values import nearest
from authz.policy.faults import Together
from authz.policy.files import beside
from authz.policy.source import Scalar

if TYPE_CHECKING:
    from authz.errors import Fault
    from authz.policy.facts import Api, BodyValidators
    from authz.policy.files import Files
    from authz.policy.source import Node, Text


class Describing:
    """The compilation of one OpenAPI document. `faults` are those of it and of the files it refers to."""

    def __init__(self, written: Text, files: Files) -> None:
        self._path, self._content = files.raw(written)
        self._files = files
        self._nodes: dict[str, Node] = {}
        self.faults: list[Fault] = []

    def api(self, validators: BodyValidators, unchecked: frozenset[str]) -> Api | None:
        """Return the API, `None` where there are faults."""
        try:
            root = self._files.description(self._path)
        except Unfit as unfit:
            self.faults.extend(unfit.faults)
            return None
        return validators.compile_api(root.value, self._read, self._tell, unchecked)

    def _read(self, file: str) -> object:
        """Return what a file says that the document refers to; raise `LookupError` where it says nothing."""
        try:
            return self._files.description(self._beside(file)).value
        except Unfit as unfit:
            self.faults.extend(unfit.faults)
            raise LookupError("the file has faults of its own") from None

    def _beside(self, file: str) -> str:
        return beside(self._path, file) if file else self._path

    def _tell(self, file: str, path: tuple[str | int, ...], message: str, hint: str, known: tuple[str, ...]) -> None:
        place = self._place(file, path, message)
        if not hint and known:
            close = nearest(str(path[-1]) if path else "", known)
            hint = f'did you mean "{close}"?' if close else f"known here: {', '.join(known[:20])}"
        self.faults.append(place.fault(Together.API, message, hint=hint))

    def _place(self, file: str, path: tuple[str | int, ...], message: str) -> Node:
        """Return what to point at: a key that the message names, else a value that is written in one piece.

        Places are only found out for documents with faults.
        """
        place = self._beside(file)
        if place not in self._nodes:
            self._nodes[place] = self._files.nodes(place)
        key, value = place_of(self._nodes[place], path)
        names_key = bool(path) and f'"{path[-1]}"' in message
        return value if isinstance(value, Scalar) and not names_key else key
