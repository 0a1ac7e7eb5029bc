"""The faults a policy can have: a stable code for each class, and what to do about it.

A code never changes its meaning and is never used again for another. AZ0xx is about files and YAML, AZ1xx about
documents and their keys, AZ2xx about what only shows when documents are compiled together. `EXPLAINED` is what
`authz help CODE` prints: why this is a fault, and the way out of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Code(StrEnum):
    """The code of a fault."""

    ENCODING = "AZ001"
    SYNTAX = "AZ002"
    SIZE = "AZ003"
    DUPLICATE_KEY = "AZ004"
    ALIAS = "AZ005"
    TAG = "AZ006"
    KEY = "AZ007"
    AMBIGUOUS = "AZ008"
    EMPTY = "AZ009"
    API_VERSION = "AZ101"
    KIND = "AZ102"
    UNKNOWN_KEY = "AZ103"
    MISSING_KEY = "AZ104"
    TYPE = "AZ105"
    CHOICE = "AZ106"
    RANGE = "AZ107"
    NAME = "AZ108"
    NAME_TAKEN = "AZ109"
    TOGETHER = "AZ110"
    HEADER = "AZ111"
    PATH = "AZ112"
    HOST = "AZ113"
    METHOD = "AZ114"
    RATE = "AZ115"
    DURATION = "AZ116"
    NETWORK = "AZ117"
    FILE = "AZ118"
    MEDIA_TYPE = "AZ119"
    LOCATION = "AZ120"
    UNAVAILABLE = "AZ121"
    GUARDRAIL = "AZ122"
    MOMENT = "AZ123"
    DIGEST = "AZ124"
    TIME_ZONE = "AZ125"
    COOKIE = "AZ126"
    PASSWORD = "AZ127"  # noqa: S105 - the code of a fault
    USER = "AZ128"
    ORIGIN = "AZ129"
    UNNAMED = "AZ130"


EXPLAINED: Mapping[str, str] = {
    "AZ001": (
        "The file is not plain UTF-8 text: it has bytes that are no UTF-8, a byte order mark, a control "
        "character, or a character that makes a line look different from what it says (bidirectional overrides, "
        "line separators). Save it as UTF-8 without byte order mark; where such a character is meant, write it "
        "as an escape in double quotes."
    ),
    "AZ002": (
        "The file is not YAML. The message is the scanner's, and the place is where it gave up, which can be a "
        "line behind the mistake. Look for a wrong indentation, a tab, an unclosed bracket or quote, and for a "
        "text that needs quotes because it has ': ' or ' #' in it or begins with one of & * ! | > % @ ` { [ \" "
        "'."
    ),
    "AZ003": (
        "The file is too large or nested too deeply to be something a person wrote. A file holds at most 1 MiB "
        "and 64 levels. Put long lists into a file of data beside the document: `networks: {file: risky.txt}`."
    ),
    "AZ004": (
        "A mapping has the same key twice. Most readers of YAML silently keep the last one, so that a second "
        "`rules` would make the first disappear. Join the two, or remove one."
    ),
    "AZ005": (
        "Anchors (&name), aliases (*name) and merges (<<) are not read: they make a small file large, and what "
        "a rule says should stand where the rule is. Write it out; what is needed often belongs into "
        "`variables` or a `Data` document. A plain text that begins with & or * needs quotes."
    ),
    "AZ006": (
        "Tags (!name) and directives (%YAML, %TAG) are not read. Remove them: what a value is follows from its "
        "key. A text that begins with ! needs quotes, as in when: '!identity.authenticated'."
    ),
    "AZ007": "A key of a mapping is not a text. Numbers, true, false and null have to be quoted where they are keys.",
    "AZ008": (
        "Readers of YAML do not agree what this says: True is a boolean to some and a text to others, 012 is "
        "twelve or ten. Write true or false, write the number without leading zeros, or quote it if it is a "
        "text."
    ),
    "AZ009": "The file holds no document: it is empty, or everything in it is a comment.",
    "AZ101": (
        "A document begins with `apiVersion: authz/v1`. It is how a file says that it is meant for this program."
    ),
    "AZ102": "A document says its kind: Policy, Guardrail or Data. Names of kinds are written exactly so.",
    "AZ103": (
        "The key is not known here. Keys are never ignored, because a misspelled `deny` that is ignored allows. "
        "The message names the key that was probably meant, or where in the document the key belongs."
    ),
    "AZ104": "Something that has to be said is missing: a key, or one of several keys of which one has to be there.",
    "AZ105": (
        "The value is of another kind than the key wants: a number where a text is wanted, one value instead of "
        "a list, nothing at all. YAML takes 1.10 and 404 for numbers; where they are texts they need quotes. A "
        "key that is given has a value: leave the key out to leave it open."
    ),
    "AZ106": "The value is not one of the words that the key knows. The message lists them.",
    "AZ107": "The number, or the length of the list, is outside of what the key can mean.",
    "AZ108": (
        "A name has letters, digits, '.', '_' and '-', at most 63 of them, a letter or digit at both ends. "
        "Names that expressions read (`data.<name>`, `variables.<name>`, path captures) have letters, digits "
        "and '_' only, do not begin with a digit and are no word of CEL."
    ),
    "AZ109": (
        "Two things of one kind have one name, and records could not tell them apart. Documents are unique by "
        "kind over all folders; rules, limits and validations inside their document."
    ),
    "AZ110": "Two keys contradict each other, or a key has no meaning beside another. The message names both.",
    "AZ111": (
        "Header names are lower case here, as in HTTP/2. Pseudo headers, host, content-length and what belongs "
        "to the connection cannot be written or removed by a rule: Envoy would refuse it or ignore it. Values "
        "are one line without control characters; end a block with |- to drop its last line break."
    ),
    "AZ112": (
        "A path template is matched by segment: literal, `{name}` or `*` for one, `**` at the end for the rest. "
        "What no canonical request can have (empty or dot segments, `;parameters`, invalid escapes) would never "
        "match, and half a segment of wildcard would be read differently by every reader."
    ),
    "AZ113": (
        "A host is exact, or `*.` and a host for one or more labels in front of it. Requests are matched in "
        "lower case and without port, so a pattern with either would never match."
    ),
    "AZ114": "Methods are case-sensitive: `get` is not GET, and no client sends it.",
    "AZ115": (
        "A rate is N/second, N/minute, N/hour or N/day, or `{requests: N, per: 90s}` for any other time; N/month where "
        "the limit has `align: month`."
    ),
    "AZ116": "A duration is numbers with units, the largest first: 90s, 5m, 1h30m, 24h, 7d, 250ms.",
    "AZ117": (
        "A network is an address with a prefix (203.0.113.0/24, 2001:db8::/32), or one address. Bits behind the "
        "prefix are a fault, because it cannot be seen which of the two was meant."
    ),
    "AZ118": (
        "A file is named relative to the folder of the document that names it, and lies in it or below. It is "
        "read with the policies, from the same folders."
    ),
    "AZ119": "A media type is type/subtype in lower case, without parameters: application/json.",
    "AZ120": (
        "A redirect leads to an absolute URL (https://...), to a path on the same host (/...), or to a `${...}`. Where "
        "a `${...}` says which host, that must be the request's own or one of `allowed_hosts`."
    ),
    "AZ121": (
        "The kind is known, but documents of this kind are not served from here. The message says where they belong."
    ),
    "AZ122": (
        "A guardrail cannot allow: it states what no policy may widen. Write the contrary as a deny rule, or "
        "put the allow rule into a Policy."
    ),
    "AZ123": "A time is written as in RFC 3339, with its offset: 2026-11-23T12:00:00Z.",
    "AZ124": (
        "An API key is known by its digest: 64 hex digits in lower case, of SHA-256 or of HMAC-SHA-256. A key that was "
        "written there in the clear is no secret any more: make a new one with `authz keys new`."
    ),
    "AZ125": (
        "A time zone is a name of the IANA database, as `timedatectl list-timezones` prints them: UTC, Europe/Berlin, "
        "America/New_York. Abbreviations and offsets do not know when summer begins."
    ),
    "AZ126": (
        "A cookie's name is a token, its value has no spaces, quotes, commas, semicolons and backslashes, its path "
        "begins with a slash. Browsers drop a cookie that breaks the rules of its name's prefix or of SameSite=None."
    ),
    "AZ127": (
        "A password is known by a hash that is slow to guess from: bcrypt of cost 10 to 14, or argon2id of at least "
        "7 MiB and as much work as OWASP advises. Plain text, MD5 (apr1), SHA-1 and crypt are not taken. `authz keys "
        "password` makes an entry, `htpasswd -B -C 12` a line; a password that was written there in the clear is no "
        "secret any more."
    ),
    "AZ128": (
        "A user name in HTTP Basic (RFC 7617) is at most 128 characters without a colon, which ends it, and without "
        "control characters."
    ),
    "AZ129": (
        "An origin is compared letter by letter with what browsers send: a scheme, a host in lower case, a port unless "
        "it is the scheme's own, and nothing behind it. `null` is what any page can make itself, so it cannot be named."
    ),
    "AZ130": (
        "A test names something that is not there: a request or an identity of the document, a provider, a rule, a "
        "limit or a document of the policies under test. Such a test would show nothing. The message names the "
        "nearest one."
    ),
    "AZ201": "Variables, or documents, refer to each other in a circle, so that none of them can be evaluated first.",
    "AZ202": (
        "The text is not a template: a `${` is not closed, or holds nothing. Write `$${` for a literal `${`. "
        "The expression inside is CEL; a quote or brace in it has to be closed there."
    ),
    "AZ203": "A policy names an identity provider that no document defines.",
    "AZ204": (
        "The schema of a validation is not JSON Schema 2020-12, or refers to something outside of the given files."
    ),
    "AZ205": "A file of data is not what its ending says, or does not hold what its document wants of it.",
    "AZ206": (
        "What an identity provider needs cannot be used: a key set without a usable key, a secret that cannot be "
        "read, a file of certificates that is none. The message says which and why."
    ),
    "AZ207": (
        "What a `${...}` stands for is escaped in a page, which makes it harmless in text and in quoted attributes "
        "that are text. In a script, a style, a comment, a tag's name, an event handler or at the start of a URL it "
        "could still take over the page. Move it, or give the page a `data-` attribute that its script reads."
    ),
    "AZ208": (
        "The OpenAPI document of a validation is not one of OpenAPI 3.0 or 3.1, refers to something outside of its "
        "folder, or demands something that cannot be checked here. What cannot be checked is a fault and not a gap: "
        "change the document, or say in the validation what is to be taken unread."
    ),
    "AZ209": (
        "`request.grpc_message` is read by descriptors: a FileDescriptorSet beside the policy, with everything that "
        "its files import, as `protoc --include_imports -o orders.pb orders.proto` and `buf build -o orders.pb` write."
    ),
    "AZ300": "The expression cannot be compiled, and the engine said why in words of its own.",
    "AZ301": "The expression is not CEL: the place is where the parser could not go on.",
    "AZ302": (
        "The expression reads a name, or calls a function, that does not exist. The message names the nearest "
        "one. Names are listed in the chapter on what an expression can read; variables and data are read as "
        "`variables.<name>` and `data.<name>`."
    ),
    "AZ303": (
        "The value has no such field. Fields of requests, identities and peers are known when a policy is read, "
        "so a misspelled one is found here and not in a request."
    ),
    "AZ304": (
        "Something is of another type than its place wants: an operand, an argument, or the result, where a "
        "condition is a bool and a cost an integer. Values that come from a client (`request.json`, claims) "
        "have no known type; convert them where they are compared."
    ),
    "AZ305": "The function wants a literal here, so that what it does is known when the policy is read.",
    "AZ306": (
        "The pattern, network, duration, timestamp or time zone is not one. Patterns are literals in the "
        "syntax of RE2: no look-around, no back-references."
    ),
    "AZ307": (
        "Too many loops (`all`, `exists`, `map`, `filter`) inside one another: their cost multiplies. Look "
        "things up in a map, or use `inSet`, `hasAny` and `hasAll`."
    ),
    "AZ308": "The expression is too long or too deep. Split it up with `variables`.",
    "AZ309": (
        "The result may be many times as long as what it is made of, and a client may choose what it is made "
        "of. Write less of it."
    ),
    "AZ310": (
        "`has()` asks for a key inside a value, as in has(identity.claims.tenant). A name such as "
        "`request.method` is a variable, which is always there; compare it, or leave the question out."
    ),
    "AZ311": "The function or form is not available on the engine in use.",
}
"""What each code means, a paragraph each."""
