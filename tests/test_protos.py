"""The committed generated code is what `protos/` says, and `protos/` says what Envoy's own API says."""

from __future__ import annotations

import filecmp
import importlib
import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import any_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.unknown_fields import UnknownFieldSet

from authz import wire
from authz._pb.authz.v1 import record_pb2
from authz._pb.cel.expr import checked_pb2
from authz._pb.envoy.service.auth.v3 import external_auth_pb2
from authz._pb.grpc.health.v1 import health_pb2
from authz.model import (
    ANONYMOUS,
    STATUS,
    UNLIMITED,
    Decision,
    Effect,
    HeaderMutation,
    Mutations,
    Outcome,
    Reason,
)

if TYPE_CHECKING:
    from google.protobuf.message import Message

pytestmark = pytest.mark.filterwarnings(
    "ignore:HeaderValueOption.append is deprecated", "ignore:OkHttpResponse.dynamic_metadata is deprecated"
)
ROOT = Path(__file__).resolve().parents[1]


def listing(folder: Path) -> set[str]:
    """Return the generated files below `folder`, relative."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*_pb2.py*") if path.suffix in {".py", ".pyi"}}


def test_generated_code_is_current(tmp_path: Path) -> None:
    """Generating again gives byte for byte the committed files, no more and no fewer."""
    subprocess.run([sys.executable, str(ROOT / "protos" / "generate.py"), str(tmp_path)], check=True, timeout=60)
    committed = ROOT / "authz" / "_pb"
    assert listing(committed) == listing(tmp_path)
    _, different, unreadable = filecmp.cmpfiles(committed, tmp_path, sorted(listing(tmp_path)), shallow=False)
    assert (different, unreadable) == ([], [])


def test_generated_modules_import_each_other_below_authz() -> None:
    """No generated module imports a top-level `envoy`, `grpc`, `cel` or `authz.v1`: wheels of such names exist."""
    for path in (ROOT / "authz" / "_pb").rglob("*_pb2.py*"):
        if path.suffix == ".pyc":
            continue
        for line in path.read_text().splitlines():
            assert not line.startswith(("from envoy", "from grpc", "from cel", "from authz.v1", "import envoy")), path


@pytest.mark.parametrize(
    ("full_name", "message"),
    [
        ("envoy.service.auth.v3.CheckRequest", external_auth_pb2.CheckRequest),
        ("envoy.service.auth.v3.CheckResponse", external_auth_pb2.CheckResponse),
        ("grpc.health.v1.HealthCheckResponse", health_pb2.HealthCheckResponse),
        ("cel.expr.CheckedExpr", checked_pb2.CheckedExpr),
        ("authz.v1.Record", record_pb2.Record),
    ],
)
def test_messages_keep_their_public_names(full_name: str, message: type) -> None:
    """Moving the Python modules does not move the protobuf names, which are the interface."""
    assert message.DESCRIPTOR.full_name == full_name


def test_the_engines_syntax_tree_is_read() -> None:
    """What cel-expr-python serializes is an `Any` holding our `cel.expr.CheckedExpr`, without unknown parts."""
    cel = pytest.importorskip("cel_expr_python.cel")
    env = cel.NewEnv(variables={"request.path": cel.Type.STRING})
    wrapped = any_pb2.Any.FromString(env.compile('request.path.startsWith("/a") && [1].exists(x, x > 0)').serialize())
    checked = checked_pb2.CheckedExpr()
    assert wrapped.Unpack(checked)
    assert "request.path" in {reference.name for reference in checked.reference_map.values()}
    assert len(UnknownFieldSet(checked)) == 0


@pytest.fixture(scope="module")
def envoys() -> Any:
    """Envoy's published API as another implementation of protobuf reads and writes it."""
    pytest.importorskip("envoy_data_plane")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its generated code uses what newer pydantics deprecate
        return importlib.import_module("envoy_data_plane.envoy.service.auth.v3")


SAMPLES = {
    FieldDescriptor.TYPE_STRING: "text",
    FieldDescriptor.TYPE_BYTES: b"bytes",
    FieldDescriptor.TYPE_BOOL: True,
    FieldDescriptor.TYPE_INT32: -7,
    FieldDescriptor.TYPE_INT64: -7,
    FieldDescriptor.TYPE_UINT32: 7,
}


def sample(field: FieldDescriptor) -> Any:
    """Return a value that is not the default."""
    return field.enum_type.values[-1].number if field.enum_type else SAMPLES[field.type]


def fill(message: Message, choice: int) -> None:
    """Set every field there is, all the way down; of a `oneof` the one with the number `choice`."""
    if isinstance(message, any_pb2.Any):
        message.Pack(Timestamp(seconds=7))
    elif isinstance(message, Struct):
        message["key"] = "text"
    elif isinstance(message, Timestamp):
        message.seconds, message.nanos = 7, 8_000
    else:
        for field in message.DESCRIPTOR.fields:
            rivals = field.containing_oneof.fields if field.containing_oneof else [field]
            if rivals[choice % len(rivals)] is field:
                fill_field(message, field, choice)


