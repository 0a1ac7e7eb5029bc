"""What an answer changes, checked before it leaves.

Envoy answers 500, drops a header in silence or splits a header in two when it is told to write something that HTTP
cannot carry. Policies are checked where they are written; this is the last guard, and it knows only HTTP and Envoy:
an unfit mutation is a `ValueError`, and the answer becomes a denial.

Two fields of a header option say whether it appends. For request headers Envoy (1.40 as tried) reads only the older,
`append`: unset or false overwrites, and true adds nothing unless the header is there. So a request header is
appended to where there is one, and written where there is none.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from google.protobuf.struct_pb2 import NULL_VALUE

from authz._pb.envoy.config.core.v3.base_pb2 import HeaderValueOption
from authz.model import MAX_HEADER_BYTES, MAX_HEADERS, MAX_METADATA_DEPTH, MAX_QUERY_BYTES
from authz.paths import percent_encoded
from authz.wire.headers import is_token

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from collections.abc import Set as AbstractSet

    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer
    from google.protobuf.struct_pb2 import Struct, Value

    from authz._pb.envoy.service.auth.v3.external_auth_pb2 import OkHttpResponse
    from authz.model import HeaderMutation, Mutations

    Options = RepeatedCompositeFieldContainer[HeaderValueOption]

UNTOUCHABLE = frozenset(
    {
        *("host", "content-length", "transfer-encoding", "connection", "keep-alive", "proxy-connection"),
        *("te", "trailer", "upgrade"),
    }
)
"""Headers that route or frame the message: writing one would make Envoy and the next hop read it differently."""

_LARGEST = sys.float_info.max
_UNFIT = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\ud800-\udfff]")


def check(mutations: Mutations) -> None:
    """Raise `ValueError` where the mutations are more than Envoy takes by default (100 headers, 60 KiB)."""
    headers = (*mutations.request_headers, *mutations.response_headers)
    names = mutations.request_headers_remove
    if len(headers) + len(names) > MAX_HEADERS or sum(len(h.name) + len(h.value) for h in headers) > MAX_HEADER_BYTES:
        raise ValueError("more header mutations than Envoy takes")
    if sum(len(name) + len(value) for name, value in mutations.query_set) > MAX_QUERY_BYTES:
        raise ValueError("longer query parameters than Envoy takes")


def change_request(response: OkHttpResponse, mutations: Mutations, present: Collection[str]) -> None:
    """Write what an allow changes into Envoy's message; `present` are the names of the request's headers.

    A header that is written or removed is removed under its other spellings, too (see `_other_spellings`). Query
    parameters are escaped here: Envoy pastes them into the path as they come.
    """
    written: set[str] = set()
    for header in mutations.request_headers:
        option = _option(response.headers, header)
        name = option.header.key
        if header.append and (name in present or name in written):
            option.append.value = True
            option.append_action = HeaderValueOption.APPEND_IF_EXISTS_OR_ADD
        else:
            _overwrite(option)
        written.add(name)
    write_headers(response.response_headers_to_add, mutations.response_headers)
    response.headers_to_remove.extend(map(checked_name, mutations.request_headers_remove))
    response.headers_to_remove.extend(_other_spellings(written.union(mutations.request_headers_remove), present))
    for name, value in mutations.query_set:
        response.query_parameters_to_set.add(key=percent_encoded(name), value=percent_encoded(value))
    response.query_parameters_to_remove.extend(map(percent_encoded, mutations.query_remove))


def _other_spellings(names: AbstractSet[str], present: Collection[str]) -> Iterator[str]:
    """Yield the names of the request that some servers read as one of these: `x_user` and `x-user` are one to CGI.

    A caller could send the one beside the other that we write (CVE-2025-64484).
    """
    meant = {name.replace("_", "-").lower() for name in names}
    for name in present:
        if name not in names and name.replace("_", "-") in meant:
            yield name


def write_headers(options: Options, headers: Iterable[HeaderMutation]) -> None:
    """Write headers of the response on its way down: an append adds a line, whether or not there is one."""
    for header in headers:
        option = _option(options, header)
        if header.append:
            option.append_action = HeaderValueOption.APPEND_IF_EXISTS_OR_ADD
        else:
            _overwrite(option)


def _option(options: Options, header: HeaderMutation) -> HeaderValueOption:
    option = options.add()
    option.header.key = checked_name(header.name)
    option.header.value = checked_value(header.value)
    return option


def _overwrite(option: HeaderValueOption) -> None:
    """Say "overwrite" in both fields: the defaults of the two disagree, and which one counts depends on the Envoy."""
    option.append.value = False
    option.append_action = HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD


@lru_cache(maxsize=1024)
def checked_name(name: str) -> str:
    """Return a header name in lower case; raise `ValueError` for a pseudo header, no token, or an untouchable one."""
    if not is_token(name) or name.lower() in UNTOUCHABLE:
        raise ValueError("a header that cannot be written")
    return name.lower()


def checked_value(value: str) -> str:
    """Return a header value without the whitespace around it, which is no part of it (RFC 9110, 5.5)."""
    if _UNFIT.search(value):
        raise ValueError("a header value with a control character")
    return value.strip(" \t")


def fill_struct(struct: Struct, values: Mapping[str, object], depth: int = 1) -> None:
    """Write plain values into a protobuf Struct; raise `ValueError` for what JSON cannot say or readers refuse."""
    if depth > MAX_METADATA_DEPTH:
        raise ValueError("metadata nested too deep")
    for name, value in values.items():
        if not isinstance(name, str):
            raise ValueError("metadata under a key that is no text")
        _fill_value(struct.fields[name], value, depth)


def _fill_value(target: Value, value: object, depth: int) -> None:
    match value:
        case None:
            target.null_value = NULL_VALUE
        case bool():
            target.bool_value = value
        case int() | float():
            target.number_value = _finite(value)
        case str():
            target.string_value = value
        case Mapping():
            target.struct_value.SetInParent()
            fill_struct(target.struct_value, value, depth + 1)
        case list() | tuple():
            _fill_list(target, value, depth + 1)
        case _:
            raise ValueError(f"metadata of the type {type(value).__name__}")


def _fill_list(target: Value, values: Iterable[object], depth: int) -> None:
    if depth > MAX_METADATA_DEPTH:
        raise ValueError("metadata nested too deep")
    target.list_value.SetInParent()
    for value in values:
        _fill_value(target.list_value.values.add(), value, depth)


def _finite(number: float) -> float:
    if not -_LARGEST <= number <= _LARGEST:
        raise ValueError("metadata that is no finite number")
    return float(number)
