"""The vocabulary: the values that travel through the way of a request.

Frozen, slotted, keyword-only, without I/O and without behaviour beyond a derived property. `msgspec.Struct`
because building a frozen dataclass of this width costs a tenth of a decision. `None` means "not applicable".
A stage takes these and returns these; nobody changes one. In the order of the way: `request`, `identity`, `decision`,
`limits`; the words that say why are in `reasons`, how much an answer can carry in `bounds`.
"""

from authz.model.bounds import (
    MAX_BODY,
    MAX_HEADER_BYTES,
    MAX_HEADERS,
    MAX_LOCATION,
    MAX_METADATA_DEPTH,
    MAX_QUERY_BYTES,
    OUR_HEADERS,
)
from authz.model.decision import (
    NO_MUTATIONS,
    Decision,
    DocumentTrace,
    HeaderMutation,
    Knowing,
    Mutations,
    Objection,
    Outcome,
    Read,
    Reads,
    RuleError,
    Unmet,
)
from authz.model.identity import (
    ANONYMOUS,
    Identity,
)
from authz.model.limits import (
    UNLIMITED,
    Algorithm,
    Align,
    Charge,
    Count,
    Limit,
    LimitOutcome,
    LimitUsage,
    OnError,
    Scope,
    Usage,
)
from authz.model.reasons import (
    STATUS,
    Effect,
    Mode,
    Reason,
)
from authz.model.request import (
    Ambiguity,
    BodyState,
    Location,
    Peer,
    Request,
)

__all__ = [
    "ANONYMOUS",
    "MAX_BODY",
    "MAX_HEADERS",
    "MAX_HEADER_BYTES",
    "MAX_LOCATION",
    "MAX_METADATA_DEPTH",
    "MAX_QUERY_BYTES",
    "NO_MUTATIONS",
    "OUR_HEADERS",
    "STATUS",
    "UNLIMITED",
    "Algorithm",
    "Align",
    "Ambiguity",
    "BodyState",
    "Charge",
    "Count",
    "Decision",
    "DocumentTrace",
    "Effect",
    "HeaderMutation",
    "Identity",
    "Knowing",
    "Limit",
    "LimitOutcome",
    "LimitUsage",
    "Location",
    "Mode",
    "Mutations",
    "Objection",
    "OnError",
    "Outcome",
    "Peer",
    "Read",
    "Reads",
    "Reason",
    "Request",
    "RuleError",
    "Scope",
    "Unmet",
    "Usage",
]