def fill_field(message: Message, field: FieldDescriptor, choice: int) -> None:
    """Set one field: a map to one entry, a list to one element."""
    value = getattr(message, field.name)
    if field.message_type and field.message_type.GetOptions().map_entry:
        entry = field.message_type.fields_by_name["value"]
        if entry.message_type:
            fill(value["key"], choice)
        else:
            value["key"] = sample(entry)
    elif field.message_type:
        if not field.is_repeated:
            value.SetInParent()
        fill(value.add() if field.is_repeated else value, choice)
    elif field.is_repeated:
        value.append(sample(field))
    else:
        setattr(message, field.name, sample(field))


@pytest.mark.parametrize("choice", range(3))
@pytest.mark.parametrize("kind", [external_auth_pb2.CheckRequest, external_auth_pb2.CheckResponse])
def test_an_independent_reader_sees_every_field(envoys: Any, kind: type[Message], choice: int) -> None:
    """Names, numbers and types of every field are Envoy's: written by us and read by Envoy's API, and back."""
    ours = kind()
    fill(ours, choice)
    theirs = getattr(envoys, kind.DESCRIPTOR.name).parse(ours.SerializeToString())
    assert theirs.to_dict() == MessageToDict(ours)
    assert kind.FromString(bytes(theirs)) == ours


def test_a_request_by_another_writer_is_read(envoys: Any) -> None:
    """`wire.read` reads what Envoy's own API writes."""
    http = envoys.AttributeContextHttpRequest(
        method="POST",
        path="/a?b",
        host="api.example.com",
        scheme="https",
        headers={"content-length": "2"},
        raw_body=b"{}",
    )
    context = envoys.AttributeContext(
        request=envoys.AttributeContextRequest(http=http), context_extensions={"route": "orders"}
    )
    request = wire.read(bytes(envoys.CheckRequest(attributes=context)), now=1.0)
    assert (request.method, request.path, request.query, request.host) == ("POST", "/a", "b", "api.example.com")
    assert (request.headers, request.body, request.body_state) == ({"content-length": "2"}, b"{}", "complete")
    assert request.extensions == {"route": "orders"}


CHANGES = Mutations(
    request_headers=(HeaderMutation(name="x-user", value="a"), HeaderMutation(name="x-seen", value="b", append=True)),
    request_headers_remove=("authorization",),
    response_headers=(HeaderMutation(name="x-by", value="c"),),
    query_set=(("tenant", "acme"),),
    query_remove=("debug",),
    metadata={"tenant": {"name": "acme"}},
)


@pytest.mark.parametrize(
    "decision",
    [
        Decision(effect=Effect.ALLOW, reason=Reason.ALLOWED, status=200, policy="p", rule="r"),
        Decision(effect=Effect.ALLOW, reason=Reason.ALLOWED, status=200, mutations=CHANGES),
        Decision(effect=Effect.REDIRECT, reason=Reason.REDIRECT_RULE, status=302, location="https://a/"),
        Decision(effect=Effect.DENY, reason=Reason.DENY_RULE, status=403, mutations=CHANGES),
        *(
            Decision(effect=Effect.DENY, reason=reason, status=status)
            for reason, status in STATUS.items()
            if status >= 400
        ),
    ],
)
def test_an_answer_is_read_by_another_reader(envoys: Any, decision: Decision) -> None:
    """Everything `wire.write` emits is known to Envoy's own API and means the same there."""
    outcome = Outcome(
        id="0192f0c1a2b34c5d", decision=decision, request=None, identity=ANONYMOUS, usage=UNLIMITED, generation=1,
        policy_digest="",
    )  # fmt: skip
    answer = wire.write(outcome)
    ours, theirs = external_auth_pb2.CheckResponse.FromString(answer), envoys.CheckResponse.parse(answer)
    assert theirs.to_dict() == MessageToDict(ours)
    assert (theirs.status.code == 0) == (decision.effect is Effect.ALLOW)
    assert theirs.dynamic_metadata.fields["decision_id"].string_value == "0192f0c1a2b34c5d"


def test_header_options_mean_the_same_to_another_reader(envoys: Any) -> None:
    """Row I8: to Envoy's own API an overwrite has `append` present and false, an append of the request's true."""
    message = external_auth_pb2.CheckRequest()
    http = message.attributes.request.http
    http.method, http.path, http.host, http.headers["x-seen"] = "GET", "/", "a", "z"
    outcome = Outcome(
        id="1",
        decision=Decision(effect=Effect.ALLOW, reason=Reason.ALLOWED, status=200, mutations=CHANGES),
        request=wire.read(message.SerializeToString(), now=1.0),
        identity=ANONYMOUS,
        usage=UNLIMITED,
        generation=1,
        policy_digest="",
    )
    ok = envoys.CheckResponse.parse(wire.write(outcome)).ok_response
    assert [(option.append, option.append_action.name) for option in ok.headers] == [
        (False, "OVERWRITE_IF_EXISTS_OR_ADD"),
        (True, "APPEND_IF_EXISTS_OR_ADD"),
    ]
