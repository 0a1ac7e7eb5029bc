"""The admin port's pages say what the state says."""

from __future__ import annotations

import http.client
import json
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from itertools import islice
from threading import Event, Semaphore
from typing import TYPE_CHECKING

import pytest

from authz.console.app import FILES, MOST_ASKING, State, application
from authz.console.denied import Denied
from authz.console.serving import AdminServer
from authz.console.tail import Tail
from authz.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from authz.console.workers import Workers


class FixedState:
    """A state that says what it was told to."""

    def __init__(self, *, live: bool = True, ready: bool = True) -> None:
        self._live = live
        self._ready = ready
        self.tail = Tail()
        self.denied = Denied()

    def live(self) -> bool:
        return self._live

    def ready(self) -> bool:
        return self._ready

    def metrics(self) -> bytes:
        return b"authz_policy_generation 7\n"

    def status(self) -> Mapping[str, object]:
        return {"generation": 7}

    def jwks(self) -> Mapping[str, object]:
        return {"keys": [{"kid": "one"}]}

    def numbers(self) -> Mapping[str, object]:
        return {"checks": []}

    def policies(self) -> Sequence[Mapping[str, object]]:
        return [{"name": "orders"}]

    def disagreements(self) -> Mapping[str, object]:
        return {"groups": [], "others": 0}

    def exceptions(self) -> Sequence[Mapping[str, object]]:
        return [{"data": "blocked", "active": True}]

    def explain(self, query: Sequence[tuple[str, str]], /) -> object:
        match dict(query):
            case {"id": "d-1"}:
                return {"decision": {"reason": "no_rule"}, "asked": query}
            case {"id": _}:
                raise LookupError("decisions.jsonl has no decision d-2")
            case {"url": _}:
                raise Unavailable("no policies are in force")
        raise ValueError("name a method and a url, or the id of a decision")


@contextmanager
def served(
    state: State, hosts: Sequence[str] = (), workers: Workers | None = None
) -> Iterator[http.client.HTTPConnection]:
    """Serve the pages over a state on loopback."""
    server = AdminServer("127.0.0.1", 0, application(state, hosts, workers))
    server.start()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        yield connection
    finally:
        connection.close()
        server.stop()


def get(
    state: State, page: str, method: str = "GET", host: str = "127.0.0.1", **more: str
) -> tuple[int, bytes, Mapping[str, str]]:
    """Ask for one page: status, body, headers by lower-case name; `more` are headers, `_` for `-`."""
    with served(state) as connection:
        sent = {name.replace("_", "-"): value for name, value in more.items()}
        connection.request(method, page, headers={"host": host, **sent})
        answer = connection.getresponse()
        return answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}


@pytest.mark.parametrize(("page", "state", "code"), [
    ("/livez", FixedState(), 200),
    ("/livez", FixedState(live=False), 503),
    ("/readyz", FixedState(), 200),
    ("/readyz", FixedState(ready=False), 503),
])  # fmt: skip
def test_a_probe_is_200_when_fine_and_503_when_not(page: str, state: FixedState, code: int) -> None:
    """Kubernetes reads the status alone."""
    assert get(state, page)[0] == code


def test_metrics_are_prometheus_text() -> None:
    """The page is what the state renders, with the content type Prometheus asks for."""
    _, body, headers = get(FixedState(), "/metrics")
    assert body == b"authz_policy_generation 7\n"
    assert headers["content-type"].startswith("text/plain; version=0.0.4")


def test_status_is_json_and_never_cached() -> None:
    """A status is of this moment."""
    _, body, headers = get(FixedState(), "/status")
    assert json.loads(body) == {"generation": 7, "workers": [{"generation": 7}]}
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed(method: str) -> None:
    """The admin port only reads."""
    assert get(FixedState(), "/status", method)[0] == 405


@pytest.mark.parametrize(("page", "shown"), [
    ("/api/state", {"status": {"generation": 7}, "numbers": {"checks": []}}),
    ("/api/policies", [{"name": "orders"}]),
    ("/api/candidate", {"groups": [], "others": 0}),
    ("/api/exceptions", [{"data": "blocked", "active": True}]),
    ("/api/denied", {"total": 0, "most": []}),
])  # fmt: skip
def test_what_the_console_reads_is_json(page: str, shown: object) -> None:
    """The page gets values and builds itself of them."""
    code, body, headers = get(FixedState(), page)
    assert (code, json.loads(body)) == (200, shown)
    assert headers["cache-control"] == "no-store"


