"""The server that does nothing."""

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from authz.cli.bench.noop import ALLOW, Noop
from authz.testing.asking import Call


def test_it_allows_whatever_it_is_asked() -> None:
    """With an answer that Envoy takes for one."""
    call = Call()
    Noop().check(b"anything", call)
    assert call.response == ALLOW
    assert CheckResponse.FromString(ALLOW).HasField("ok_response")
    assert Noop().health("")
