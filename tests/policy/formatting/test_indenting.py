"""Tests of indentation."""

from __future__ import annotations

from textwrap import dedent

from authz.policy.formatting import formatted


def test_two_blanks_a_level_and_lists_below_their_key() -> None:
    """Comments, blocks and brackets over several lines move with what they belong to."""
    text = dedent("""\
        apiVersion: authz/v1
        kind: Policy
        metadata:
            # What it is called.
            name: orders
        spec:
            match:
            -   paths: ["/orders",
                        "/orders/{id}"]   # both
            # Who may.
            rules:
            # Those who read.
            -   name: readers
                allow: |-
                    request.method == "GET"
                      && source.port == 1
                # At last.
            -   name: others
                deny: true
        # The end.
        """)
    assert formatted(text) == dedent("""\
        apiVersion: authz/v1
        kind: Policy
        metadata:
          # What it is called.
          name: orders
        spec:
          match:
            - paths: ["/orders",
                      "/orders/{id}"]   # both
          # Who may.
          rules:
            # Those who read.
            - name: readers
              allow: |-
                  request.method == "GET"
                    && source.port == 1
              # At last.
            - name: others
              deny: true
        # The end.
        """)


def test_a_list_in_a_list_keeps_its_dashes() -> None:
    """Each dash takes two blanks."""
    head = "apiVersion: authz/v1\nkind: Data\nmetadata: {name: d}\nspec:\n"
    assert formatted(f"{head}    values:\n    -   -   a\n        -   b\n    - c\n") == (
        f"{head}  values:\n    - - a\n      - b\n    - c\n"
    )


def test_every_document_of_a_file_is_indented() -> None:
    """What begins a document stays where it is, and comments around it with what they are about."""
    head = "apiVersion: authz/v1\nkind: Data\nmetadata: {name: d}\nspec:\n"
    between = (head, "# Of the first.\n---\n# Of the second.\n" + head, "--- # last\n" + head)
    text = "".join(f"{each}  values:\n  - a\n" for each in between)
    made = "".join(f"{each}  values:\n    - a\n" for each in between)
    assert formatted(text) == made


def test_what_is_in_order_stays_as_it_is() -> None:
    """Tables in brackets keep their columns, and comments behind values theirs."""
    text = dedent("""\
        apiVersion: authz/v1
        kind: Data
        metadata: {name: d}
        spec:
          map:
            a:  [1,    2]      # first
            bb: [10,  20]      # second
        """)
    assert formatted(text) == text
