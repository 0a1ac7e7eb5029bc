"""From the bytes of one file to its documents and its faults.

Nothing is compiled here and no other file is looked at: what a file reads as depends on its path and content only,
and can be kept as long as they stay. A document with any fault is not among the documents: half a policy is none. What
it leaves behind is there for the sake of more faults: the rest of it to look at, its name for those who rely on it.
"""

from __future__ import annotations

import collections.abc
from collections.abc import Callable, Iterator
from itertools import islice

import msgspec
from pydantic import ValidationError

from authz.errors import Fault
from authz.policy.codes import Code
from authz.policy.documents import API_VERSION, KINDS, Document, Guardrail, Policy
from authz.policy.documents.faults import told
from authz.policy.documents.tests import PolicyTest
from authz.policy.documents.values import nearest
from authz.policy.remains import remains
from authz.policy.source import Mapping, Node, Scalar, Sequence, Text, quoted
from authz.policy.yaml import MAX_FAULTS, compose

Kinds = collections.abc.Mapping[str, type[Document]]

TESTS: Kinds = {"PolicyTest": PolicyTest}
"""The kinds of a file of tests."""

_NONE = f"remove it, or begin with apiVersion: {API_VERSION}"

_ELSEWHERE = {
    **dict.fromkeys(TESTS, "a {} belongs in a file whose name ends in _test.yaml"),
    **dict.fromkeys(KINDS, "a {} is served, and belongs in a file whose name does not end in _test.yaml"),
}
"""Kinds that are known and belong in the other sort of file."""


class FileReading(msgspec.Struct, frozen=True, kw_only=True):
    """What one file says: the documents that are whole, and every fault of those that are not.

    Of these `rest` is what else can be looked at, and `broken` their kinds and names.
    """

    file: str
    documents: tuple[Document, ...] = ()
    rest: tuple[Policy | Guardrail, ...] = ()
    broken: tuple[tuple[str, Text], ...] = ()
    faults: tuple[Fault, ...] = ()


def is_policy_file(path: str) -> bool:
    """Tell whether a file holds documents to serve: YAML, no tests, nothing that a ConfigMap hides behind `..`.

    What a document names as its data (`{file: plans.yaml}`) is none either, but only its documents know.
    """
    hidden = any(part.startswith("..") and part != ".." for part in path.split("/"))
    return path.endswith((".yaml", ".yml")) and not is_test_file(path) and not hidden


def is_test_file(path: str) -> bool:
    """Tell whether a file holds tests, which are not served."""
    return path.endswith(("_test.yaml", "_test.yml"))


def read(path: str, content: bytes, kinds: Kinds = KINDS, *, pause: Callable[[], None] = lambda: None) -> FileReading:
    """Return the documents of one file, which are of these kinds, and all its faults.

    `pause` is called between documents, for those who read beside the serving of requests.
    """
    composed = compose(path, content, pause=pause)
    documents: list[Document] = []
    rest: list[Policy | Guardrail] = []
    broken: list[tuple[str, Text]] = []
    faults = list(composed.faults)
    if not composed.documents and not faults:
        faults.append(Fault(file=path, code=Code.EMPTY, message="the file holds no document", hint=_NONE))
    for number, node in enumerate(composed.documents):
        found, wrong = _document(node, kinds)
        faults.extend(wrong)
        if found is not None and not wrong and number not in composed.broken:
            documents.append(found)
        else:
            broken.extend(_named(node))
            rest.extend([found] if isinstance(found, Policy | Guardrail) else [])
        pause()
    return FileReading(
        file=path,
        documents=tuple(documents),
        rest=tuple(rest),
        broken=tuple(broken),
        faults=tuple(sorted(faults)[:MAX_FAULTS]),
    )


def _document(node: Node, kinds: Kinds) -> tuple[Document | None, list[Fault]]:
    """Return a document, or what remains of it, and its faults."""
    faults = list(_head(node, kinds))
    if faults or not isinstance(node, Mapping):
        return None, faults
    model = kinds[str(node["kind"])]
    try:
        return model.model_validate(node, context=faults), faults
    except ValidationError as error:
        places = {(fault.line, fault.column) for fault in faults}
        more = (fault for fault in told(error, node, model) if (fault.line, fault.column) not in places)
        faults.extend(islice(more, MAX_FAULTS))
        return remains(node, model, error) if issubclass(model, Policy | Guardrail) else None, faults


def _named(node: Node) -> Iterator[tuple[str, Text]]:
    """Yield the kind and the name of a document at fault, where it says that it is one and what it is called."""
    if isinstance(node, Mapping) and not any(_head(node, KINDS)):
        metadata = node.get("metadata")
        name = metadata.get("name") if isinstance(metadata, Mapping) else None
        if isinstance(name, Text):
            yield str(node["kind"]), name


def _head(node: Node, kinds: Kinds) -> Iterator[Fault]:
    """Yield what keeps a node from being read as a document at all."""
    if not isinstance(node, Mapping):
        listed = "a list is read where a document names its file, and none that can be read does"
        hint = listed if isinstance(node, Sequence) else ""
        yield node.fault(Code.TYPE, f"expected a document, not {node.SHOWN}", hint=hint)
        return
    yield from _one_of(node, "apiVersion", (API_VERSION,), Code.API_VERSION)
    kind = node.get("kind")
    if isinstance(kind, Text) and kind in _ELSEWHERE and kind not in kinds:
        yield kind.fault(Code.UNAVAILABLE, _ELSEWHERE[kind].format(kind))
    else:
        yield from _one_of(node, "kind", tuple(kinds), Code.KIND)


def _one_of(node: Mapping, key: str, known: tuple[str, ...], code: Code) -> Iterator[Fault]:
    """Yield a fault unless the key says a known word."""
    value = node.get(key)
    if value is None:
        misspelled = next((written for written in node.written() if nearest(written, (key,))), None)
        place: Text | Mapping = misspelled or node
        hint = f"write {key}: {known[0]}" if len(known) == 1 else f"one of {', '.join(known)}"
        yield place.fault(code, f'the document has no "{key}"', hint=hint)
    elif not isinstance(value, Scalar):
        yield node.key(key).fault(code, f'"{key}" is a text')
    elif value not in known:
        meant = nearest(value, known)
        hint = f'did you mean "{meant}"?' if meant else f"one of {', '.join(known)}"
        yield value.fault(code, f"{quoted(value)} is no {key} known here", hint=hint)
