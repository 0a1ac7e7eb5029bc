"""From an OpenAPI document to policies to start from, with their tests; the parts are pure but for `files`.

`reading` finds what the document says, `grouping` which operations make one policy, `proving` who proves identities,
`policies` and `suites` write documents, `samples` makes requests that fit, and `files` reads and writes the disk.
"""

from authz.cli.from_openapi.files import write
from authz.cli.from_openapi.policies import Wanted, made
from authz.cli.from_openapi.proving import Issuing, Missing
from authz.cli.from_openapi.reading import read

__all__ = ["Issuing", "Missing", "Wanted", "made", "read", "write"]
