"""The committed generated code is what `protos/` says."""

from __future__ import annotations

import filecmp
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf.any_pb2 import Any
from google.protobuf.unknown_fields import UnknownFieldSet

from authz._pb.authz.v1 import record_pb2
from authz._pb.cel.expr import checked_pb2
from authz._pb.envoy.service.auth.v3 import external_auth_pb2
from authz._pb.grpc.health.v1 import health_pb2

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
    wrapped = Any.FromString(env.compile('request.path.startsWith("/a") && [1].exists(x, x > 0)').serialize())
    checked = checked_pb2.CheckedExpr()
    assert wrapped.Unpack(checked)
    assert "request.path" in {reference.name for reference in checked.reference_map.values()}
    assert len(UnknownFieldSet(checked)) == 0
