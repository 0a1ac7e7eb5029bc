"""The message of a gRPC call: one whole message by its descriptor, or no value."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from authz.errors import PolicyFaults
from authz.model import BodyState, Effect
from authz.policy import Compiler
from authz.policy.facts import Facts, UnboundError
from authz.policy.messages import Messages, grpc_message
from tests.policy.conftest import facts_of, request_of

KINDS = {
    "id": FieldDescriptorProto.TYPE_INT64,
    "big": FieldDescriptorProto.TYPE_UINT64,
    "sku": FieldDescriptorProto.TYPE_STRING,
    "raw": FieldDescriptorProto.TYPE_BYTES,
    "gift": FieldDescriptorProto.TYPE_BOOL,
    "price": FieldDescriptorProto.TYPE_DOUBLE,
}


def file_of(package: str = "shop.v1") -> FileDescriptorProto:
    """Return orders with lines, notes by name and a state; `Place` takes one, `Stream` many."""
    file = FileDescriptorProto(name="orders.proto", package=package, syntax="proto3")
    state = file.enum_type.add(name="State")
    state.value.add(name="NEW", number=0)
    state.value.add(name="PAID", number=1)
    order = file.message_type.add(name="Order")
    for number, (name, kind) in enumerate(KINDS.items(), 1):
        order.field.add(name=name, number=number, type=kind, label=FieldDescriptorProto.LABEL_OPTIONAL)
    kind, one, many = (
        FieldDescriptorProto.TYPE_MESSAGE,
        FieldDescriptorProto.LABEL_OPTIONAL,
        FieldDescriptorProto.LABEL_REPEATED,
    )
    order.field.add(
        name="state", number=10, type=FieldDescriptorProto.TYPE_ENUM, type_name=f".{package}.State", label=one
    )
    order.field.add(name="gift_for", number=11, type=kind, type_name=f".{package}.Order", label=one)
    order.field.add(name="lines", number=12, type=kind, type_name=f".{package}.Order", label=many)
    order.field.add(name="tags", number=13, type=FieldDescriptorProto.TYPE_STRING, label=many)
    order.field.add(name="notes", number=14, type=kind, type_name=f".{package}.Order.NotesEntry", label=many)
    entry = order.nested_type.add(name="NotesEntry")
    entry.options.map_entry = True
    for number, name in enumerate(("key", "value"), 1):
        entry.field.add(name=name, number=number, type=FieldDescriptorProto.TYPE_STRING, label=one)
    service = file.service.add(name="Orders")
    service.method.add(name="Place", input_type=f".{package}.Order", output_type=f".{package}.Order")
    service.method.add(
        name="Stream", input_type=f".{package}.Order", output_type=f".{package}.Order", client_streaming=True
    )
    return file


DESCRIPTORS = FileDescriptorSet(file=[file_of()]).SerializeToString()
POOL = DescriptorPool()
POOL.Add(file_of())
ORDER: Any = GetMessageClass(POOL.FindMessageTypeByName("shop.v1.Order"))


def frame(content: bytes, flag: int = 0, length: int | None = None) -> bytes:
    """Return a message as gRPC frames it."""
    return struct.pack(">BI", flag, len(content) if length is None else length) + content


def called(body: bytes, method: str = "Place", *descriptors: bytes, **words: Any) -> Facts:
    """Return the facts of a call."""
    headers = {"content-type": "application/grpc", **words.pop("headers", {})}
    request = request_of({"method": "POST", "path": f"/shop.v1.Orders/{method}", "headers": headers})
    state = {"body": body, "body_state": BodyState(words.pop("body_state", "complete"))}
    facts = facts_of(replace(request, **state))
    messages = tuple(map(Messages, descriptors or (DESCRIPTORS,)))
    return replace(facts, messages=messages)


def test_a_message_is_its_fields_by_name() -> None:
    """Whole numbers are exact, enums are names, maps are maps; what is not there and could be is left out."""
    order = ORDER(id=2**62 + 1, big=2**64 - 1, sku="a", raw=b"\xff", price=1.5, state=1, tags=["x"], notes={"k": "v"})
    order.lines.add(sku="b")
    line = {"id": 0, "big": 0, "sku": "b", "raw": b"", "gift": False, "price": 0.0, "state": "NEW"}
    assert grpc_message(called(frame(order.SerializeToString()))) == {
        "id": 2**62 + 1, "big": 2**64 - 1, "sku": "a", "raw": b"\xff", "gift": False, "price": 1.5, "state": "PAID",
        "lines": [line | {"lines": [], "tags": [], "notes": {}}], "tags": ["x"], "notes": {"k": "v"},
    }  # fmt: skip
    assert grpc_message(called(frame(b"\x50\x07")))["state"] == 7  # type: ignore[index]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"\0", b"\0\0\0\0", frame(b"", length=1), frame(b"\x08\x01", length=1), frame(b"\x08\x01", length=3),
        frame(b"\x08\x01", flag=1), frame(b"\x08\x01", flag=2), frame(b"\x08\x01") * 2, frame(b"") + b"\0",
        frame(b"\x08"), frame(b"\x1a\x05a"), frame(b"\x1a\x01\xff"), b"\x08\x01", frame(b"\x0b"),
        frame(b"\x5a\x02" * 3), frame(b"", length=2**32 - 1),
    ],
)  # fmt: skip
def test_a_frame_that_is_not_one_whole_message(body: bytes) -> None:
    """B10: cut off, too long, compressed, followed by another, or no message of its type."""
    with pytest.raises(UnboundError):
        grpc_message(called(body))


@pytest.mark.parametrize(
    "words",
    [
        {"body_state": "truncated"},
        {"body_state": "unavailable"},
        {"headers": {"content-type": "application/grpc-web+proto"}},
        {"headers": {"content-type": "application/grpc+json"}},
        {"headers": {"content-type": "application/json"}},
        {"method": "Stream"},
        {"method": "Other"},
    ],
)
def test_a_call_whose_message_cannot_be_told(words: Mapping[str, Any]) -> None:
    """B10: half a body, another encoding, a stream, a method that nobody described."""
    with pytest.raises(UnboundError):
        grpc_message(called(frame(b""), **{"method": "Place", **words}))


def test_descriptors_that_disagree_see_nothing() -> None:
    """One team's file cannot change what another's rule reads; the same file twice is one."""
    other = file_of()
    other.message_type[0].field[2].name = "product"
    changed = FileDescriptorSet(file=[other]).SerializeToString()
    assert grpc_message(called(frame(b""), "Place", DESCRIPTORS, DESCRIPTORS))
    with pytest.raises(UnboundError):
        grpc_message(called(frame(b""), "Place", DESCRIPTORS, changed))


@given(st.binary(max_size=60))
def test_no_message_is_more_than_an_error(content: bytes) -> None:
    """Whatever is in the frame: fields of the message, or no value."""
    try:
        found = grpc_message(called(frame(content)))
    except UnboundError:
        return
    assert isinstance(found, dict)


POLICY = """
apiVersion: authz/v1
kind: Policy
metadata: {name: p}
spec:
  match: [{paths: ["/shop.v1.Orders/*"]}]
  descriptors: orders.pb
  rules:
    - name: small
      allow: request.grpc_message.id < 10 && request.grpc_message.lines.all(line, line.sku != "gold")