def test_an_explanation_is_what_the_state_explains() -> None:
    """Every parameter reaches it, those that come twice as well."""
    status, body, headers = get(FixedState(), "/api/explain?id=d-1&header=a:%201&header=b:%202")
    assert status == 200
    assert json.loads(body)["asked"] == [["id", "d-1"], ["header", "a: 1"], ["header", "b: 2"]]
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("query", "code"), [("", 400), ("id=d-2", 404), ("url=/", 503)])
def test_what_cannot_be_explained_says_why(query: str, code: int) -> None:
    """One line of text, and a status that tells a typo from what is not there."""
    status, body, headers = get(FixedState(), f"/api/explain?{query}")
    assert status == code
    assert len(body.decode().splitlines()) == 1
    assert headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("page", FILES)
def test_the_console_needs_nothing_from_elsewhere(page: str) -> None:
    """Every file is in the package, names no other host, and its policy would let none in."""
    code, body, headers = get(FixedState(), page)
    assert code == 200
    assert body.replace(b"http://www.w3.org/2000/svg", b"").count(b"://") == 0
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert b" style=" not in body
    assert b"innerHTML" not in body
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")


@pytest.mark.parametrize("page", ["/", "/explain", "/metrics", "/status", "/api/denied", "/api/explain?id=d-1"])
def test_a_public_name_reads_nothing(page: str) -> None:
    """G14: a web page whose name was pointed at this port (DNS rebinding) gets neither pages nor numbers."""
    status, body, _ = get(FixedState(), page, host="evil.example.com:9192")
    assert (status, body) == (421, b"ask by address, or list this name in admin_hosts\n")
    assert get(FixedState(), page, host="10.2.3.4:9192")[0] == 200


@pytest.mark.parametrize("page", ["/livez", "/readyz", "/.well-known/jwks.json"])
def test_whether_it_lives_is_told_under_any_name(page: str) -> None:
    """A load balancer asks by the name of what it balances; nothing is told that the port's being open does not."""
    assert get(FixedState(), page, host="shop.example.com")[0] == 200


def test_a_name_that_is_ours_is_answered_to() -> None:
    """Prometheus may ask by a name that the settings know."""
    with served(FixedState(), hosts=["authz.example.com"]) as connection:
        connection.request("GET", "/metrics", headers={"host": "authz.example.com:9192"})
        assert connection.getresponse().status == 200


@pytest.mark.parametrize(("site", "code"), [
    ("same-origin", 200), ("none", 200), ("cross-site", 403), ("same-site", 403), ("", 403),
])  # fmt: skip
def test_a_page_elsewhere_makes_the_console_do_nothing(site: str, code: int) -> None:
    """A web page can ask addresses of its visitor and read no answer; what takes work is not even begun for it."""
    for page in ("/api/explain?id=d-1", "/api/denied"):
        assert get(FixedState(), page, sec_fetch_site=site)[0] == code
    assert get(FixedState(), "/explain?id=d-1", sec_fetch_site=site)[0] == 200  # a link to the console is one


class SlowState(FixedState):
    """A state that explains when it is told to, and says how many explanations were under way at once."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go_on = Semaphore(0), Event()
        self.under_way = self.most = 0

    def explain(self, query: Sequence[tuple[str, str]], /) -> object:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        self.begun.release()
        self.go_on.wait(10)
        self.under_way -= 1
        return {"asked": query}


def test_explanations_are_made_one_at_a_time() -> None:
    """Whoever asks for many at once gets few, one after the other: they share a processor with what decides."""
    state = SlowState()
    with served(state) as connection, ThreadPoolExecutor() as threads:

        def status(_: int) -> int:
            mine = http.client.HTTPConnection("127.0.0.1", connection.port, timeout=10)
            try:
                mine.request("GET", "/api/explain?id=d-1")
                return mine.getresponse().status
            finally:
                mine.close()

        asked = [threads.submit(status, number) for number in range(MOST_ASKING + 3)]
        assert state.begun.acquire(timeout=10)
        assert [each.result() for each in islice(as_completed(asked), 3)] == [503] * 3
        state.go_on.set()
        assert sorted(each.result() for each in asked) == [200] * MOST_ASKING + [503] * 3
    assert state.most == 1


def test_keys_are_published_for_everybody() -> None:
    """Services behind Envoy ask by whatever name they have for us, and may keep the answer for a minute."""
    status, body, headers = get(FixedState(), "/.well-known/jwks.json", host="authz.example.com")
    assert (status, json.loads(body)) == (200, {"keys": [{"kid": "one"}]})
    assert (headers["content-type"], headers["cache-control"]) == ("application/json", "public, max-age=60")
