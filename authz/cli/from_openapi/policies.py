"""The documents: a guardrail that holds requests against the description, and a policy for each group of operations.

The guardrail says what a request must look like, who may make it and that nothing else exists; the policies say the
same of who may make it in words that can be changed: a rule for each operation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, count
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from authz.cli.from_openapi.grouping import Group, groups
from authz.cli.from_openapi.proving import Issuing, Providers, providers, used
from authz.cli.from_openapi.samples import Sampler
from authz.cli.from_openapi.suites import suite
from authz.cli.naming import named

if TYPE_CHECKING:
    from authz.cli.from_openapi.reading import Source
    from authz.content.openapi.operations import Operation
    from authz.content.openapi.security import Alternative

_CAPTURE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SCOPED = frozenset({"oauth2", "openIdConnect"})


class Wanted(NamedTuple):
    """What whoever imports says beside the document."""

    issuing: Issuing = Issuing()
    hosts: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """Documents by file, files that are taken over as they are, and what a person has to look at."""

    documents: Mapping[str, Sequence[dict[str, Any]]]
    copied: Mapping[str, bytes]
    notes: tuple[str, ...]


def made(source: Source, wanted: Wanted) -> Made:
    """Return the policies for an API; raise `Missing` where more has to be said."""
    operations = source.description.operations
    proving = providers(used(operations), wanted.issuing)
    found = groups(operations)
    sampler = Sampler(source, wanted.hosts)
    title = named(source.description.title.lower() or "api", "api")[:50]
    contract = _file("contract", source.files)
    documents: dict[str, Sequence[dict[str, Any]]] = {contract: [_contract(title, source, wanted, proving)]}
    notes = [
        *proving.notes,
        *(
            f"{name} asks for credentials of two providers at once: say in rules who may call"
            for name in _doubly(source, proving)
        ),
    ]
    if proving.documents:
        documents[_file("providers", source.files)] = proving.documents
    for group in found:
        name = _file(group.name, {*documents, *source.files})
        file = name.removesuffix(".yaml")
        documents[name] = [_policy(group, proving, wanted)]
        tests, unmade = suite(group, proving, sampler)
        if "cases" in tests["spec"]:
            documents[f"{file}_test.yaml"] = [tests]
        notes += [f"{file}_test.yaml: write a request for {name} by hand, none could be made" for name in unmade]
    copied = {**source.files, **{name: text.encode() for name, text in proving.files.items()}}
    return Made(documents=documents, copied=copied, notes=tuple(notes))


def _file(name: str, taken: Collection[str]) -> str:
    """Return a name for a file that no other one has, be it made or the description's own."""
    names = chain((name, f"{name}-api"), (f"{name}-api-{number}" for number in count(2)))
    return next(file for each in names if (file := f"{each}.yaml") not in taken)


def _document(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "authz/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def _contract(title: str, source: Source, wanted: Wanted, proving: Providers) -> dict[str, Any]:
    validation: dict[str, Any] = {"name": "api", "openapi": source.name}
    if _doubly(source, proving):
        validation["security"] = "ignore"
    elif any(scheme != name for scheme, name in proving.names.items()):
        validation["security"] = dict(proving.names)
    if wanted.unchecked:
        validation["unchecked"] = list(wanted.unchecked)
    bases = sorted({base for operation in source.description.operations for base in operation.bases})
    paths = ["/" + "/".join((*map(_plain, base), "**")) for base in bases]
    spec = {
        "description": f"Requests are as {source.name} describes them.",
        "match": [{**_hosts(wanted), "paths": paths}],
        "validate": [validation],
    }
    return _document("Guardrail", f"{title}-contract", spec)


def _doubly(source: Source, proving: Providers) -> list[str]:
    """Return the operations that ask for credentials of two providers at once, which no caller has."""
    return [
        operation
        for operation, alternatives in source.api.demands
        if all(len({proving.names[scheme] for scheme in each}) > 1 for each in alternatives)
    ]


def _policy(group: Group, proving: Providers, wanted: Wanted) -> dict[str, Any]:
    methods: dict[str, list[str]] = {}
    for _, operation in group.operations:
        for path in _paths(operation):
            methods.setdefault(path, []).append(operation.method)
    asked = [operation.security for _, operation in group.operations]
    names = sorted({name for each in asked for name in _provers(each, proving)})
    spec: dict[str, Any] = {
        "match": [{**_hosts(wanted), "paths": [path], "methods": given} for path, given in methods.items()]
    }
    if names:
        closed = all(each and () not in each for each in asked)
        spec["identity"] = {"providers": names, "required": closed}
    spec["rules"] = [{"name": name, "allow": _condition(operation, proving)} for name, operation in group.operations]
    return _document("Policy", group.name, spec)


def _hosts(wanted: Wanted) -> dict[str, Any]:
    return {"hosts": list(wanted.hosts)} if wanted.hosts else {}


def _paths(operation: Operation) -> list[str]:
    """Return the paths of an operation as `match` writes them."""
    parts = [each for each in operation.template.split("/") if each]
    own = [part if _CAPTURE.fullmatch(part) or "{" not in part else "*" for part in parts]
    return ["/" + "/".join((*map(_plain, base), *own)) for base in operation.bases]


def _condition(operation: Operation, proving: Providers) -> str:
    """Return the condition of an operation's rule."""
    globs = [re.sub(r"\{[^/]*\}", "*", path) for path in _paths(operation)]
    calls = " || ".join(f"request.path.glob({json.dumps(path, ensure_ascii=False)})" for path in globs)
    met = [_met(each, proving) for each in operation.security]
    terms = [f'request.method == "{operation.method}"', f"({calls})" if len(globs) > 1 else calls]
    if met and "" not in met:
        ways = list(dict.fromkeys(met))
        terms.append(ways[0] if len(ways) == 1 else "(" + " || ".join(map(_grouped, ways)) + ")")
    return " && ".join(terms)


def _met(alternative: Alternative, proving: Providers) -> str:
    """Return when one alternative of the security requirements is met; nothing for the one that asks nothing."""
    if not alternative:
        return ""
    names = sorted({proving.names[demand.scheme.name] for demand in alternative})
    terms = [
        f"identity.provider == {json.dumps(names[0])}"
        if len(names) == 1
        else f"identity.provider in {json.dumps(names)}"
    ]
    for held, scoped in (("identity.scopes", True), ("identity.scopes + identity.roles", False)):
        asked = sorted({one for each in alternative if (each.scheme.kind in _SCOPED) is scoped for one in each.scopes})
        if asked:
            terms.append(f"hasAll({held}, {json.dumps(asked, ensure_ascii=False)})")
    return " && ".join(terms)


def _grouped(condition: str) -> str:
    return f"({condition})" if " && " in condition else condition


def _provers(security: Sequence[Alternative], proving: Providers) -> Iterator[str]:
    return (proving.names[demand.scheme.name] for each in security for demand in each)


def _plain(segment: str) -> str:
    return segment.replace(" ", "%20")
