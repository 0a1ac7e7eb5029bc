"""The one message of a gRPC call, read by descriptors that a policy names; exactly, or not at all.

A body is one frame (gRPC over HTTP/2, "Length-Prefixed-Message"): a byte that says whether it is compressed, four of
length, the message. What is compressed, cut off, followed by another message or said to be a stream has more than one
reading here, or none. What descriptors do not know of a message cannot be seen; descriptors that disagree see nothing.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from authz.model import BodyState
from authz.policy.calls import grpc
from authz.policy.facts import UnboundError

if TYPE_CHECKING:
    from google.protobuf.descriptor import MethodDescriptor

    from authz.policy.facts import Facts

VARIABLE = "request.grpc_message"
HEADER = 5
"""Bytes before a message."""

_READABLE = ("application/grpc", "application/grpc+proto")


class Messages:
    """The methods that one file describes (a `FileDescriptorSet`, with all that its files import)."""

    def __init__(self, content: bytes) -> None:
        self.digest = hashlib.sha256(content).digest()
        self._pool = DescriptorPool()
        try:
            files = FileDescriptorSet.FromString(content).file
            for file in files:
                self._pool.Add(file)
            for file in files:
                self._pool.FindFileByName(file.name)
        except (DecodeError, KeyError, TypeError) as error:
            raise ValueError("it is no set of descriptors, or lacks what its files import") from error
        if not files:
            raise ValueError("it describes nothing")

    def method(self, service: str, name: str) -> MethodDescriptor | None:
        """Return a method, `None` where the file does not describe it."""
        try:
            return self._pool.FindServiceByName(service).FindMethodByName(name)
        except KeyError:
            return None


def grpc_message(facts: Facts) -> object:
    """Return the message of a gRPC call as plain values; raise `UnboundError` where it is not one that can be read."""
    called = grpc(facts)
    media_type = facts.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in _READABLE:
        raise UnboundError("the request is no gRPC call in protobuf")
    found = [(each.digest, method) for each in facts.messages if (method := each.method(called.service, called.method))]
    if not found:
        raise UnboundError("no descriptors describe the method")
    if len({digest for digest, _ in found}) > 1:
        raise UnboundError("several files of descriptors describe the method")
    method = found[0][1]
    if method.client_streaming:
        raise UnboundError("the method takes a stream of messages")
    message = GetMessageClass(method.input_type)()
    try:
        message.ParseFromString(_unframed(facts))
    except DecodeError:
        raise UnboundError("the message is not what its descriptor says") from None
    return _plain(message)


def _unframed(facts: Facts) -> bytes:
    request = facts.request
    if request.body_state is not BodyState.COMPLETE:
        raise UnboundError(f"the body is {request.body_state}")
    body = request.body
    if len(body) < HEADER or len(body) != HEADER + int.from_bytes(body[1:HEADER], "big"):
        raise UnboundError("the body is not one whole message")
    if body[0]:
        raise UnboundError("the message is compressed")
    return body[HEADER:]


def _plain(message: Message) -> dict[str, object]:
    """Return a message by its fields' own names; one that knows whether it is there is left out where it is not."""
    return {
        field.name: _field(field, getattr(message, field.name))
        for field in message.DESCRIPTOR.fields
        if not field.has_presence or message.HasField(field.name)
    }


def _field(field: Any, value: Any) -> object:  # noqa: ANN401 - what protobuf holds, by a descriptor of either kind
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        return {key: _value(kind.fields_by_name["value"], each) for key, each in value.items()}
    return [_value(field, each) for each in value] if field.is_repeated else _value(field, value)


def _value(field: Any, value: Any) -> object:  # noqa: ANN401 - as above
    """Return one value: enums by name, as far as they have one."""
    if field.message_type is not None:
        return _plain(value)
    if field.enum_type is not None:
        named = field.enum_type.values_by_number.get(value)
        return value if named is None else named.name
    return value