"""


def test_rules_read_messages(compiler: Compiler) -> None:
    """From a file beside the policy; without a message there is no allow."""
    policies = compiler.compile({"p.yaml": POLICY.encode(), "orders.pb": DESCRIPTORS})
    small, large, gold = ORDER(id=9), ORDER(id=11), ORDER(id=1)
    gold.lines.add(sku="gold")
    effects = []
    for body in (*(frame(order.SerializeToString()) for order in (small, large, gold)), b""):
        facts = called(body)
        effects.append(policies.select(facts.request).decide(replace(facts, messages=())).effect)
    assert effects == [Effect.ALLOW, Effect.DENY, Effect.DENY, Effect.DENY]
    assert policies.needs.bodies


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"not a descriptor", "AZ209"), (b"", "AZ209"), (None, "AZ118"), ("missing import", "AZ209")],
)
def test_descriptors_that_cannot_be_used_are_a_fault(content: Any, code: str, compiler: Compiler) -> None:
    """Found when the policy is read: no set, an empty one, none at all, one without what it imports."""
    if content == "missing import":
        lonely = file_of()
        lonely.dependency.append("google/protobuf/timestamp.proto")
        content = FileDescriptorSet(file=[lonely]).SerializeToString()
    files = {"p.yaml": POLICY.encode()} | ({} if content is None else {"orders.pb": content})
    with pytest.raises(PolicyFaults) as refused:
        compiler.compile(files)
    assert [str(fault.code) for fault in refused.value.faults] == [code]


def test_a_message_that_nobody_describes_is_a_fault(serve: Callable[..., Any]) -> None:
    """It would be an error in every request."""
    with pytest.raises(PolicyFaults) as refused:
        serve(POLICY.replace("  descriptors: orders.pb\n", ""))
    assert [str(fault.code) for fault in refused.value.faults] == ["AZ209"]
