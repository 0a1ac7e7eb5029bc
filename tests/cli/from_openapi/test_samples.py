"""Requests that are made fit what they are made of."""

from __future__ import annotations

from pathlib import Path

from authz.cli.from_openapi.reading import read
from authz.cli.from_openapi.samples import Sampler


def test_a_request_fits_or_there_is_none(shop: Path) -> None:
    """Bounds, formats, examples, styles, read-only properties and alternatives are met; a pattern sometimes is not."""
    source = read(shop)
    sampler = Sampler(source, ("*.example.com",))
    found = {(each.method, each.template): sampler.request(each) for each in source.description.operations}

    assert found["GET", "/hard"] is None
    assert found["GET", "/orders"] == {
        "method": "GET",
        "url": "https://a.example.com/v1/orders?limit=10&filter%5Bstate%5D=open",
        "headers": {"x-tenant": "A", "cookie": "sid=7f0c1a2b-34c5-4d8e-9f00-112233445566"},
    }
    assert found["POST", "/orders"] == {
        "method": "POST",
        "url": "https://a.example.com/v1/orders",
        "json": {
            "sku": "a-1", "amount": 5, "when": "2026-11-23T12:00:00Z", "lines": [{"n": 1}, {"n": 1}],
            "kind": {"to": "ann@example.com"},
        },
    }  # fmt: skip
    assert found["PUT", "/people/{name}.json"] == {
        "method": "PUT", "url": "https://a.example.com/v1/people/aaa.json", "form": {"age": "1"},
    }  # fmt: skip
    assert found["POST", "/texts"] == {
        "method": "POST", "url": "https://a.example.com/v1/texts", "body": "aaaa",
        "headers": {"content-type": "text/plain"},
    }  # fmt: skip
