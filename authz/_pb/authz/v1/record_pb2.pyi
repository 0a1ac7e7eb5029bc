# mypy: ignore-errors
import datetime

from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Record(_message.Message):
    __slots__ = ("id", "time", "decision", "reason", "status", "policy", "rule", "documents", "limits", "request", "source", "client", "identity", "reads", "generation", "policy_digest", "policy_commit", "duration_us", "trace_id", "worker", "previous", "hash", "format", "detail", "principal")
    class Document(_message.Message):
        __slots__ = ("name", "mode", "outcome", "rule", "error", "kind")
        NAME_FIELD_NUMBER: _ClassVar[int]
        MODE_FIELD_NUMBER: _ClassVar[int]
        OUTCOME_FIELD_NUMBER: _ClassVar[int]
        RULE_FIELD_NUMBER: _ClassVar[int]
        ERROR_FIELD_NUMBER: _ClassVar[int]
        KIND_FIELD_NUMBER: _ClassVar[int]
        name: str
        mode: str
        outcome: str
        rule: str
        error: str
        kind: str
        def __init__(self, name: _Optional[str] = ..., mode: _Optional[str] = ..., outcome: _Optional[str] = ..., rule: _Optional[str] = ..., error: _Optional[str] = ..., kind: _Optional[str] = ...) -> None: ...
    class Limit(_message.Message):
        __slots__ = ("name", "remaining", "reset", "outcome")
        NAME_FIELD_NUMBER: _ClassVar[int]
        REMAINING_FIELD_NUMBER: _ClassVar[int]
        RESET_FIELD_NUMBER: _ClassVar[int]
        OUTCOME_FIELD_NUMBER: _ClassVar[int]
        name: str
        remaining: int
        reset: float
        outcome: str
        def __init__(self, name: _Optional[str] = ..., remaining: _Optional[int] = ..., reset: _Optional[float] = ..., outcome: _Optional[str] = ...) -> None: ...
    class Request(_message.Message):
        __slots__ = ("id", "method", "host", "path", "query_keys", "route", "headers", "body_sha256")
        class HeadersEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[int]
            VALUE_FIELD_NUMBER: _ClassVar[int]
            key: str
            value: str
            def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
        ID_FIELD_NUMBER: _ClassVar[int]
        METHOD_FIELD_NUMBER: _ClassVar[int]
        HOST_FIELD_NUMBER: _ClassVar[int]
        PATH_FIELD_NUMBER: _ClassVar[int]
        QUERY_KEYS_FIELD_NUMBER: _ClassVar[int]
        ROUTE_FIELD_NUMBER: _ClassVar[int]
        HEADERS_FIELD_NUMBER: _ClassVar[int]
        BODY_SHA256_FIELD_NUMBER: _ClassVar[int]
        id: str
        method: str
        host: str
        path: str
        query_keys: _containers.RepeatedScalarFieldContainer[str]
        route: str
        headers: _containers.ScalarMap[str, str]
        body_sha256: str
        def __init__(self, id: _Optional[str] = ..., method: _Optional[str] = ..., host: _Optional[str] = ..., path: _Optional[str] = ..., query_keys: _Optional[_Iterable[str]] = ..., route: _Optional[str] = ..., headers: _Optional[_Mapping[str, str]] = ..., body_sha256: _Optional[str] = ...) -> None: ...
    class Identity(_message.Message):
        __slots__ = ("provider", "subject", "issuer", "key_id")
        PROVIDER_FIELD_NUMBER: _ClassVar[int]
        SUBJECT_FIELD_NUMBER: _ClassVar[int]
        ISSUER_FIELD_NUMBER: _ClassVar[int]
        KEY_ID_FIELD_NUMBER: _ClassVar[int]
        provider: str
        subject: str
        issuer: str
        key_id: str
        def __init__(self, provider: _Optional[str] = ..., subject: _Optional[str] = ..., issuer: _Optional[str] = ..., key_id: _Optional[str] = ...) -> None: ...
    class ReadsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _struct_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    READS_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    POLICY_DIGEST_FIELD_NUMBER: _ClassVar[int]
    POLICY_COMMIT_FIELD_NUMBER: _ClassVar[int]
    DURATION_US_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    WORKER_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    id: str
    time: _timestamp_pb2.Timestamp
    decision: str
    reason: str
    status: int
    policy: str
    rule: str
    documents: _containers.RepeatedCompositeFieldContainer[Record.Document]
    limits: _containers.RepeatedCompositeFieldContainer[Record.Limit]
    request: Record.Request
    source: str
    client: str
    identity: Record.Identity
    reads: _containers.MessageMap[str, _struct_pb2.Value]
    generation: int
    policy_digest: str
    policy_commit: str
    duration_us: int
    trace_id: str
    worker: int
    previous: str
    hash: str
    format: str
    detail: str
    principal: str
    def __init__(self, id: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., decision: _Optional[str] = ..., reason: _Optional[str] = ..., status: _Optional[int] = ..., policy: _Optional[str] = ..., rule: _Optional[str] = ..., documents: _Optional[_Iterable[_Union[Record.Document, _Mapping]]] = ..., limits: _Optional[_Iterable[_Union[Record.Limit, _Mapping]]] = ..., request: _Optional[_Union[Record.Request, _Mapping]] = ..., source: _Optional[str] = ..., client: _Optional[str] = ..., identity: _Optional[_Union[Record.Identity, _Mapping]] = ..., reads: _Optional[_Mapping[str, _struct_pb2.Value]] = ..., generation: _Optional[int] = ..., policy_digest: _Optional[str] = ..., policy_commit: _Optional[str] = ..., duration_us: _Optional[int] = ..., trace_id: _Optional[str] = ..., worker: _Optional[int] = ..., previous: _Optional[str] = ..., hash: _Optional[str] = ..., format: _Optional[str] = ..., detail: _Optional[str] = ..., principal: _Optional[str] = ...) -> None: ...
