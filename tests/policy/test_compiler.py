"""All files to policies, or every fault; and again, at the price of what changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authz.content import SchemaValidators
from authz.errors import PolicyFaults
from authz.policy import Compiler, PolicySet
from authz.policy.pauses import MAKING

GUARDRAIL = """\
apiVersion: authz/v1
kind: Guardrail
metadata: {name: risky}
spec:
  rules: [{name: listed, deny: 'client.ip.inSet(data.risky)'}]
"""
RISKY = """\
apiVersion: authz/v1
kind: Data
metadata: {name: risky}
spec: {networks: {file: risky.txt}}
"""
ORDERS = """\
apiVersion: authz/v1
kind: Policy
metadata: {name: orders}
spec:
  match: [{paths: ["/orders"]}]
  validate: [{name: body, when: request.method == "POST", schema: order.json}]
  rules:
    - name: tenants
      allow: '"acme" in data.tenants'
"""
TENANTS = """\
apiVersion: authz/v1
kind: Data
metadata: {name: tenants}
spec: {values: [acme]}
"""
FILES = {
    "a/risky.yaml": GUARDRAIL + "---\n" + RISKY,
    "a/risky.txt": "10.0.0.0/8",
    "b/orders.yaml": ORDERS,
    "b/tenants.yaml": TENANTS,
    "b/order.json": '{"type": "object"}',
    "b/README.md": "what this is",
    "b/orders_test.yaml": "no: document",
}


def compile_texts(compiler: Compiler, files: Mapping[str, str]) -> PolicySet:
    """Compile texts by path."""
    return compiler.compile({path: text.encode() for path, text in files.items()})


def faults(compiler: Compiler, files: Mapping[str, str]) -> list[str]:
    """Return every fault of some files as it is shown."""
    with pytest.raises(PolicyFaults) as caught:
        compile_texts(compiler, files)
    return [str(fault) for fault in caught.value.faults]


def bodies(policies: PolicySet) -> dict[str, object]:
    """Return the compiled documents by name, to see which are the same."""
    entries: dict[str, object] = {}
    for root in policies._index._hosts.values():
        stack = [root]
        while stack:
            node = stack.pop()
            stack += [*node.literal.values(), *([node.wild] if node.wild else [])]
            for leaf in (*node.open.values(), *node.closed.values()):
                entries |= {match.document.name: match.document for match in leaf.matches}
    return entries


def test_every_fault_of_every_file_comes_at_once(compiler: Compiler) -> None:
    """Faults of reading, of expressions, of names and of files beside are shown together, in order, with carets."""
    broken = """\
apiVersion: authz/v1
kind: Policy
metadata: {name: orders}
spec:
  match: [{paths: ["/orders"]}]
  identity: {providers: [staf]}
  variables: {tenant: 'request.headrs["x-tenant"]'}
  validate:
    - {name: lost, schema: nowhere.json}
    - {name: bad, schema: {type: nonsense}}
  rules:
    - name: readers
      allow: request.methd == "GET"
      request_headers: {set: {x-a: "a ${identity.sub}"}}
    - name: typed
      deny: request.method
    - name: several
      redirect: "/${nope}${1 +}"
      when: |-
        request.method == "GET"
        && reqest.path == "/"
  limits:
    - {name: l, key: identity.subjct, rate: 3/minute, cost: '"a"'}
