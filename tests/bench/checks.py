"""What Envoy asks, as the benchmarks send it: CheckRequests of the size and shape that a browser behind Envoy causes.

A check knows whether it must be allowed: no benchmark measures how fast a wrong answer is given. Ids, tenants and
paths differ from check to check: caches on the way see what they would see in service.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import load
import msgspec

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckRequest, CheckResponse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BROWSER = {
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "accept": "application/json, text/plain, */*",
    "accept-language": "en-GB,en;q=0.7,de;q=0.3",
    "accept-encoding": "gzip, deflate, br, zstd",
    "origin": "https://app.example.com",
    "referer": "https://app.example.com/orders?page=2",
    "authorization": "Bearer " + 3 * f"{'eyJ':x<90}.",  # the size of a token; no benchmark reads it
    "cookie": "session=5f0c8f7e2b7d4d6c9a1e; theme=dark",
    "sec-fetch-mode": "cors",
    "sec-fetch-site": "same-site",
    "x-forwarded-proto": "https",
    "x-envoy-internal": "true",
}
NOON = 1_795_435_200  # seconds since the epoch


class WrongAnswerError(Exception):
    """The server under test does not decide what the benchmark is about."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One request as Envoy describes it, and whether it must be allowed."""

    method: str = "GET"
    host: str = "api.example.com"
    path: str
    headers: Mapping[str, str] = {}
    allowed: bool = True

    def payload(self, number: int) -> bytes:
        """Return the serialized CheckRequest (about 1.1 kB); `number` makes ids unique."""
        id_ = f"{number:08x}-7f5a-4c1e-9d3b-2a6e8c0f4b17"
        check = CheckRequest()
        attributes = check.attributes
        for peer, ip, port in ((attributes.source, "10.1.2.3", 40000), (attributes.destination, "10.9.8.7", 8443)):
            peer.address.socket_address.address = ip
            peer.address.socket_address.port_value = port + number % 1000
        attributes.request.time.FromSeconds(NOON)
        http = attributes.request.http
        http.id, http.method, http.path, http.host = str(number), self.method, self.path, self.host
        http.scheme, http.protocol, http.size = "https", "HTTP/2", -1
        pseudo = {":method": self.method, ":path": self.path, ":authority": self.host, ":scheme": "https"}
        http.headers.update(
            pseudo | BROWSER | {"x-request-id": id_, "x-forwarded-for": "10.1.2.3"} | dict(self.headers)
        )
        return check.SerializeToString()


def payloads(checks: Sequence[Check]) -> list[bytes]:
    """Return the messages of these checks, in order."""
    return [check.payload(number) for number, check in enumerate(checks)]


def allows(message: bytes) -> bool:
    """Return whether this serialized CheckResponse allows."""
    return CheckResponse.FromString(message).status.code == 0


def verify(target: str, checks: Sequence[Check]) -> None:
    """Ask every check once; raises WrongAnswerError at the first answer that is not what it must be."""

    def compare(index: int, status: int, message: bytes) -> None:
        if status or allows(message) != checks[index].allowed:
            raise WrongAnswerError(f"{checks[index]}: status {status}, {CheckResponse.FromString(message)}")

    load.run(target, payloads(checks), calls=len(checks), answered=compare)
