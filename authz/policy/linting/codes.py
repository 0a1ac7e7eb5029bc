"""The codes of warnings (AZ4xx), and what each means; `policy.codes` has those of faults."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Lint(StrEnum):
    """The code of a warning."""

    UNANCHORED = "AZ401"
    IDLE_RULE = "AZ402"
    ALLOWS_ALL = "AZ403"
    IDLE_LIMIT = "AZ404"
    SHARED_LIMIT = "AZ405"
    COVERED_PATH = "AZ406"
    ODD_METHOD = "AZ407"
    PATH_AS_TEXT = "AZ408"
    UNREAD_DATA = "AZ409"
    UNUSED_PROVIDER = "AZ410"
    UNREAD_VARIABLE = "AZ411"
    BORROWED_HEADER = "AZ412"
    UNBOUNDED_BODY = "AZ413"
    NEVER_EQUAL = "AZ414"
    UNTESTED = "AZ415"
    IDLE_IGNORE = "AZ416"
    ENGINES_DIFFER = "AZ417"


EXPLAINED: Mapping[str, str] = {
    "AZ401": (
        '`matches` looks for its pattern anywhere in the text: `matches("/admin")` holds for /x/admin-not as well, and '
        "`^a|b$` binds `^` to its first alternative only. Anchor every alternative: `^(a|b)$`. Of paths, `match` and "
        "`glob` say the same by segment."
    ),
    "AZ402": (
        "The rule cannot change an answer: its condition is `false`, another rule has the same one, or one that always "
        "holds comes to the same. A deny of the same condition beats an allow, wherever it stands."
    ),
    "AZ403": (
        "A policy lets everybody in, on every host and path. Whatever no other policy governs is open then, also what "
        "is added later. Name the paths that are public, or require an identity."
    ),
    "AZ404": "The limit is never charged: it is off, or its condition is `false`. It reads like protection and is not.",
    "AZ405": (
        "Without a key all callers share one count, and whoever calls most decides for everybody else. Name who is "
        "counted, such as `identity.subject` or `client.ip`. Where one budget for all is meant, write `key: '\"all\"'`."
    ),
    "AZ406": (
        "An entry of `match` takes these requests already. The first that fits decides what is captured into "
        "`request.params`, so names in a later one are never set. Put the narrower path first, or leave it out."
    ),
    "AZ407": (
        "The method is in no registry (IANA, HTTP methods). Methods are compared letter by letter, so that one that is "
        "misspelled governs nothing, and the real one passes by."
    ),
    "AZ408": (
        'A path compared as text is not compared by segment: `startsWith("/admin")` holds for /administrator, and '
        '`startsWith("/admin/")` does not for /admin. '
        "`request.url` has scheme, host and query in it, which the caller chooses. Use `match`, or "
        '`request.path.glob("/admin/**")`, which holds for /admin too.'
    ),
    "AZ409": "No expression reads the data. It was left over, or a rule that should read it does not.",
    "AZ410": "No policy names the provider, so that nobody is identified by it.",
    "AZ411": "Nothing in the document reads the variable. It was left over, or a rule that should read it does not.",
    "AZ412": (
        "The header is not the caller's word, or not theirs alone. `x-forwarded-for` and its kin hold what was sent: "
        "`client.ip` is the address behind proxies that are trusted (`client.trusted_hops`). "
        "`x-envoy-*` means something to Envoy and is removed from requests from outside. What belongs to one "
        "connection does not get here."
    ),
    "AZ413": (
        "The document reads bodies, and nothing says how long they may be. Envoy has to buffer what is read here, up "
        "to a bound: say it in `validate` with `max_bytes`; `authz envoy` then asks for as much. A longer body is not "
        "read in part: rules that read it deny."
    ),
    "AZ414": (
        "Never equal: hosts are compared in lower case and without port, methods as they are sent, header names in "
        "lower case, and a path begins with a slash and has no query."
    ),
    "AZ415": (
        "No file of tests (`*_test.yaml`) is about the policies of this folder. What a policy lets through is only "
        "known when it is tried, and only stays so when that is repeated: `authz test --coverage`."
    ),
    "AZ416": "The annotation `authz/ignore` names a code that no warning of the document has. Remove it.",
    "AZ417": (
        "`authz check --cross-check` evaluated the expression with both CEL engines, and they came to different "
        "values. One of them is wrong, or CEL leaves open what the expression leans on: doubles beyond 53 bits, say. "
        "The service believes the first, cel-expr-python. Say it in another way that both see alike."
    ),
}
"""What each code means, a paragraph each."""
