"""One document, compiled: from what was written to what requests meet, with every fault on the way.

Faults are collected, never thrown: a document with three bad expressions shows three carets. What is made of a
document depends on its text, the types of the data it reads, the providers there are and the schema files it names,
and on nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from authz import model
from authz.cel import BOOL, INT, Attribute
from authz.model import STATUS, Ambiguity, Effect, Reason
from authz.policy import carrying, compiled, cors, template
from authz.policy.deciding.crumbs import COOKIE
from authz.policy.destinations import Destination, destination
from authz.policy.documents import EncodedSlashes, Identification, PathParameters, Policy
from authz.policy.documents.grammar import Unfit
from authz.policy.documents.values import nearest
from authz.policy.faults import Together
from authz.policy.messages import VARIABLE, Messages
from authz.policy.representations import TEXT, Representation
from authz.policy.source import Text
from authz.policy.terms import TEXTS, Terms
from authz.policy.validating import Validating, captures

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from authz.cel import Environment
    from authz.errors import Fault
    from authz.policy.documents import Body, Cookie, Governing, Guardrail, Limit, Rule
    from authz.policy.facts import BodyValidators
    from authz.policy.files import Files
    from authz.policy.source import Scalar
    from authz.policy.template import Template
    from authz.policy.terms import Term, Watch

T = TypeVar("T")

_ASKED = tuple(Attribute(variable="request.headers", keys=(name,)) for name in cors.ASKED)
_STATUS = {Effect.ALLOW: 200, Effect.DENY: STATUS[Reason.DENY_RULE], Effect.REDIRECT: STATUS[Reason.REDIRECT_RULE]}


class Compilation:
    """The compilation of one document. `document` may be thrown away where `faults` holds any.

    `pause` is called between its rules, validations and limits.
    """

    def __init__(
        self,
        environment: Environment,
        validators: BodyValidators,
        providers: Collection[str],
        files: Files,
        watch: Watch | None = None,
        pause: Callable[[], None] = lambda: None,
    ) -> None:
        self._terms = Terms(environment, watch)
        self._pause = pause
        self._validators = validators
        self._providers = providers
        self._files = files

    @property
    def faults(self) -> Sequence[Fault]:
        """Return what is wrong with the document; complete when `document` has returned."""
        return self._terms.faults

    def document(self, written: Policy | Guardrail) -> compiled.Document:
        """Compile a policy or a guardrail."""
        spec = written.spec
        identity = written.spec.identity if isinstance(written, Policy) else Identification()
        spoken = written.spec.cors if isinstance(written, Policy) else None
        providers = self._known(identity.providers)
        self._terms.define(spec.variables)
        provers = frozenset(providers if isinstance(written, Policy) else self._providers)
        validating = Validating(self._terms, self._validators, self._files, captures(spec.match), provers)
        return compiled.Document(
            kind=str(written.kind),
            name=written.name,
            mode=spec.mode,
            permits=_permits(spec),
            providers=providers,
            identity_required=bool(providers) if identity.required is None else identity.required,
            audience=None if identity.audience is None else str(identity.audience),
            validations=tuple(map(validating.validation, self._each(spec.validations))),
            rules=tuple(map(self._rule, self._each(spec.rules))),
            limits=tuple(self._limit(written, limit) for limit in self._each(spec.limits)),
            variables=self._terms.variables,
            early={**self._terms.early, **validating.early},
            late=frozenset(self._terms.late),
            reads=(*self._terms.reads, *(_ASKED if spoken else ())),
            cors=cors.compiled(spoken) if spoken else None,
            messages=self._messages(written.metadata.name, spec.descriptors),
        )

    def _each(self, written: Iterable[T]) -> Iterator[T]:
        for each in written:
            yield each
            self._pause()

    def _messages(self, document: Text, names: Sequence[Text]) -> tuple[Messages, ...]:
        """Return what files of descriptors describe; a message that is read and never described is a fault."""
        if VARIABLE in self._terms.late and not names:
            message = f"{VARIABLE} is read, and no descriptors are named"
            self._terms.faults.append(document.fault(Together.DESCRIPTORS, message, hint="write descriptors: file.pb"))
        found = []
        for name in names:
            try:
                found.append(Messages(self._files.raw(name)[1]))
            except Unfit as unfit:
                self._terms.faults.extend(unfit.faults)
            except ValueError as error:
                hint = "protoc --include_imports -o writes one"
                self._terms.faults.append(name.fault(Together.DESCRIPTORS, f'"{name}": {error}', hint=hint))
        return tuple(found)

    def _rule(self, written: Rule) -> compiled.Rule:
        label = f'rule "{written.name}"'
        return compiled.Rule(
            name=str(written.name),
            effect=written.effect,
            mode=written.mode,
            status=written.status or _STATUS[written.effect],
            when=self._condition(written.when, label),
            test=self._condition(written.deny if written.allow is None else written.allow, label),
            message=self._text(written.message, label),
            body=self._body(written.body, label),
            location=None if written.redirect is None else self._destination(written.redirect, written, label),
            changes=self._changes(written, label),
        )

    def _destination(self, target: Text, written: Rule, label: str) -> Destination:
        return destination(target, written.allowed_hosts, label, self._terms)

    def _body(self, written: Text | Body | None, label: str) -> tuple[Representation, ...]:
        if written is None:
            return ()
        if isinstance(written, Text):
            return (Representation(media_type=TEXT, content=template.text(written, label, self._terms)),)
        return carrying.forms(written, label, self._terms)

    def _changes(self, written: Rule, label: str) -> compiled.Changes:
        request, response, query = written.request_headers, written.response_headers, written.query
        if written.cookies.remove:
            self._terms.also_read("request.headers", COOKIE)
        return compiled.Changes(
            request_headers=(*self._headers(request.set, label), *self._headers(request.append, label, append=True)),
            request_headers_remove=tuple(map(str, request.remove)),
            response_headers=(*self._headers(response.set, label), *self._headers(response.append, label, append=True)),
            cookies=tuple(self._cookies(written.cookies.set, label)),
            cookies_remove=tuple(map(str, written.cookies.remove)),
            query_set=tuple(self._texts(query.set, label)),
            query_remove=tuple(map(str, query.remove)),
            metadata=tuple((str(name), self._value(value, label)) for name, value in written.metadata.items()),
        )

    def _headers(
        self, written: Mapping[Text, Text], label: str, *, append: bool = False
    ) -> Iterator[compiled.HeaderChange]:
        for name, value in written.items():
            yield compiled.HeaderChange(name=str(name), value=template.header(value, label, self._terms), append=append)

    def _cookies(self, written: Mapping[Text, Cookie], label: str) -> Iterator[compiled.CookieChange]:
        for name, cookie in written.items():
            value = template.cookie(cookie.value, label, self._terms)
            yield compiled.CookieChange(name=str(name), value=value, attributes=carrying.attributes(cookie))

    def _texts(self, written: Mapping[Text, Text], label: str) -> Iterator[tuple[str, Template]]:
        for name, value in written.items():
            yield str(name), template.text(value, label, self._terms)

    def _value(self, written: Text, label: str) -> Template:
        return template.value(written, label, self._terms)

    def _limit(self, document: Policy | Guardrail, written: Limit) -> compiled.Limit:
        label = f'limit "{written.name}"'
        return compiled.Limit(
            name=str(written.name),
            limit=limit(document, written),
            when=self._condition(written.when, label),
            key=tuple(self._terms.compile(key, label, fits=TEXTS) for key in written.key),
            cost=None if written.cost is None else self._terms.compile(written.cost, label, INT),
        )

    def _condition(self, written: Scalar | None, label: str) -> Term | None:
        return None if written is None else self._terms.compile(written, label, BOOL)

    def _text(self, written: Text | None, label: str) -> Template | None:
        return None if written is None else template.text(written, label, self._terms)

    def _known(self, names: Sequence[Text]) -> tuple[str, ...]:
        """Return the names of providers; a name nobody defines is a fault."""
        for name in names:
            if name not in self._providers:
                close = nearest(name, sorted(self._providers))
                hint = f'did you mean "{close}"?' if close else ""
                self._terms.faults.append(
                    name.fault(Together.PROVIDER, f'no identity provider is called "{name}"', hint=hint)
                )
        return tuple(map(str, names))


def limit(document: Policy | Guardrail, written: Limit) -> model.Limit:
    """Return the part of a limit that no request changes."""
    return model.Limit(
        name=f"{document.name}/{written.name}",
        guardrail=not isinstance(document, Policy),
        requests=written.rate.requests,
        period=written.rate.per,
        algorithm=written.algorithm,
        burst=written.burst,
        align=written.align,
        time_zone=str(written.time_zone or "UTC"),
        count=written.count,
        mode=written.mode,
        on_error=written.on_error,
        scope=written.scope,
    )


def _permits(spec: Governing) -> frozenset[Ambiguity]:
    """Return the ambiguities a document says how to read."""
    says = {
        Ambiguity.ENCODED_SLASH: spec.encoded_slashes is EncodedSlashes.ALLOW,
        Ambiguity.PATH_PARAMETERS: spec.path_parameters is PathParameters.STRIP,
    }
    return frozenset(ambiguity for ambiguity, permitted in says.items() if permitted)
