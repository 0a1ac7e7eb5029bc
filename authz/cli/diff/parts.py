"""What documents say, compared: every part by its name, every key by its value, wherever and however it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from authz.cli.diff.direction import (
    ACCEPTED,
    OPPOSITE,
    Direction,
    Part,
    of_accepted,
    of_key,
    of_mode,
    of_new_document,
    of_new_part,
)
from authz.cli.diff.flat import flat
from authz.model import Mode
from authz.policy.documents import Guardrail, Policy
from authz.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from authz.cli.diff.flat import Says
    from authz.policy.documents import Document

SHOWN = 12
"""Entries of a list that are shown; of a longer one, those that came and went."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is said otherwise: `before` is `None` where it is new, `after` where it is gone."""

    document: str
    part: str
    before: str | None
    after: str | None
    direction: Direction = Direction.EITHER


def changes(before: Iterable[Document], after: Iterable[Document]) -> tuple[Change, ...]:
    """Return what documents say otherwise, by document and part."""
    was = {f"{one.kind} {one.name}": one for one in before}
    now = {f"{one.kind} {one.name}": one for one in after}
    return tuple(change for name in sorted(was | now) for change in _document(name, was.get(name), now.get(name)))


def files(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> tuple[Change, ...]:
    """Return the files beside documents (schemas, keys, data) that are new, gone or others."""

    def size(content: bytes | None) -> str | None:
        return None if content is None else counted(len(content), "byte")

    return tuple(
        Change(document="file", part=name, before=size(before.get(name)), after=size(after.get(name)))
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    )


def _document(name: str, was: Document | None, now: Document | None) -> Iterator[Change]:
    if was is None and now is not None:
        yield Change(document=name, part="", before=None, after=_summary(now), direction=of_new_document(now))
    elif now is None and was is not None:
        gone = OPPOSITE[of_new_document(was)]
        yield Change(document=name, part="", before=_summary(was), after=None, direction=gone)
    elif was is not None and now is not None:
        in_force = all(_mode(one) is Mode.ENFORCE for one in (was, now))
        for change in (*_parts(name, was, now), *_keys(name, was, now)):
            yield change if in_force or change.part == "mode" else _quiet(change)


def _quiet(change: Change) -> Change:
    """Return a change of a document that is not in force: nothing it says reaches a request."""
    return msgspec.structs.replace(change, direction=Direction.NONE)


def _parts(name: str, was: Document, now: Document) -> Iterator[Change]:
    """Yield the changes of rules, limits and validations."""
    before, after = _named(was), _named(now)
    for part in sorted(before | after):
        old, new = before.get(part), after.get(part)
        if old is None and new is not None:
            yield Change(document=name, part=part, before=None, after=_told(new), direction=of_new_part(new))
        elif new is None and old is not None:
            gone = OPPOSITE[of_new_part(old)]
            yield Change(document=name, part=part, before=_told(old), after=None, direction=gone)
        elif old is not None and new is not None:
            yield from _inside(name, part, old, new)
    order = [[key for key in each if key in before and key in after] for each in (before, after)]
    if order[0] != order[1]:
        shown = [", ".join(each) for each in order]
        yield Change(document=name, part="order", before=shown[0], after=shown[1], direction=Direction.NONE)


def _inside(name: str, part: str, old: Part, new: Part) -> Iterator[Change]:
    was, now = flat(old), flat(new)
    for path in sorted(was.keys() | now.keys()):
        if was.get(path) != now.get(path):
            before, after = _shown(was.get(path), now.get(path))
            direction = of_key(path[0], old, new)
            where = "/".join((part, *path))
            yield Change(document=name, part=where, before=before, after=after, direction=direction)


def _keys(name: str, was: Document, now: Document) -> Iterator[Change]:
    """Yield the changes of everything else a document says."""
    old, new = _rest(was), _rest(now)
    for path in sorted(old.keys() | new.keys()):
        if old.get(path) != new.get(path):
            before, after = _shown(old.get(path), new.get(path))
            direction = _of_document(path, was, now, old.get(path), new.get(path))
            yield Change(document=name, part="/".join(path), before=before, after=after, direction=direction)


def _of_document(
    path: tuple[str, ...], was: Document, now: Document, before: Says | None, after: Says | None
) -> Direction:
    if path == ("mode",):
        return of_mode(of_new_document(was), of_new_document(now)) if isinstance(now, Guardrail) else Direction.EITHER
    if path == ("identity", "required"):
        return Direction.NARROWER if after == "true" else Direction.WIDER
    if path[-1] in ACCEPTED:
        return of_accepted(_list(before), _list(after))
    return Direction.EITHER


def _list(says: Says | None) -> tuple[str, ...]:
    return says if isinstance(says, tuple) else () if says is None else (says,)


def _named(document: Document) -> dict[str, Part]:
    """Return the parts of a document that have names, in their order."""
    if not isinstance(document, Policy | Guardrail):
        return {}
    spec = document.spec
    return {
        **{f"validate/{one.name}": one for one in spec.validations},
        **{f"rules/{one.name}": one for one in spec.rules},
        **{f"limits/{one.name}": one for one in spec.limits},
    }


def _rest(document: Document) -> dict[tuple[str, ...], Says]:
    """Return what a document says beside its named parts; whether an identity is required as it is in force."""
    spec = getattr(document, "spec", None)
    found = {} if spec is None else flat(spec)
    found = {path: says for path, says in found.items() if path[0] not in {"validate", "rules", "limits"}}
    if isinstance(document, Policy):
        identity = document.spec.identity
        required = bool(identity.providers) if identity.required is None else identity.required
        found["identity", "required"] = str(required).lower()
    return found


def _mode(document: Document) -> Mode:
    return document.spec.mode if isinstance(document, Policy | Guardrail) else Mode.ENFORCE


def _summary(document: Document) -> str:
    return ", ".join(_named(document)) or ", ".join(sorted({path[0] for path in _rest(document)}))


def _told(part: Part) -> str:
    said = flat(part)
    return "; ".join(f"{'/'.join(path)}: {_text(says)}" for path, says in said.items() if path != ("name",))


def _shown(before: Says | None, after: Says | None) -> tuple[str | None, str | None]:
    """Return both as texts; of long lists, only what came and went."""
    if isinstance(before, tuple) and isinstance(after, tuple) and max(len(before), len(after)) > SHOWN:
        gone, come = sorted(set(before) - set(after)), sorted(set(after) - set(before))
        had, has = (counted(len(each), "entry", "entries") for each in (before, after))
        return f"{had}, without {_few(gone)}", f"{has}, with {_few(come)}"
    return None if before is None else _text(before), None if after is None else _text(after)


def _few(entries: list[str]) -> str:
    return ", ".join(entries[:SHOWN]) + (f" and {len(entries) - SHOWN} more" if len(entries) > SHOWN else "")


def _text(says: Says) -> str:
    return says if isinstance(says, str) else ", ".join(says[:SHOWN]) + (" …" if len(says) > SHOWN else "")
