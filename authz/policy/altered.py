"""The same policies over other data: what they would decide if a set, a list or a map said something else.

For those who try policies. Nothing is compiled again, so what takes the place of data has to be of its type.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from authz.cel import STRING_SET, StringSet
from authz.model import Mode
from authz.policy.codes import Code
from authz.policy.data import datum
from authz.policy.deciding.arranging import arrange
from authz.policy.deciding.memo import Remembered
from authz.policy.deciding.places import DATA
from authz.policy.documents.grammar import Unfit
from authz.policy.documents.values import nearest
from authz.policy.faults import Together
from authz.policy.files import Files
from authz.policy.routing.index import Index

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from authz.errors import Fault
    from authz.policy.compiled import Document
    from authz.policy.deciding.plan import Plan, World
    from authz.policy.documents import DataSpec
    from authz.policy.routing.entries import Entry
    from authz.policy.source import Text


def altered(world: World, data: Mapping[Text, DataSpec]) -> World:
    """Return a world in which some data says something else; raise `Unfit` with every fault of it."""
    faults: list[Fault] = []
    values = dict(world.data)
    for name, spec in data.items():
        try:
            values[DATA + name] = _value(world, name, spec)
        except Unfit as unfit:
            faults += unfit.faults
    if faults:
        raise Unfit(*faults)
    return replace(world, data=values, remembered=Remembered())


def indexed(governed: Sequence[Entry[Document]], world: World) -> Index[Document, Plan]:
    """Return the index of the documents that are not off, in a world of its own."""
    there = [entry for entry in governed if entry.document.mode is not Mode.OFF]
    plan = partial(arrange, world=world)
    return Index(plan).updated(plan, [], there)


def _value(world: World, name: Text, spec: DataSpec) -> object:
    known = [each.removeprefix(DATA) for each in world.data]
    if name not in known:
        meant = nearest(name, known)
        hint = f'did you mean "{meant}"?' if meant else "the policies have no data of this name"
        raise Unfit(name.fault(Code.UNNAMED, f'no data is called "{name}"', hint=hint))
    wanted = world.environment.variables[DATA + name]
    if wanted == STRING_SET and spec.values == []:
        return StringSet([])  # a list of nothing has no type of its own
    made = datum(spec, Files({}))
    if made.type != wanted:
        message = f'"{name}" is a {wanted} to the policies, and a {made.type} here'
        raise Unfit(name.fault(Together.DATA, message))
    return made.value
