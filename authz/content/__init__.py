"""What is being sent: bodies read strictly and only when somebody asks, and the schemas they must meet.

A policy that reads a body decides on what the upstream will read. So a body has one meaning here or none: whatever two
JSON parsers could read differently is an error, and an error in a rule denies.
"""

from authz.content.body import Body, BodyError
from authz.content.validators import SchemaValidators

__all__ = ["Body", "BodyError", "SchemaValidators"]
