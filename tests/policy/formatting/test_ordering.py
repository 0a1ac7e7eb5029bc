"""Tests of the order of keys."""

from __future__ import annotations

from textwrap import dedent

from authz.policy.formatting import formatted
from tests.policy.formatting.conftest import policy


def test_keys_come_as_in_the_docs() -> None:
    """Of documents, specs, rules and what they hold, with the comments above each key and behind it."""
    text = dedent("""\
        # What this file is for.
        kind: Policy
        apiVersion: authz/v1
        spec:
          # Who may.
          rules:
            # Those who read.
            - allow: true   # all of them
              response_headers:
                append: {x-a: c}
                set: {x-b: c}
              name: readers
          match:
            - paths: ["/a"]
        metadata: {name: orders}
        """)
    assert formatted(text) == dedent("""\
        # What this file is for.
        apiVersion: authz/v1
        kind: Policy
        metadata: {name: orders}
        spec:
          match:
            - paths: [/a]
          # Who may.
          rules:
            # Those who read.
            - name: readers
              allow: true   # all of them
              response_headers:
                set: {x-b: c}
                append: {x-a: c}
        """)


def test_a_comment_inside_an_item_is_not_parted_from_its_key() -> None:
    """A key with a comment above it cannot come behind a dash: then the item stays as it is."""
    text = policy('match: [{paths: ["/**", "/a"]}]\nrules:\n  - allow: true\n    # What it is called.\n    name: a\n')
    assert formatted(text) == text


def test_names_of_the_authors_own_stay_in_their_order() -> None:
    """Variables, headers and data have no order in the docs."""
    text = policy('match: [{paths: ["/**", "/a"]}]\nvariables:\n  z: "1"\n  a: "2"\n')
    assert formatted(text) == text


def test_tests_have_an_order_too() -> None:
    """What is asked, by whom, how often, and what is expected; the table before the cases."""
    head = "apiVersion: authz/v1\nkind: PolicyTest\nmetadata: {name: t}\nspec:\n"
    case = "  cases:\n    - expect: allow\n      as: a\n      request: b\n      name: c\n"
    made = "  cases:\n    - name: c\n      request: b\n      as: a\n      expect: allow\n"
    assert formatted(head + case) == head + made


def test_a_document_of_an_unknown_kind_keeps_its_order() -> None:
    """What is not known is not moved."""
    text = "kind: Other\napiVersion: v1\n"
    assert formatted(text) == text
