"""A server that allows everything and looks at nothing: what is left is what transport and client cost.

python -m authz.cli.bench.noop unix:///tmp/noop.sock     # serves until it is told to end
"""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckResponse, OkHttpResponse
from authz.transport import TransportName, open_server

if TYPE_CHECKING:
    from authz.model import Reason
    from authz.transport import Call

ALLOW = CheckResponse(ok_response=OkHttpResponse()).SerializeToString()


class Noop:
    """A service of which every answer is the same."""

    def check(self, _message: bytes, call: Call) -> None:
        """Allow."""
        call.answer(ALLOW)

    def refuse(self, _reason: Reason, call: Call) -> None:
        """Allow; nobody depends on it."""
        call.answer(ALLOW)

    def health(self, _service: str) -> bool:
        """Say that it serves."""
        return True


def main(address: str) -> None:
    """Serve at an address until SIGTERM."""
    server = open_server(Noop(), listen=[address], last_resort=ALLOW, transport=TransportName.AUTO)
    server.start()
    try:
        signal.sigwait({signal.SIGTERM, signal.SIGINT})
    finally:
        server.stop(0)


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main(sys.argv[1])