"""
    shown = faults(compiler, {"a.yaml": broken, "b.yaml": ORDERS, "c.yaml": TENANTS, "d.yaml": "kind: Polcy\n"})
    heads = [text.splitlines()[0] for text in shown]
    assert heads == [
        'a.yaml:6:26: AZ203 no identity provider is called "staf" (did you mean "staff"?)',
        'a.yaml:7:24: AZ302 variable "tenant": undeclared variable "request.headrs" (did you mean "request.headers"?)',
        'a.yaml:9:28: AZ118 the file "nowhere.json" is not there',
        *[head for head in heads if head.startswith("a.yaml:10:")],
        'a.yaml:13:14: AZ302 rule "readers": undeclared variable "request.methd" (did you mean "request.method"?)',
        'a.yaml:14:41: AZ302 rule "readers": undeclared variable "identity.sub" (did you mean "identity.subject"?)',
        *[head for head in heads if head.startswith("a.yaml:16:")],
        'a.yaml:18:21: AZ302 rule "several": undeclared variable "nope" (a text is in quotes: "nope")',
        *[head for head in heads if head.startswith("a.yaml:18:3")],
        'a.yaml:21:12: AZ302 rule "several": undeclared variable "reqest.path" (did you mean "request.path"?)',
        'a.yaml:23:22: AZ302 limit "l": undeclared variable "identity.subjct" (did you mean "identity.subject"?)',
        *[head for head in heads if head.startswith("a.yaml:23:6")],
        'b.yaml:3:18: AZ109 Policy "orders" is already in a.yaml:3',
        'b.yaml:6:67: AZ118 the file "order.json" is not there',
        *[head for head in heads if head.startswith("d.yaml")],
    ]
    counts = {line: sum(head.startswith(f"a.yaml:{line}:") for head in heads) for line in range(1, 25)}
    assert (counts[10], counts[16], counts[18], counts[23]) == (1, 1, 2, 2)
    assert shown[4] == (
        'a.yaml:13:14: AZ302 rule "readers": undeclared variable "request.methd" (did you mean "request.method"?)\n'
        '          allow: request.methd == "GET"\n'
        "                 ^^^^^^^^^^^^^"
    )


def test_a_key_that_is_no_text_is_a_fault(compiler: Compiler) -> None:
    """C3: what could never tell callers apart denies nobody at run time, but the policy when it is read."""
    limits = "  limits: [{name: l, key: [client.ip, request.segments], rate: 1/minute}]\n"
    policy = 'apiVersion: authz/v1\nkind: Policy\nmetadata: {name: p}\nspec:\n  match: [{paths: ["/**"]}]\n'

    (fault,) = faults(compiler, {"p.yaml": policy + limits})
    assert fault.startswith('p.yaml:6:39: AZ304 limit "l": the result is list(string), and a text is expected')


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({"a.yaml": TENANTS + "---\n" + TENANTS}, 'a.yaml:8:18: AZ109 Data "tenants" is already in a.yaml:3'),
        ({"b.yaml": TENANTS, "a/x.yaml": TENANTS}, 'b.yaml:3:18: AZ109 Data "tenants" is already in a/x.yaml:3'),
    ],
)
def test_names_are_unique_per_kind_over_all_folders(compiler: Compiler, files: dict[str, str], fault: str) -> None:
    """L7: the second document of a kind and a name is a fault that names the first."""
    assert [text.splitlines()[0] for text in faults(compiler, files)] == [fault]


def test_kinds_have_names_of_their_own(compiler: Compiler) -> None:
    """A policy, a guardrail and data may share a name."""
    names = TENANTS.replace("tenants", "orders").replace("acme", "x")
    shared = FILES | {"c.yaml": names, "d.yaml": GUARDRAIL.replace("name: risky", "name: orders")}
    assert [document.name for document in compile_texts(compiler, shared).documents].count("orders") == 3


def test_one_of_two_volumes_missing_is_a_fault(compiler: Compiler) -> None:
    """L7: policies that read what another folder defines cannot be served without it."""
    present = {path: text for path, text in FILES.items() if path.startswith("b/")}
    present["b/orders.yaml"] = ORDERS.replace("data.tenants", "data.shared")
    assert 'undeclared variable "data.shared"' in faults(compiler, present)[0]


def test_an_unchanged_document_is_not_compiled_again(compiler: Compiler) -> None:
    """Of several files only what changed is read and compiled again; the rest is the very same."""
    first = bodies(compile_texts(compiler, FILES))
    second = bodies(compile_texts(compiler, FILES | {"b/orders.yaml": ORDERS.replace("acme", "globex")}))
    assert second["risky"] is first["risky"]
    assert second["orders"] is not first["orders"]


@pytest.mark.parametrize(
    ("path", "text", "changed"),
    [
        ("b/tenants.yaml", TENANTS.replace("acme", "globex"), set()),
        ("b/tenants.yaml", TENANTS.replace("[acme]", "[acme, 1]"), {"orders"}),
        ("b/order.json", '{"type": "array"}', {"orders"}),
        ("a/risky.txt", "11.0.0.0/8", set()),
        ("b/README.md", "something else", set()),
    ],
)
def test_a_document_is_compiled_again_when_what_it_needs_changed(
    path: str, text: str, changed: set[str], compiler: Compiler
) -> None:
    """Another type of data or another schema means compiling again; other values of data do not."""
    first = bodies(compile_texts(compiler, FILES))
    second = bodies(compile_texts(compiler, FILES | {path: text}))
    assert {name for name in first if second[name] is not first[name]} == changed


def decided(policies: PolicySet, make: Any, **words: Any) -> str:
    """Return the effect for a request."""
    facts = make.facts(make.request({"path": "/orders", **words}), None, words.pop("ip", "203.0.113.9"))
    return policies.select(facts.request).decide(facts).effect.value


def test_values_of_data_are_those_of_the_set(compiler: Compiler, make: Any) -> None:
    """New values of data are in force with the new policies, and the old policies keep theirs."""
    old = compile_texts(compiler, FILES)
    new = compile_texts(compiler, FILES | {"b/tenants.yaml": TENANTS.replace("acme", "globex")})
    assert [decided(old, make), decided(new, make), decided(old, make)] == ["allow", "deny", "allow"]


def test_what_was_served_stays_after_a_failed_attempt(compiler: Compiler, make: Any) -> None:
    """L3: faults leave the last policies as they are, and the next attempt is whole again."""
    old = compile_texts(compiler, FILES)
    faults(compiler, FILES | {"b/orders.yaml": ORDERS.replace("acme", '"')})
    assert decided(old, make) == "allow"
    again = compile_texts(compiler, FILES)
    assert (again.digest, decided(again, make)) == (old.digest, "allow")


def test_documents_come_and_go(compiler: Compiler, make: Any) -> None:
    """A document that was removed decides nothing any more, one that is off does not either."""
    closing = GUARDRAIL.replace("risky}", "closed}").replace("client.ip.inSet(data.risky)", "true")
    assert decided(compile_texts(compiler, FILES | {"c.yaml": closing}), make) == "deny"
    assert decided(compile_texts(compiler, FILES), make) == "allow"
    assert decided(compile_texts(compiler, FILES | {"c.yaml": closing}), make) == "deny"
    off = closing.replace("spec:", "spec:\n  mode: 'off'")
    assert decided(compile_texts(compiler, FILES | {"c.yaml": off}), make) == "allow"


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["a/risky.yaml", "b/orders.yaml", "b/tenants.yaml", "a/risky.txt", "b/order.json", "c.yaml"]),
        st.sampled_from(["gone", "as it was", "acme to globex", "name to other", "broken", "shadow"]),
    ),
    max_size=6,
)


def changed(files: dict[str, str], path: str, change: str) -> dict[str, str]:
    """Return files after one change."""
    files = dict(files)
    text = FILES.get(path, GUARDRAIL.replace("name: risky", "name: new"))
    match change:
        case "gone":
            files.pop(path, None)
        case "as it was":
            files[path] = text
        case "acme to globex":
            files[path] = text.replace("acme", "globex").replace("10.0", "203.0")
        case "name to other":
            files[path] = text.replace("name: orders", "name: other")
        case "broken":
            files[path] = text + "}"
        case "shadow":
            files[path] = text.replace("spec:\n", "spec:\n  mode: shadow\n")
    return files


def outcome(compiler: Compiler, files: Mapping[str, str], make: Any) -> object:
    """Return what a compiler makes of files: its faults, or digest and decisions."""
    try:
        policies = compile_texts(compiler, files)
    except PolicyFaults as error:
        return error.faults
    answers = []
    for ip in ("203.0.113.9", "10.1.1.1"):
        for words in ({}, {"method": "POST", "json": {}}, {"method": "POST", "json": []}):
            facts = make.facts(make.request({"path": "/orders", **words}), None, ip)
            answers.append(policies.select(facts.request).decide(facts))
    return policies.digest, answers


@given(CHANGES)
@settings(max_examples=40)
def test_what_was_compiled_before_never_shows(make: Any, changes: list[tuple[str, str]]) -> None:
    """L10: after any history of changes a compiler gives what a new one gives: the same faults, the same decisions."""
    kept = Compiler(validators=SchemaValidators())
    files = dict(FILES)
    for path, change in changes:
        files = changed(files, path, change)
        assert outcome(kept, files, make) == outcome(Compiler(validators=SchemaValidators()), files, make)


def test_the_digest_names_what_is_served(compiler: Compiler) -> None:
    """Order and files nobody names do not change the digest; any byte of what is served does."""
    digest = compile_texts(compiler, FILES).digest
    assert len(digest) == 64
    assert compile_texts(compiler, dict(reversed(FILES.items()))).digest == digest
    assert compile_texts(compiler, FILES | {"b/README.md": "x"}).digest == digest
    assert compile_texts(compiler, FILES | {"b/orders_test.yaml": "x"}).digest == digest
    for path in ("a/risky.yaml", "a/risky.txt", "b/order.json", "b/tenants.yaml"):
        assert compile_texts(compiler, FILES | {path: FILES[path] + " "}).digest != digest, path


def test_whoever_serves_can_have_the_processor_between_documents() -> None:
    """`pause` is called at every file, and at every document that is made: many of them take long."""
    pauses: list[None] = []
    compiler = Compiler(validators=SchemaValidators(), pause=lambda: pauses.append(None))
    compile_texts(compiler, FILES)
    assert len(pauses) >= 3 + 4
    pauses.clear()
    compile_texts(compiler, FILES)
    assert len(pauses) >= 3


def test_a_document_of_many_rules_is_compiled_in_steps() -> None:
    """`pause` is called between rules, validations and limits: each has expressions, which take a while."""
    steps = []
    for many in (1, 20):
        pauses: list[None] = []
        compiler = Compiler(validators=SchemaValidators(), pause=lambda pauses=pauses: pauses.append(None))
        rules = "".join(f"    - {{name: n{number}, allow: '\"acme\" in data.tenants'}}\n" for number in range(many))
        limits = "".join(f"    - {{name: n{number}, key: [client.ip], rate: 3/minute}}\n" for number in range(many))
        checks = "".join(f"    - {{name: n{number}, max_bytes: 10}}\n" for number in range(many))
        text = f"{ORDERS.partition('  validate')[0]}  rules:\n{rules}  limits:\n{limits}  validate:\n{checks}"
        compile_texts(compiler, {"a.yaml": text, "d.yaml": TENANTS})
        pauses.clear()
        compile_texts(compiler, {"a.yaml": text, "d.yaml": TENANTS.replace("acme", "acme, 1")})  # of another type
        steps.append(len(pauses))
    assert steps[1] - steps[0] == 3 * 19


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("risky.txt", [f"10.{number >> 8}.{number & 255}.0/24" for number in range(2000)]),
        ("risky.json", ["[", ",".join(f'"10.{number >> 8}.{number & 255}.0/24"' for number in range(2000)), "]"]),
        ("risky.yaml", [f"- 10.{number >> 8}.{number & 255}.0/24" for number in range(2000)]),
    ],
)
def test_much_data_is_read_in_steps(name: str, lines: list[str]) -> None:
    """A list of a hundred thousand networks takes a second: checks must not stand still for it."""
    pauses: list[None] = []
    compiler = Compiler(validators=SchemaValidators(), pause=lambda: pauses.append(None))
    texts = {"a.yaml": RISKY.replace("risky.txt", name), name: "\n".join(lines)}
    compile_texts(compiler, texts)
    assert len(pauses) >= 2 * 2000 / MAKING


def test_documents_of_files_that_stay_are_not_looked_at_one_by_one() -> None:
    """A change costs what changed and a look at each file: the same steps, however many documents the others hold."""
    steps = []
    for many in (2, 50):
        pauses: list[None] = []
        compiler = Compiler(validators=SchemaValidators(), pause=lambda pauses=pauses: pauses.append(None))
        names = [f"name: n{number}" for number in range(many)]
        files = FILES | {"many.yaml": "---\n".join(TENANTS.replace("name: tenants", name) for name in names)}
        files |= {"more.yaml": "---\n".join(GUARDRAIL.replace("name: risky", name) for name in names)}
        compile_texts(compiler, files)
        pauses.clear()
        compile_texts(compiler, files | {"b/orders.yaml": ORDERS.replace("acme", "globex")})
        steps.append(len(pauses))
    assert steps[0] == steps[1]


def test_schemas_can_refer_to_files_beside_them(serve: Callable[..., PolicySet], make: Any) -> None:
    """A `$ref` leads to a file beside the schema, which is watched like any other."""
    policies = serve(
        ORDERS.replace("data.tenants", '["acme"]'),
        **{"order.json": '{"$ref": "item.json"}', "item.json": '{"type": "object", "required": ["sku"]}'},
    )
    assert decided(policies, make, method="POST", json={"sku": 1}) == "allow"
    assert decided(policies, make, method="POST", json={}) == "deny"
    with pytest.raises(PolicyFaults, match="order"):
        serve(ORDERS.replace("data.tenants", '["acme"]'), **{"order.json": '{"$ref": "lost.json"}'})


def test_what_is_planned_for_documents_that_stay_is_kept(make: Any) -> None:
    """A change of one document costs requests about others nothing; another value of data, or another name, does."""
    compiler = Compiler(validators=SchemaValidators())
    one = (
        "apiVersion: authz/v1\nkind: Policy\nmetadata: {{name: {0}}}\n"
        'spec:\n  match: [{{paths: ["/{0}"]}}]\n  rules: [{{name: r, allow: {1}}}]\n'
    )
    data = "apiVersion: authz/v1\nkind: Data\nmetadata: {{name: d}}\nspec: {{map: {{on: {0}}}}}\n"
    files = {"a.yaml": one.format("a", "data.d.on"), "b.yaml": one.format("b", "true"), "d.yaml": data.format("true")}

    def plans(changed: dict[str, str]) -> list[object]:
        policies = compile_texts(compiler, files | changed)
        return [policies.select(make.request({"path": path})).plan for path in ("/a", "/b", "/none")]

    first = plans({})
    assert [a is b for a, b in zip(first, plans({}), strict=True)] == [True, True, True]
    assert [a is b for a, b in zip(first, plans({"b.yaml": one.format("b", "false")}), strict=True)] == [
        True,
        False,
        True,
    ]
    before = plans({})
    assert [a is b for a, b in zip(before, plans({"d.yaml": data.format("false")}), strict=True)] == [False] * 3
    before = plans({})
    named = files["b.yaml"] + "  variables: {v: request.path}\n"
    assert [a is b for a, b in zip(before, plans({"b.yaml": named}), strict=True)] == [False] * 3


def test_a_kept_plan_decides_by_the_documents_in_force(make: Any) -> None:
    """A document that joins or leaves what governs a path is asked, or not asked, from then on."""
    compiler = Compiler(validators=SchemaValidators())
    everybody = (
        "apiVersion: authz/v1\nkind: Policy\nmetadata: {name: all}\n"
        'spec: {match: [{paths: ["/**"]}], rules: [{name: r, allow: true}]}\n'
    )
    frozen = (
        "apiVersion: authz/v1\nkind: Guardrail\nmetadata: {name: freeze}\n"
        'spec: {match: [{paths: ["/a/**"]}], rules: [{name: r, deny: true}]}\n'
    )
    for extra, effects in (({}, ["allow", "allow"]), ({"g.yaml": frozen}, ["deny", "allow"])) * 3:
        policies = compile_texts(compiler, {"a.yaml": everybody, **extra})
        assert [decided(policies, make, path=path) for path in ("/a/x", "/b")] == effects


def test_what_is_kept_of_plans_that_are_gone_is_forgotten(make: Any) -> None:
    """However often policies change, no decision and no document of an earlier state stays in memory."""
    compiler = Compiler(validators=SchemaValidators())
    one = (
        "apiVersion: authz/v1\nkind: Policy\nmetadata: {{name: {0}}}\n"
        'spec:\n  match: [{{paths: ["/{0}"]}}]\n  rules: [{{name: r, allow: request.method == "{1}"}}]\n'
    )
    for number in range(10):
        policies = compile_texts(compiler, {"a.yaml": one.format("a", f"M{number}"), "b.yaml": one.format("b", "GET")})
        assert decided(policies, make, path="/a", method=f"M{number}") == "allow"
        assert decided(policies, make, path="/b") == "allow"
        assert len(policies.select(make.request({"path": "/b"})).plan.world.remembered) == 2
