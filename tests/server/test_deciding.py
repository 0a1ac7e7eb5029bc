"""What decides, joined without a server around it."""

from authz.server.deciding import compiler, ids

POLICY = b"""\
apiVersion: authz/v1
kind: Policy
metadata: {name: all}
spec:
  match: [{paths: ["/**"]}]
  rules: [{name: r, allow: 'true'}]
"""


def test_every_engine_compiles() -> None:
    """Each name of the setting is an engine."""
    digests = {compiler(name).compile({"a.yaml": POLICY}).digest for name in ("auto", "cel-expr-python", "cel-python")}
    assert len(digests) == 1


def test_no_two_decisions_have_one_id() -> None:
    """Neither in one process nor in two."""
    first, second = ids(), ids()
    made = [make() for make in (first, second) for _ in range(1000)]
    assert len(set(made)) == 2000
    assert all(len(one) == 32 and int(one, 16) >= 0 for one in made)
