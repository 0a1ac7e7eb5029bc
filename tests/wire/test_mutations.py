"""Nothing we emit can break the checks Envoy makes of it."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct
from hypothesis import given
from hypothesis import strategies as st

from authz._pb.envoy.config.core.v3.base_pb2 import HeaderValueOption
from authz._pb.envoy.service.auth.v3.external_auth_pb2 import OkHttpResponse
from authz.model import HeaderMutation, Mutations
from authz.wire import mutations

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

TCHAR = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
FIELD_VALUE = re.compile(r"(?:[\x21-\x7e\x80-\uffff](?:[\t\x20-\x7e\x80-\uffff]*[\x21-\x7e\x80-\uffff])?)?")
"""RFC 9110, 5.6.2 and 5.5, with bytes above ASCII as the characters they encode."""


def changed(present: Collection[str] = (), **changes: object) -> OkHttpResponse:
    """Return Envoy's message for mutations of a request with headers of the names `present`."""
    response = OkHttpResponse()
    mutations.change_request(response, Mutations(**changes), present)
    return response


def test_an_overwrite_says_so_to_every_envoy() -> None:
    """Row I8: `append` is present and false, and the action overwrites or adds."""
    option = changed(request_headers=(HeaderMutation(name="X-User", value="bob"),)).headers[0]
    assert (option.header.key, option.header.value) == ("x-user", "bob")
    assert option.HasField("append")
    assert option.append.value is False
    assert option.append_action == HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD


def test_an_append_to_the_request_joins_what_is_there() -> None:
    """Row I8: `append: true` adds nothing where there is no header, so there the header is written instead."""
    headers = tuple(HeaderMutation(name=name, value="b", append=True) for name in ("X-Seen", "x-new"))
    there, new = changed(present={"x-seen"}, request_headers=headers).headers
    assert (there.append.value, there.append_action) == (True, HeaderValueOption.APPEND_IF_EXISTS_OR_ADD)
    assert (new.HasField("append"), new.append.value) == (True, False)
    assert new.append_action == HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD


def test_two_appends_of_a_new_header_both_arrive() -> None:
    """The first writes the header, the second finds it there."""
    headers = tuple(HeaderMutation(name="via", value=value, append=True) for value in "ab")
    assert [option.append.value for option in changed(request_headers=headers).headers] == [False, True]


def test_what_is_written_or_removed_has_one_spelling() -> None:
    """Row H4: a caller's `x_user` beside our `x-user` is one header to CGI, so it goes, and nothing else does."""
    present = ("x_user", "x-user", "x_user_id", "user", "x_role", "x__user")
    written = changed(present=present, request_headers=(HeaderMutation(name="x-user", value="bob"),))
    assert list(written.headers_to_remove) == ["x_user"]
    removed = changed(present=present, request_headers_remove=("x-role", "x-user"))
    assert list(removed.headers_to_remove) == ["x-role", "x-user", "x_user", "x_role"]
    ours = changed(present=("x-user",), request_headers=(HeaderMutation(name="x_user", value="bob"),))
    assert list(ours.headers_to_remove) == ["x-user"]


def test_an_append_to_the_response_adds_a_line() -> None:
    """Row I8: on the way down Envoy reads the action where the deprecated field is unset, and adds in any case."""
    option = changed(response_headers=(HeaderMutation(name="via", value="a", append=True),)).response_headers_to_add[0]
    assert not option.HasField("append")
    assert option.append_action == HeaderValueOption.APPEND_IF_EXISTS_OR_ADD


@pytest.mark.parametrize(
    "name",
    [":path", ":authority", "host", "Host", "content-length", "connection", "transfer-encoding", "te", "", "a b", "ä"],
)
def test_names_that_cannot_be_written(name: str) -> None:
    """Rows E4, E6, E7: no pseudo header, no `Host`, nothing that frames the message, no name that is no token."""
    header = (HeaderMutation(name=name, value="x"),)
    for changes in ({"request_headers": header}, {"response_headers": header}, {"request_headers_remove": (name,)}):
        with pytest.raises(ValueError, match="cannot be written"):
            changed(**changes)


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b", "\x1b[0m", "a\x7fb", "a\x85b", "\ud800"])
def test_values_that_cannot_be_written(value: str) -> None:
    """Rows E6, J11: a control character would end the header for somebody."""
    with pytest.raises(ValueError, match="control character"):
        changed(request_headers=(HeaderMutation(name="x", value=value),))


@given(st.text(), st.text())
def test_every_header_written_is_one_http_can_carry(name: str, value: str) -> None:
    """Row E6: whatever a policy asks for is refused or passes RFC 9110's grammar."""
    try:
        response = changed(request_headers=(HeaderMutation(name=name, value=value),))
    except ValueError:
        return
    header = response.headers[0].header
    assert TCHAR.fullmatch(header.key)
    assert FIELD_VALUE.fullmatch(header.value.replace("\U0010ffff", "x")) or not header.value.isascii()
    assert header.value == value.strip(" \t")


@given(st.text(), st.text())
def test_query_parameters_are_escaped(name: str, value: str) -> None:
    """Row E6: Envoy pastes them into the path, so nothing in them may begin another parameter or another line."""
    response = changed(query_set=((name, value),), query_remove=(name,))
    written = response.query_parameters_to_set[0]
    for text in (written.key, written.value, response.query_parameters_to_remove[0]):
        assert re.fullmatch(r"(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})*", text)


@pytest.mark.parametrize(
    "changes",
    [
        {"request_headers": tuple(HeaderMutation(name=f"x-{n}", value="") for n in range(101))},
        {"request_headers_remove": tuple(f"x-{n}" for n in range(101))},
        {"response_headers": (HeaderMutation(name="x", value="a" * 61_440),)},
        {"query_set": (("x", "a" * 61_440),)},
    ],
)
def test_more_than_envoy_takes_is_refused(changes: Mapping[str, object]) -> None:
    """Row E6: 100 headers and 60 KiB are Envoy's defaults; beyond them it answers 500."""
    with pytest.raises(ValueError, match="than Envoy takes"):
        mutations.check(Mutations(**changes))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_metadata_reads_back(values: dict[str, object]) -> None:
    """Any JSON object arrives in Envoy's metadata as it is."""
    struct = Struct()
    mutations.fill_struct(struct, values)
    assert MessageToDict(Struct.FromString(struct.SerializeToString())) == values


def nested(depth: int, wrap: Callable[[object], object]) -> object:
    """Return values in values."""
    value: object = 1
    for _ in range(depth):
        value = wrap(value)
    return value


LISTS = nested(40, lambda value: [value])
MAPS = nested(40, lambda value: {"a": value})


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, b"bytes", object(), {1: 2}, LISTS, MAPS, {"a": LISTS}, "\ud800", {"\ud800": 1}, 10**400],
    ids=lambda value: repr(value)[:20].encode("ascii", "replace").decode(),
)
def test_metadata_that_readers_refuse(value: object) -> None:
    """Row H13: what is no JSON, or nested deeper than a protobuf parser goes, never reaches Envoy."""
    with pytest.raises(ValueError, match=r"metadata|surrogates"):
        mutations.fill_struct(Struct(), {"x": value})
