# mypy: ignore-errors
import datetime

from authz._pb.envoy.service.auth.v3 import attribute_context_pb2 as _attribute_context_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Vocabulary(_message.Message):
    __slots__ = ("request", "source", "client", "destination", "route", "identity", "metadata", "attributes")
    class Request(_message.Message):
        __slots__ = ("method", "scheme", "host", "port", "path", "segments", "params", "url", "protocol", "id", "time", "query", "query_one", "headers", "headers_all", "body", "json", "body_state", "mcp", "grpc", "graphql", "is_upgrade", "grpc_message")
        class ParamsEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[int]
            VALUE_FIELD_NUMBER: _ClassVar[int]
            key: str
            value: str
            def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
        class QueryEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[int]
            VALUE_FIELD_NUMBER: _ClassVar[int]
            key: str
            value: Strings
            def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Strings, _Mapping]] = ...) -> None: ...
        class QueryOneEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[int]
            VALUE_FIELD_NUMBER: _ClassVar[int]
            key: str
            value: str
            def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
        class HeadersEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[int]
            VALUE_FIELD_NUMBER: _ClassVar[int]
            key: str
            value: str
            def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
        class HeadersAllEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[int]
            VALUE_FIELD_NUMBER: _ClassVar[int]
            key: str
            value: Strings
            def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Strings, _Mapping]] = ...) -> None: ...
        METHOD_FIELD_NUMBER: _ClassVar[int]
        SCHEME_FIELD_NUMBER: _ClassVar[int]
        HOST_FIELD_NUMBER: _ClassVar[int]
        PORT_FIELD_NUMBER: _ClassVar[int]
        PATH_FIELD_NUMBER: _ClassVar[int]
        SEGMENTS_FIELD_NUMBER: _ClassVar[int]
        PARAMS_FIELD_NUMBER: _ClassVar[int]
        URL_FIELD_NUMBER: _ClassVar[int]
        PROTOCOL_FIELD_NUMBER: _ClassVar[int]
        ID_FIELD_NUMBER: _ClassVar[int]
        TIME_FIELD_NUMBER: _ClassVar[int]
        QUERY_FIELD_NUMBER: _ClassVar[int]
        QUERY_ONE_FIELD_NUMBER: _ClassVar[int]
        HEADERS_FIELD_NUMBER: _ClassVar[int]
        HEADERS_ALL_FIELD_NUMBER: _ClassVar[int]
        BODY_FIELD_NUMBER: _ClassVar[int]
        JSON_FIELD_NUMBER: _ClassVar[int]
        BODY_STATE_FIELD_NUMBER: _ClassVar[int]
        MCP_FIELD_NUMBER: _ClassVar[int]
        GRPC_FIELD_NUMBER: _ClassVar[int]
        GRAPHQL_FIELD_NUMBER: _ClassVar[int]
        IS_UPGRADE_FIELD_NUMBER: _ClassVar[int]
        GRPC_MESSAGE_FIELD_NUMBER: _ClassVar[int]
        method: str
        scheme: str
        host: str
        port: int
        path: str
        segments: _containers.RepeatedScalarFieldContainer[str]
        params: _containers.ScalarMap[str, str]
        url: str
        protocol: str
        id: str
        time: _timestamp_pb2.Timestamp
        query: _containers.MessageMap[str, Strings]
        query_one: _containers.ScalarMap[str, str]
        headers: _containers.ScalarMap[str, str]
        headers_all: _containers.MessageMap[str, Strings]
        body: bytes
        json: _struct_pb2.Value
        body_state: str
        mcp: Mcp
        grpc: Grpc
        graphql: Graphql
        is_upgrade: bool
        grpc_message: _struct_pb2.Value
        def __init__(self, method: _Optional[str] = ..., scheme: _Optional[str] = ..., host: _Optional[str] = ..., port: _Optional[int] = ..., path: _Optional[str] = ..., segments: _Optional[_Iterable[str]] = ..., params: _Optional[_Mapping[str, str]] = ..., url: _Optional[str] = ..., protocol: _Optional[str] = ..., id: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., query: _Optional[_Mapping[str, Strings]] = ..., query_one: _Optional[_Mapping[str, str]] = ..., headers: _Optional[_Mapping[str, str]] = ..., headers_all: _Optional[_Mapping[str, Strings]] = ..., body: _Optional[bytes] = ..., json: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., body_state: _Optional[str] = ..., mcp: _Optional[_Union[Mcp, _Mapping]] = ..., grpc: _Optional[_Union[Grpc, _Mapping]] = ..., graphql: _Optional[_Union[Graphql, _Mapping]] = ..., is_upgrade: _Optional[bool] = ..., grpc_message: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ...) -> None: ...
    class Source(_message.Message):
        __slots__ = ("ip", "port", "principal", "service", "labels", "certificate")
        class LabelsEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[int]
            VALUE_FIELD_NUMBER: _ClassVar[int]
            key: str
            value: str
            def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
        IP_FIELD_NUMBER: _ClassVar[int]
        PORT_FIELD_NUMBER: _ClassVar[int]
        PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
        SERVICE_FIELD_NUMBER: _ClassVar[int]
        LABELS_FIELD_NUMBER: _ClassVar[int]
        CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
        ip: str
        port: int
        principal: str
        service: str
        labels: _containers.ScalarMap[str, str]
        certificate: str
        def __init__(self, ip: _Optional[str] = ..., port: _Optional[int] = ..., principal: _Optional[str] = ..., service: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., certificate: _Optional[str] = ...) -> None: ...
    class Client(_message.Message):
        __slots__ = ("ip", "geo")
        IP_FIELD_NUMBER: _ClassVar[int]
        GEO_FIELD_NUMBER: _ClassVar[int]
        ip: str
        geo: Geo
        def __init__(self, ip: _Optional[str] = ..., geo: _Optional[_Union[Geo, _Mapping]] = ...) -> None: ...
    class Destination(_message.Message):
        __slots__ = ("ip", "port", "principal", "service", "labels")
        class LabelsEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[int]
            VALUE_FIELD_NUMBER: _ClassVar[int]
            key: str
            value: str
            def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
        IP_FIELD_NUMBER: _ClassVar[int]
        PORT_FIELD_NUMBER: _ClassVar[int]
        PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
        SERVICE_FIELD_NUMBER: _ClassVar[int]
        LABELS_FIELD_NUMBER: _ClassVar[int]
        ip: str
        port: int
        principal: str
        service: str
        labels: _containers.ScalarMap[str, str]
        def __init__(self, ip: _Optional[str] = ..., port: _Optional[int] = ..., principal: _Optional[str] = ..., service: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ...) -> None: ...
    class Route(_message.Message):
        __slots__ = ("extensions", "metadata")
        class ExtensionsEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[int]
            VALUE_FIELD_NUMBER: _ClassVar[int]
            key: str
            value: str
            def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
        class MetadataEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[int]
            VALUE_FIELD_NUMBER: _ClassVar[int]
            key: str
            value: _struct_pb2.Struct
            def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...
        EXTENSIONS_FIELD_NUMBER: _ClassVar[int]
        METADATA_FIELD_NUMBER: _ClassVar[int]
        extensions: _containers.ScalarMap[str, str]
        metadata: _containers.MessageMap[str, _struct_pb2.Struct]
        def __init__(self, extensions: _Optional[_Mapping[str, str]] = ..., metadata: _Optional[_Mapping[str, _struct_pb2.Struct]] = ...) -> None: ...
    class Identity(_message.Message):
        __slots__ = ("authenticated", "provider", "subject", "issuer", "roles", "groups", "scopes", "claims", "key_id", "expires")
        class ClaimsEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[int]
            VALUE_FIELD_NUMBER: _ClassVar[int]
            key: str
            value: _struct_pb2.Value
            def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ...) -> None: ...
        AUTHENTICATED_FIELD_NUMBER: _ClassVar[int]
        PROVIDER_FIELD_NUMBER: _ClassVar[int]
        SUBJECT_FIELD_NUMBER: _ClassVar[int]
        ISSUER_FIELD_NUMBER: _ClassVar[int]
        ROLES_FIELD_NUMBER: _ClassVar[int]
        GROUPS_FIELD_NUMBER: _ClassVar[int]
        SCOPES_FIELD_NUMBER: _ClassVar[int]
        CLAIMS_FIELD_NUMBER: _ClassVar[int]
        KEY_ID_FIELD_NUMBER: _ClassVar[int]
        EXPIRES_FIELD_NUMBER: _ClassVar[int]
        authenticated: bool
        provider: str
        subject: str
        issuer: str
        roles: _containers.RepeatedScalarFieldContainer[str]
        groups: _containers.RepeatedScalarFieldContainer[str]
        scopes: _containers.RepeatedScalarFieldContainer[str]
        claims: _containers.MessageMap[str, _struct_pb2.Value]
        key_id: str
        expires: _timestamp_pb2.Timestamp
        def __init__(self, authenticated: _Optional[bool] = ..., provider: _Optional[str] = ..., subject: _Optional[str] = ..., issuer: _Optional[str] = ..., roles: _Optional[_Iterable[str]] = ..., groups: _Optional[_Iterable[str]] = ..., scopes: _Optional[_Iterable[str]] = ..., claims: _Optional[_Mapping[str, _struct_pb2.Value]] = ..., key_id: _Optional[str] = ..., expires: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _struct_pb2.Struct
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    request: Vocabulary.Request
    source: Vocabulary.Source
    client: Vocabulary.Client
    destination: Vocabulary.Destination
    route: Vocabulary.Route
    identity: Vocabulary.Identity
    metadata: _containers.MessageMap[str, _struct_pb2.Struct]
    attributes: _attribute_context_pb2.AttributeContext
    def __init__(self, request: _Optional[_Union[Vocabulary.Request, _Mapping]] = ..., source: _Optional[_Union[Vocabulary.Source, _Mapping]] = ..., client: _Optional[_Union[Vocabulary.Client, _Mapping]] = ..., destination: _Optional[_Union[Vocabulary.Destination, _Mapping]] = ..., route: _Optional[_Union[Vocabulary.Route, _Mapping]] = ..., identity: _Optional[_Union[Vocabulary.Identity, _Mapping]] = ..., metadata: _Optional[_Mapping[str, _struct_pb2.Struct]] = ..., attributes: _Optional[_Union[_attribute_context_pb2.AttributeContext, _Mapping]] = ...) -> None: ...

class Geo(_message.Message):
    __slots__ = ("country", "asn", "organization")
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    ASN_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    country: str
    asn: int
    organization: str
    def __init__(self, country: _Optional[str] = ..., asn: _Optional[int] = ..., organization: _Optional[str] = ...) -> None: ...

class Strings(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, values: _Optional[_Iterable[str]] = ...) -> None: ...

class Mcp(_message.Message):
    __slots__ = ("method", "tool", "prompt", "resource", "arguments", "protocol_version", "client")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    TOOL_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    method: str
    tool: str
    prompt: str
    resource: str
    arguments: _struct_pb2.Struct
    protocol_version: str
    client: str
    def __init__(self, method: _Optional[str] = ..., tool: _Optional[str] = ..., prompt: _Optional[str] = ..., resource: _Optional[str] = ..., arguments: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., protocol_version: _Optional[str] = ..., client: _Optional[str] = ...) -> None: ...

class Grpc(_message.Message):
    __slots__ = ("service", "method")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    service: str
    method: str
    def __init__(self, service: _Optional[str] = ..., method: _Optional[str] = ...) -> None: ...

class Graphql(_message.Message):
    __slots__ = ("operation_name", "operation_type", "fields", "depth")
    OPERATION_NAME_FIELD_NUMBER: _ClassVar[int]
    OPERATION_TYPE_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    operation_name: str
    operation_type: str
    fields: _containers.RepeatedScalarFieldContainer[str]
    depth: int
    def __init__(self, operation_name: _Optional[str] = ..., operation_type: _Optional[str] = ..., fields: _Optional[_Iterable[str]] = ..., depth: _Optional[int] = ...) -> None: ...

class NetworkSet(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class Secret(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...
