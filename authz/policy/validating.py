"""The validations of one document, compiled: its schemas read, checked and ready, with every fault on the way.

What no request could ever meet is a fault here: a header that is not in lower case, a path parameter that no path of
the document captures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from authz.cel import BOOL
from authz.policy import compiled
from authz.policy.deciding.places import PARAMS
from authz.policy.describing import Describing
from authz.policy.documents.faults import place_of
from authz.policy.documents.grammar import Unfit
from authz.policy.documents.validation import FORM, Security, Undocumented
from authz.policy.documents.values import nearest
from authz.policy.faults import Together
from authz.policy.routing.routes import template
from authz.policy.source import Mapping as Tree
from authz.policy.source import Text
from authz.policy.yaml import compose

if TYPE_CHECKING:
    from authz.policy.documents import Match, Validation
    from authz.policy.facts import Api, BodyValidator, BodyValidators, TextsValidator
    from authz.policy.files import Files
    from authz.policy.source import Node
    from authz.policy.terms import Keys, Terms

T = TypeVar("T")
Written = Text | dict[str, object]


class Validating:
    """Compiles validations; `provers` are the providers whose identities their document accepts.

    `early` is what requests have to bind for them, complete when all are compiled.
    """

    def __init__(
        self,
        terms: Terms,
        validators: BodyValidators,
        files: Files,
        captures: frozenset[str],
        provers: frozenset[str],
    ) -> None:
        self._provers = provers
        self._terms = terms
        self._validators = validators
        self._files = files
        self._captures = captures
        self.early: Mapping[str, Keys] = {}

    def validation(self, written: Validation) -> compiled.Validation:
        """Compile one validation."""
        label = f'validation "{written.name}"'
        if written.params is not None:
            self.early = {PARAMS: None}
        form = written.body_schema if written.content_type == FORM else None
        body = written.body_schema if form is None else None
        return compiled.Validation(
            name=str(written.name),
            when=None if written.when is None else self._terms.compile(written.when, label, BOOL),
            content_type=None if written.content_type is None else str(written.content_type),
            max_bytes=written.max_bytes,
            validator=self._body(body, written.name),
            form=self._texts(form, written.name, "body"),
            query=self._texts(written.query, written.name, "query"),
            headers=self._texts(written.headers, written.name, "headers"),
            params=self._texts(written.params, written.name, "params"),
            described=None if written.openapi is None else self._described(written, written.openapi),
        )

    def _described(self, written: Validation, file: Text) -> compiled.Described | None:
        """Return the API that requests must fit; one that asks who is calling needs somebody who finds out."""
        try:
            describing = Describing(file, self._files)
            api = describing.api(self._validators, frozenset(map(str, written.unchecked)))
            self._terms.faults.extend(describing.faults)
        except Unfit as unfit:
            self._terms.faults.extend(unfit.faults)
            return None
        if api is None:
            return None
        provers = None if written.security is Security.IGNORE else self._proving(written, file, api)
        return compiled.Described(api=api, refuses=written.undocumented is Undocumented.REFUSE, provers=provers)

    def _proving(self, written: Validation, file: Text, api: Api) -> dict[str, str]:
        """Return who proves the security schemes of an API; note what nobody proves, or nobody could prove at once."""
        said = written.security if isinstance(written.security, dict) else {}
        provers = {str(scheme): str(name) for scheme, name in said.items()}
        schemes = sorted({one for _, alternatives in api.demands for each in alternatives for one in each})
        for scheme, name in said.items():
            if scheme not in schemes:
                self._note(scheme, f'no operation asks for the security scheme "{scheme}"', schemes)
            elif name not in self._provers:
                self._note(name, f'no identity provider of this document is called "{name}"', sorted(self._provers))
        for one in schemes:
            if provers.setdefault(one, one) not in self._provers and one not in said:
                hint = f"write security: {{{one}: PROVIDER}}, or security: ignore"
                self._note(file, f'who proves the security scheme "{one}" is not said', hint=hint)
        for operation, alternatives in api.demands:
            if all(len({provers[one] for one in each}) > 1 for each in alternatives):
                message = f"{operation} asks for credentials of two providers at once, and a caller has one identity"
                self._note(file, message, hint="write security: ignore, and say in rules who may call it")
        return provers

    def _note(self, place: Text, message: str, known: Sequence[str] = (), hint: str = "") -> None:
        close = nearest(place, known)
        self._terms.faults.append(
            place.fault(Together.API, message, hint=f'did you mean "{close}"?' if close else hint)
        )

    def _body(self, schema: Written | None, name: Text) -> BodyValidator | None:
        return None if schema is None else self._made(schema, name, "schema", self._validators.compile)

    def _texts(self, schema: Written | None, name: Text, part: str) -> TextsValidator | None:
        if schema is None:
            return None
        key = "schema" if part == "body" else part
        return self._made(
            schema,
            name,
            key,
            lambda value, resolve: self._named(self._validators.compile_texts(value, part, resolve), part),
        )

    def _named(self, validator: TextsValidator, part: str) -> TextsValidator:
        """Return a validator if the names it speaks of are names that there can be; raise `ValueError` otherwise."""
        for name in sorted(validator.names):
            if part == "headers" and name != name.lower():
                raise ValueError(f'headers are compared in lower case, so there is no "{name}"')
            if part == "params" and name not in self._captures:
                close = nearest(name, sorted(self._captures))
                raise ValueError(f'no path captures "{name}"' + (f' (did you mean "{close}"?)' if close else ""))
        return validator

    def _made(
        self, schema: Written, name: Text, key: str, make: Callable[[object, Callable[[str], bytes]], T]
    ) -> T | None:
        """Return what is made of a schema and of what finds the files it refers to; note what is wrong with it."""
        place: Node = schema if isinstance(schema, Text) else name
        try:
            content = self._files.read(schema) if isinstance(schema, Text) else None
            file = name.source.file if content is None else content.source.file
            return make(schema if content is None else content.value, self._files.resolver(file))
        except Unfit as unfit:
            self._terms.faults.extend(unfit.faults)
        except ValueError as error:
            path = getattr(error, "path", ())
            if content is not None:
                place = place_of(self._files.nodes(file), path)[0] if path else place
            else:
                place = _inline(name, (key, *path))
            self._terms.faults.append(place.fault(Together.SCHEMA, f'validation "{name}": {error}'))
        return None


def _inline(name: Text, path: tuple[str | int, ...]) -> Node:
    """Return where a validation says something: its file is read again, for plain values do not know their places."""
    documents = compose(name.source.file, name.source.text.encode()).documents
    specs = [document["spec"] for document in documents if isinstance(document, Tree) and "spec" in document]
    validations = (one for spec in specs if isinstance(spec, Tree) for one in spec.get("validate", ()))
    for one in validations:
        if isinstance(one, Tree) and isinstance(found := one.get("name"), Text) and found.start == name.start:
            return place_of(one, path)[0]
    return name


def captures(matches: Iterable[Match]) -> frozenset[str]:
    """Return every name that some path of a document captures."""
    return frozenset(name for match in matches for path in match.paths or () for name, _ in template(path).captures)
