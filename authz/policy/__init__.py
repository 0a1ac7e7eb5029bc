"""YAML to a `PolicySet`, and a request to a decision: what the policies say, never how they are carried out."""

from authz.policy.attempt import WatchDocument
from authz.policy.compiler import Compiler
from authz.policy.deciding.recorded import Memory, UndeterminedError
from authz.policy.documents import IdentityProvider, KeyEntry, UserEntry, key_entries, user_entries
from authz.policy.documents.grammar import Unfit
from authz.policy.explained import Explanation
from authz.policy.exposure import Exposed, Exposure
from authz.policy.facts import UNTOLD, Body, BodyValidator, BodyValidators, Facts, nowhere
from authz.policy.listing import Listed, ListedEntry, ListedRule
from authz.policy.needs import Needs
from authz.policy.providers import Beside, Identifier, ProviderBuilder
from authz.policy.selection import PolicySet, Selection
from authz.policy.showing import Secrets

__all__ = [
    "UNTOLD",
    "Beside", "Body", "BodyValidator", "BodyValidators", "Compiler", "Explanation", "Exposed", "Exposure", "Facts",
    "Identifier", "IdentityProvider", "KeyEntry", "Listed", "ListedEntry", "ListedRule", "Memory", "Needs",
    "PolicySet", "ProviderBuilder", "Secrets", "Selection", "UndeterminedError", "Unfit", "UserEntry", "WatchDocument",
    "key_entries", "nowhere", "user_entries",
]  # fmt: skip
