"""The slow decoder and protobuf's own agree on what a message is and on what it says."""

from __future__ import annotations

from typing import Any

import pytest
from decoder import UndecodableError, decode
from google.protobuf.message import DecodeError, Message
from mutations import SEEDS, cases

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckRequest


def fields_of(message: Message) -> dict[str, Any]:
    """Return a parsed message as the decoder would."""
    return {field.name: _plain(field, value) for field, value in message.ListFields()}


def _plain(field: Any, value: Any) -> Any:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return {key: fields_of(one) if isinstance(one, Message) else one for key, one in value.items()}
    if field.is_repeated:
        return [fields_of(one) if isinstance(one, Message) else one for one in value]
    return fields_of(value) if isinstance(value, Message) else value


def without_defaults(value: Any) -> Any:
    """Drop what says nothing: protobuf does not list a field that has its default."""
    if isinstance(value, dict):
        return {
            key: kept for key, one in value.items() if (kept := without_defaults(one)) not in (0, "", b"", False, {})
        }
    return [without_defaults(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("seed", range(3))
def test_they_agree_on_every_case(seed: int) -> None:
    """What one can't decode the other can't, and what both can says the same about the request."""
    for data in (*SEEDS, *cases(700, seed)):
        try:
            expected = CheckRequest.FromString(data).attributes.request.http
        except DecodeError:
            with pytest.raises(UndecodableError):
                decode(data, CheckRequest.DESCRIPTOR)
            continue
        found = decode(data, CheckRequest.DESCRIPTOR).get("attributes", {}).get("request", {}).get("http", {})
        assert without_defaults(found) == without_defaults(fields_of(expected))


@pytest.mark.parametrize(
    "data", [b"\x0a", b"\x0a\x05\x01", b"\x00\x01", b"\x0e", b"\x0c", b"\x0b", b"\xff" * 11, b"\x0a\x02\x0b\x0b"]
)
def test_broken_bytes_are_no_message(data: bytes) -> None:
    """Cut lengths, field 0, a wire type that is none, groups without begin or end, a number that does not end."""
    with pytest.raises(UndecodableError):
        decode(data, CheckRequest.DESCRIPTOR)
