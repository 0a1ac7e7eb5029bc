"""What becomes of requests that a description does not speak of is in the tables; here is what they leave behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from authz.policy import PolicySet

API = '{"openapi": "3.1.0", "paths": {"/a": {"get": {}}}}'
POLICY = """\
apiVersion: authz/v1
kind: Policy
metadata: {name: p}
spec:
  match: [{paths: ["/**"]}]
  validate: [{name: api, openapi: api.json, undocumented: record}]
  rules: [{name: all, allow: true}]
"""


def test_what_is_only_recorded_says_what_it_was(serve: Callable[..., PolicySet], make: Any) -> None:
    """The record of an allowed request holds what would have been refused, by name and never by value."""
    policies = serve(POLICY, **{"api.json": API})
    for path, query, told in (("/b", "", "no such operation"), ("/a", "k=s3cret", 'speak of query "/k"')):
        facts = make.facts(make.request({"path": path, "query": query}))
        decision = policies.select(facts.request).decide(facts)

        assert told in str(decision.documents[0].error)
        assert "s3cret" not in str(decision)
