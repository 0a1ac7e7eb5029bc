"""A start with policies that can't be served."""

from __future__ import annotations

from typing import TYPE_CHECKING

import load
import pytest
from checks import payloads

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from tests.faults.conftest import CHECKS, NOT_SERVING, SERVING, eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.faults.conftest import Served


@pytest.mark.parametrize("transport", ["fast", "aio"])
def test_it_lives_is_not_ready_and_denies_until_they_are_mended(
    transport: str, serve: Callable[..., Served], tmp_path: Path
) -> None:
    """Rows I5 and L4: no call fails and none is allowed; mending the files is all it takes."""
    file = tmp_path / "policies" / "p.yaml"
    good = file.read_text()
    file.write_text(good.replace("request.method", "request.methd"))
    served = serve("--transport", transport, "--reload-interval", "50ms")
    assert (served.health(), served.get("/livez")[0], served.get("/readyz")[0]) == (NOT_SERVING, 200, 503)
    reasons: list[str] = []

    def answered(_index: int, status: int, answer: bytes) -> None:
        response = CheckResponse.FromString(answer)
        assert (status, response.status.code) == (0, 7)
        reasons.append(response.dynamic_metadata.fields["reason"].string_value)

    assert load.run(served.target, payloads(CHECKS), calls=300, answered=answered).errors == {}
    assert (len(reasons), set(reasons)) == (300, {"no_policy"})
    file.write_text(good)
    eventually(lambda: served.health() == SERVING)
    assert served.get("/readyz")[0] == 200
