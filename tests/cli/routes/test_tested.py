"""Which tests ask for which route."""

from authz.cli.routes.tested import asking
from authz.content import SchemaValidators
from authz.policy import Compiler, Exposure
from authz.testing import read_suites
from tests.cli.conftest import POLICY

TESTS = b"""\
apiVersion: authz/v1
kind: PolicyTest
metadata: {name: orders}
spec:
  requests:
    read: {url: "http://API.example.com/%6frders/./7"}
    twisted: {url: "http://api.example.com/orders/..%2f7"}
  cases:
    - {name: reads, request: read, expect: deny}
    - {name: twists, request: twisted, expect: deny}
  matrix:
    - {name: table, requests: [read], expect: {nobody: [deny]}}
"""


def test_a_request_is_read_as_the_service_reads_it() -> None:
    """Paths are canonical, hosts lower case, cells count; what could be read in two ways is of no route."""
    policies = Compiler(validators=SchemaValidators()).compile({"orders.yaml": POLICY.encode()})
    exposure = Exposure(policies.written)
    found = asking(exposure, read_suites({"orders_test.yaml": TESTS}))
    assert {line.path: titles for line, titles in found.items()} == {
        "/orders/{id}": ("orders / reads", "orders / table / nobody: read")
    }
