"""YAML to a `PolicySet`, and a request to a decision: what the policies say, never how they are carried out."""

from authz.policy.compiler import Compiler
from authz.policy.facts import Body, BodyValidator, BodyValidators, Facts
from authz.policy.listing import Listed, ListedRule
from authz.policy.selection import PolicySet, Selection

__all__ = [
    "Body", "BodyValidator", "BodyValidators", "Compiler", "Facts", "Listed", "ListedRule", "PolicySet", "Selection",
]  # fmt: skip
