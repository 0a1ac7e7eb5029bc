"""A call whose answer comes from another thread."""

from __future__ import annotations

import threading

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from authz.testing.asking import Call


class WaitingCall(Call):
    """Can be waited for."""

    def __init__(self) -> None:
        self.came = threading.Event()

    def answer(self, response: bytes) -> None:
        self.response = response
        self.came.set()

    def wait(self) -> CheckResponse:
        """Return the answer when it has come."""
        assert self.came.wait(30)
        return CheckResponse.FromString(self.response)
