"""Operations become policies by their tags."""

from __future__ import annotations

from collections.abc import Callable

from authz.cli.from_openapi.grouping import groups
from authz.cli.from_openapi.reading import Source

ID = "parameters: [{name: id, in: path, required: true, schema: {}}]"


def grouped(source: Source) -> dict[str, list[str]]:
    """Return the names of rules by policy."""
    return {group.name: [name for name, _ in group.operations] for group in groups(source.description.operations)}


def test_a_policy_holds_the_operations_of_a_tag(source: Callable[[str], Source]) -> None:
    """The first tag counts; without any, the first segment; rules are named by operation, or by method and path."""
    found = source("""paths:
  /a: {get: {operationId: read a, tags: [One & Two, x]}, post: {tags: [One & Two]}}
  /b/c: {get: {}}
  /b/d: {get: {operationId: same}, post: {operationId: same}}
""")

    assert grouped(found) == {"one-two": ["read-a", "post-a"], "b": ["get-b-c", "same", "same-2"]}


def test_operations_that_one_request_could_call_are_one_policy(source: Callable[[str], Source]) -> None:
    """Every policy that a request meets must allow it: `/pets/mine` is `/pets/{id}` to `match`."""
    text = f"""paths:
  /pets/{{id}}: {{{ID}, get: {{tags: [pets]}}, put: {{tags: [pets]}}}}
  /pets/mine: {{get: {{tags: [mine]}}, post: {{tags: [mine]}}}}
  /pets/all: {{post: {{tags: [all]}}}}
"""

    assert {name: len(rules) for name, rules in grouped(source(text)).items()} == {"pets": 3, "mine": 1, "all": 1}
