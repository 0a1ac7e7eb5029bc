"""The documents of the policy language as typed values (POLICY.md, sections 1 to 3).

The models below are the one source of what is accepted, of the faults, and of the JSON Schema. Every scalar that is
compiled or looked up later is a `Text`: a string that knows its place (`expression.fault(code, message, line=..,
column=.., length=..)`). Data values and inline schemas are plain values without places.
"""

from authz.policy.documents.answers import Body, Cookie, Query, RequestHeaders, ResponseHeaders
from authz.policy.documents.cors import Cors
from authz.policy.documents.document import API_VERSION, Document, Metadata
from authz.policy.documents.entries import KeyEntry, key_entries
from authz.policy.documents.kinds import (
    KINDS,
    Data,
    DataSpec,
    FileReference,
    Governing,
    Guardrail,
    GuardrailSpec,
    Identification,
    Policy,
    PolicySpec,
)
from authz.policy.documents.limits import Limit, Rate
from authz.policy.documents.match import EncodedSlashes, Match, PathParameters
from authz.policy.documents.providers import IdentityProvider, ProviderSpec
from authz.policy.documents.rules import GuardrailRule, Rule
from authz.policy.documents.timed import Timed
from authz.policy.documents.users import UserEntry, user_entries
from authz.policy.documents.validation import Validation

__all__ = [
    "API_VERSION",
    "KINDS",
    "Body",
    "Cookie",
    "Cors",
    "Data",
    "DataSpec",
    "Document",
    "EncodedSlashes",
    "FileReference",
    "Governing",
    "Guardrail",
    "GuardrailRule",
    "GuardrailSpec",
    "Identification",
    "IdentityProvider",
    "KeyEntry",
    "Limit",
    "Match",
    "Metadata",
    "PathParameters",
    "Policy",
    "PolicySpec",
    "ProviderSpec",
    "Query",
    "Rate",
    "RequestHeaders",
    "ResponseHeaders",
    "Rule",
    "Timed",
    "UserEntry",
    "Validation",
    "key_entries",
    "user_entries",
]
