"""YAML to a `PolicySet`, and a request to a decision: what the policies say, never how they are carried out."""

from authz.policy.facts import Body, BodyValidator, BodyValidators, Facts

__all__ = ["Body", "BodyValidator", "BodyValidators", "Facts"]
