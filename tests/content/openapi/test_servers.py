"""Tests of the paths in front of an API."""

from __future__ import annotations

import pytest

from authz.content.openapi.document import Document
from authz.content.openapi.servers import MOST, bases


def found(*servers: object) -> tuple[tuple[str, ...], ...]:
    """Return the paths of servers that have no flaws."""
    document = Document({"servers": list(servers)}, dict[str, object]().__getitem__)
    base = bases(document.root, ((),))
    assert not document.flaws
    return base


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://api.example.com", ()), ("https://api.example.com/", ()), ("https://api.example.com/v1", ("v1",)),
        ("/v1/", ("v1",)), ("v1", ("v1",)), ("/", ()), ("https://{tenant}.example.com/v1", ("v1",)),
        ("https://api.example.com:8443/a%20b/v1", ("a b", "v1")),
    ],
)  # fmt: skip
def test_a_server_is_the_path_of_its_url(url: str, base: tuple[str, ...]) -> None:
    """Hosts are matched elsewhere; the path counts, decoded, and a trailing slash does not."""
    assert found({"url": url}) == (base,)


def test_no_servers_are_one_without_a_path() -> None:
    """A document that names no servers lives at the root; of two with one path, there is one."""
    assert found() == ((),)
    assert found({"url": "https://a.example.com/v1"}, {"url": "https://b.example.com/v1"}) == (("v1",),)


def test_variables_stand_for_all_their_values() -> None:
    """A variable in the path is each of its values, or its default where it lists none."""
    server = {
        "url": "/{version}/{area}",
        "variables": {"version": {"enum": ["v1", "v2"], "default": "v1"}, "area": {"default": "eu"}},
    }

    assert found(server) == (("v1", "eu"), ("v2", "eu"))


@pytest.mark.parametrize(
    ("server", "message"),
    [
        ({"url": "/{v}"}, 'the variable "v" of the server is not described'),
        ({"url": "/{v}", "variables": {"v": {}}}, '"default" is missing'),
        ({"url": "/a/%2e%2e/b"}, "no request has the path of the server"),
        ({"url": "/a?b=1#c"}, "no request has the path of the server"),
        ({"uri": "/a"}, 'unknown key "uri"'),
        (
            {"url": "/{v}", "variables": {"v": {"enum": [str(n) for n in range(MOST + 1)]}}},
            f"more than {MOST} combinations",
        ),
    ],
)
def test_a_server_that_cannot_be_reached_is_a_flaw(server: object, message: str) -> None:
    """A path that no canonical request has would leave its operations unreachable."""
    document = Document({"servers": [server]}, dict[str, object]().__getitem__)
    bases(document.root, ((),))

    assert any(message in flaw.message for flaw in document.flaws)


def test_servers_of_an_operation_replace_those_above() -> None:
    """The nearest list of servers counts, and only that."""
    assert found({"url": "/v1"}) == (("v1",),)
    document = Document({"servers": []}, dict[str, object]().__getitem__)
    assert bases(document.root, (("above",),)) == (("above",),)
