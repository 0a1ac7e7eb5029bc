"""Documents to be formatted."""

from __future__ import annotations

from textwrap import dedent, indent

HEAD = "apiVersion: authz/v1\nkind: Policy\nmetadata: {name: orders}\nspec:\n"


def policy(spec: str) -> str:
    """Return a policy with these lines in its spec."""
    return HEAD + indent(dedent(spec), "  ")
