"""Data documents: typed, indexed, inline or from files, with every fault in its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from authz.errors import PolicyFaults
from authz.policy import PolicySet


def policy(condition: str) -> str:
    """Return a policy that allows where a condition holds."""
    return f"""
apiVersion: authz/v1
kind: Policy
metadata: {{name: p}}
spec: {{match: [{{paths: ["/**"]}}], rules: [{{name: r, allow: '{condition}'}}]}}
"""


def data(spec: str, name: str = "d") -> str:
    """Return a Data document."""
    return f"\n---\napiVersion: authz/v1\nkind: Data\nmetadata: {{name: {name}}}\nspec: {spec}\n"


@pytest.mark.parametrize(
    ("spec", "holds", "does_not"),
    [
        ("{networks: [10.0.0.0/8, '2001:db8::/32']}", "'10.1.2.3'.inSet(data.d)", "'11.1.2.3'.inSet(data.d)"),
        ("{values: [acme, globex]}", "'acme' in data.d && data.d[1] == 'globex'", "'x' in data.d"),
        ("{values: [1, 2]}", "2 in data.d && data.d[0] + 1 == 2", "3 in data.d"),
        ("{values: [1.5]}", "1.5 in data.d", "2.5 in data.d"),
        ("{values: [true]}", "data.d[0]", "!data.d[0]"),
        ("{values: [1, a, {b: 2}]}", "'a' in data.d && data.d[2].b == 2", "'b' in data.d"),
        ("{values: []}", "size(data.d) == 0", "'a' in data.d"),
        (
            "{map: {active: true, plans: {acme: [gold]}}}",
            "data.d.active && 'gold' in data.d.plans.acme",
            "'x' in data.d",
        ),
        ("{networks: {file: n.txt}}", "'192.0.2.7'.inSet(data.d)", "'192.0.3.7'.inSet(data.d)"),
        ("{networks: {file: n.csv}}", "'192.0.2.7'.inSet(data.d)", "'192.0.3.7'.inSet(data.d)"),
        ("{networks: {file: n.json}}", "'192.0.2.7'.inSet(data.d)", "'192.0.3.7'.inSet(data.d)"),
        ("{networks: {file: n.yaml}}", "'192.0.2.7'.inSet(data.d)", "'192.0.3.7'.inSet(data.d)"),
        ("{values: {file: v.txt}}", "'a b' in data.d && size(data.d) == 2", "'# no' in data.d"),
        ("{values: {file: v.csv}}", "data.d[0][1] == 'gold'", "data.d[0][0] == 'gold'"),
        ("{values: {file: column.csv}}", "'acme' in data.d", "'gold' in data.d"),
        ("{map: {file: v.csv}}", "data.d.acme == 'gold'", "data.d.acme == 'tin'"),
        ("{map: {file: wide.csv}}", "data.d.acme == 'gold'", "data.d.acme == 'since May'"),
        ("{values: {file: lines.csv}}", "'one\\ntwo' in data.d && size(data.d) == 2", "'onetwo' in data.d"),
        ("{map: {file: m.yaml}}", "data.d.a.b == 1", "data.d.a.b == 2"),
        ("{map: {file: m.json}}", "data.d.a.b == 1", "data.d.a.b == 2"),
    ],
)
def test_values(spec: str, holds: str, does_not: str, serve: Callable[..., PolicySet], make: Any) -> None:
    """Data reads as what it is, inline or from any kind of file."""
    files = {
        "n.txt": "# risky\n192.0.2.0/24\n\n2001:db8::/32\n",
        "n.csv": "192.0.2.0/24,found in May\n",
        "n.json": '["192.0.2.0/24"]',
        "n.yaml": "[192.0.2.0/24]",
        "v.txt": "a b\n# no\n c \n",
        "v.csv": 'acme,gold\n\n"glo,bex",tin\n',
        "column.csv": "acme\nglobex\n",
        "wide.csv": "acme,gold,since May\nglobex,tin\n",
        "lines.csv": '"one\ntwo"\nthree\n',
        "m.yaml": "a: {b: 1}",
        "m.json": '{"a": {"b": 1}}',
    }
    for condition, effect in ((holds, "allow"), (does_not, "deny")):
        named = {name: text for name, text in files.items() if name in spec}
        policies = serve(policy(condition.replace("'", "''")) + data(spec), **named)
        facts = make.facts(make.request({}))
        decision = policies.select(facts.request).decide(facts)
        assert (decision.effect, decision.errors) == (effect, ()), condition


def faults(serve: Callable[..., PolicySet], documents: str, **files: str) -> list[str]:
    """Return the first lines of every fault."""
    with pytest.raises(PolicyFaults) as caught:
        serve(documents, **files)
    return [str(fault).splitlines()[0] for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("spec", "files", "fault"),
    [
        ("{values: {file: no.txt}}", {}, 'p.yaml:4:23: AZ118 the file "no.txt" is not there'),
        (
            "{networks: {file: n.txt}}",
            {"n.txt": "10.0.0.0/8\n  10.0.0.1/8\n"},
            'n.txt:2:3: AZ117 "10.0.0.1/8" has bits behind its prefix (write "10.0.0.0/8")',
        ),
        (
            "{networks: {file: n.txt}}",
            {"n.txt": "nonsense"},
            'n.txt:1:1: AZ117 "nonsense" is neither a network nor an address',
        ),
        (
            "{networks: {file: n.json}}",
            {"n.json": '["10.0.0.0/8", 7]'},
            'p.yaml:4:25: AZ205 "n.json" does not hold a list of texts',
        ),
        ("{values: {file: m.yaml}}", {"m.yaml": "a: 1"}, 'p.yaml:4:23: AZ205 "m.yaml" does not hold a list'),
        ("{map: {file: v.txt}}", {"v.txt": "a"}, 'p.yaml:4:20: AZ205 "v.txt" does not hold a map'),
        (
            "{map: {file: v.csv}}",
            {"v.csv": "ab,c\na\n"},
            "v.csv:2:1: AZ205 a row of a map has a key and a value, and this one has 1 column",
        ),
        (
            "{map: {file: m.json}}",
            {"m.json": '{"a": 1,}'},
            "m.json:1:8: AZ205 not JSON: illegal trailing comma before end of object",
        ),
        (
            "{map: {file: m.json}}",
            {"m.json": '{"a": 1, "a": 2}'},
            'm.json:1:10: AZ004 "a" is already given in line 1 (join the two)',
        ),
        ("{map: {file: m.json}}", {"m.json": '{"a": NaN}'}, "m.json: AZ205 not usable JSON: NaN is no finite number"),
        (
            "{map: {file: m.json}}",
            {"m.json": '{"a": 1e999}'},
            "m.json: AZ205 not usable JSON: 1e999 is no finite number",
        ),
        (
            "{map: {file: m.json}}",
            {"m.json": '{"a": 9223372036854775808}'},
            "m.json: AZ205 not usable JSON: the integer 9223372036854775808 does not fit 64 bits",
        ),
        (
            "{map: {file: m.yaml}}",
            {"m.yaml": "a: 1\n---\nb: 1"},
            "m.yaml: AZ205 a file of data holds exactly one YAML document",
        ),
        (
            "{values: {file: v.csv}}",
            {"v.csv": 'b\n"a'},
            "v.csv:2:1: AZ205 not CSV: unexpected end of data, in the row that ends here",
        ),
    ],
)
def test_faults(spec: str, files: dict[str, str], fault: str, serve: Callable[..., PolicySet]) -> None:
    """What is wrong in a file is shown there; a file that is missing or of another form, at the key that names it."""
    found = faults(serve, data(spec).removeprefix("\n---\n"), **files)
    assert len(found) == 1
    assert found[0].startswith(fault)


def test_every_bad_network_of_a_file_is_told(serve: Callable[..., PolicySet]) -> None:
    """All faults of a file come at once."""
    found = faults(serve, data("{networks: {file: n.txt}}"), **{"n.txt": "x\n10.0.0.0/8\ny\n"})
    assert [place[:9] for place in found] == ["n.txt:1:1", "n.txt:3:1"]


def test_what_is_part_of_another_entry_is_shown_where_it_stands(serve: Callable[..., PolicySet]) -> None:
    """Nobody looks for a fault in a line that is in order."""
    found = faults(serve, data("{networks: {file: n.csv}}"), **{"n.csv": '10.0.0.1,a\n"10.0.0",c\n'})
    assert [place[:9] for place in found] == ["n.csv:2:2"]


def test_lone_surrogates_are_refused(serve: Callable[..., PolicySet]) -> None:
    """B8: a text that is no Unicode has no place in data."""
    assert "not usable JSON" in faults(serve, data("{map: {file: m.json}}"), **{"m.json": '{"a": "\\ud800"}'})[0]


def test_nobody_is_blamed_for_reading_data_at_fault(serve: Callable[..., PolicySet]) -> None:
    """A policy that reads data whose file is missing is not at fault itself."""
    found = faults(serve, policy('"a" in data.d') + data("{values: {file: no.txt}}"))
    assert len(found) == 1
    assert "no.txt" in found[0]


def test_a_misspelled_name_is_told_with_the_nearest(serve: Callable[..., PolicySet]) -> None:
    """A policy that reads data nobody defines is at fault."""
    found = faults(serve, policy('data.tennants[0] == "a"') + data("{values: [a]}", name="tenants"))
    assert "data.tenants" in found[0]


def test_a_type_error_is_found_at_load(serve: Callable[..., PolicySet]) -> None:
    """Data is typed: a list of texts holds no numbers."""
    assert len(faults(serve, policy("1 in data.d") + data("{values: [a]}"))) == 1


def test_a_file_is_policy_or_data(serve: Callable[..., PolicySet]) -> None:
    """A file of documents that is named as data is a fault: naming it must not make its policies vanish."""
    other = policy("true").replace("name: p", "name: q")
    found = faults(serve, policy("true") + data("{map: {file: q.yaml}}"), **{"q.yaml": other})
    assert found == ["q.yaml: AZ205 the file is named as data or as a schema, and holds documents: it cannot be both"]


def test_files_lie_beside_the_document(compiler: Any) -> None:
    """A name is looked up in the folder of the document that says it."""
    files = {"/etc/team/p.yaml": data("{values: {file: sub/v.txt}}").encode(), "/etc/team/sub/v.txt": b"a"}
    assert compiler.compile(files).documents[0].name == "d"
    with pytest.raises(PolicyFaults, match=r'the file "/etc/other/sub/v\.txt" is not there'):
        compiler.compile({path.replace("team/p", "other/p"): content for path, content in files.items()})


NOON = 1_795_435_200.0  # the time of these requests
UNTIL = "2026-11-23T12:00:10Z"
ENDS = f"until: {UNTIL}, ticket: OPS-1"


@pytest.mark.parametrize(
    ("spec", "condition", "files"),
    [
        (f"{{networks: [10.0.0.0/8, {{value: 203.0.113.9, {ENDS}}}]}}", "client.ip.inSet(data.d)", {}),
        (f"{{values: [globex, {{value: acme, {ENDS}}}]}}", "'acme' in data.d", {}),
        (f"{{values: [1, {{value: 2, {ENDS}}}]}}", "2 in data.d && size(data.d) == 2", {}),
        (f"{{map: {{acme: {{value: {{plan: gold}}, {ENDS}}}}}}}", "data.d.acme.plan == 'gold'", {}),
        ("{networks: {file: n.csv}}", "client.ip.inSet(data.d)", {"n.csv": f"value,until\n203.0.113.0/24,{UNTIL}\n"}),
        (
            "{values: {file: v.csv}}",
            "'acme' in data.d",
            {"v.csv": f"value, until, ticket, reason\nglobex,,OPS-1,\nacme,{UNTIL},OPS-2,pen test\n"},
        ),
        ("{map: {file: m.csv}}", "data.d.acme == 'gold'", {"m.csv": f"key,value,until\nacme,gold,{UNTIL}\nx,tin,\n"}),
        ("{values: {file: v.json}}", "'acme' in data.d", {"v.json": f'[{{"value": "acme", "until": "{UNTIL}"}}]'}),
        ("{map: {file: m.yaml}}", "data.d.a == 1", {"m.yaml": f"a: {{value: 1, {ENDS}}}"}),
        ("{networks: {file: n.yaml}}", "client.ip.inSet(data.d)", {"n.yaml": f"[{{value: 203.0.113.9, {ENDS}}}]"}),
    ],
)
def test_an_entry_counts_until_its_time(
    spec: str, condition: str, files: dict[str, str], serve: Callable[..., PolicySet], make: Any
) -> None:
    """Without a reload, for the request's time: what counts a moment before does not count at the moment."""
    policies = serve(policy(condition.replace("'", "''")) + data(spec), **files)
    for seconds, effect in ((0, "allow"), (9.999, "allow"), (10, "deny"), (1e9, "deny"), (0, "allow")):
        facts = make.facts(make.request({"time": NOON + seconds}))
        assert policies.select(facts.request).decide(facts).effect == effect, seconds
    assert {(entry.data, entry.until) for entry in policies.ending} == {("d", NOON + 10)}


@pytest.mark.parametrize(
    ("spec", "files", "fault"),
    [
        (
            "{values: {file: v.csv}}",
            {"v.csv": "value,until\nacme,soon\n"},
            'v.csv:2:6: AZ123 "soon" is not a time (RFC 3339 with its offset: 2026-11-23T12:00:00Z)',
        ),
        (
            "{values: {file: v.csv}}",
            {"v.csv": "value,untill\nacme,2026-11-23T12:00:00Z\n"},
            "v.csv:1:1: AZ205 the first row names the columns, each once (known: value, until, reason, ticket)",
        ),
        (
            "{values: {file: v.csv}}",
            {"v.csv": "value,until\nacme\n"},
            "v.csv:2:1: AZ205 the first row names 2 columns, and this one has 1",
        ),
        ("{map: {file: m.csv}}", {"m.csv": "a,1\nb,2\na,3\n"}, 'm.csv:3:1: AZ004 "a" is a key twice'),
        (
            "{networks: {file: n.json}}",
            {"n.json": '["10.0.0.0/8",\n {"value": "x", "until": "2026-11-23T12:00:00Z"}]'},
            'n.json:2:13: AZ117 "x" is neither a network nor an address',
        ),
    ],
)
def test_faults_of_entries_that_end(
    spec: str, files: dict[str, str], fault: str, serve: Callable[..., PolicySet]
) -> None:
    """In a file as in a document: at the word that is wrong."""
    assert faults(serve, data(spec).removeprefix("\n---\n"), **files) == [fault]


SECRET = "It's a Secret to Everybody"
SIGNED = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
GIVEN = 'request.headers[?"x-hub-signature-256"].orValue("")'
VERIFY = f'hash.equal("sha256=" + hash.hmac_sha256(data.d, request.body), {GIVEN})'


def test_a_secret_verifies_what_was_signed(serve: Callable[..., PolicySet], make: Any) -> None:
    """Until the file is exchanged; the line end an editor left is no part of the secret."""
    policies = serve(policy(VERIFY) + data("{secret: {file: hook.secret}}"), **{"hook.secret": f"{SECRET}\n"})
    request = {"method": "POST", "body": "Hello, World!", "headers": {"x-hub-signature-256": SIGNED}}
    for changed, effect in (
        ({}, "allow"), ({"body": "Hello, World?"}, "deny"), ({"headers": {}}, "deny"),
        ({"headers": {"x-hub-signature-256": SIGNED[:-1]}}, "deny"), ({"body_state": "truncated"}, "deny"),
    ):  # fmt: skip
        facts = make.facts(make.request({**request, **changed}))
        assert policies.select(facts.request).decide(facts).effect == effect, changed
    again = serve(policy(VERIFY) + data("{secret: {file: hook.secret}}"), **{"hook.secret": "another secret, as long"})
    facts = make.facts(make.request(request))
    assert again.select(facts.request).decide(facts).effect == "deny"
    assert again.digest == policies.digest, "a digest that follows a secret lets its readers try what they guess"


def test_faults_show_nothing_of_a_secret(serve: Callable[..., PolicySet]) -> None:
    """One that is too short, or not there, is told at the key that names it."""
    spec = data("{secret: {file: hook.secret}}").removeprefix("\n---\n")
    found = faults(serve, spec, **{"hook.secret": "hunter2"})
    assert found == ['p.yaml:4:23: AZ205 the secret in "hook.secret" is shorter than 16 bytes (openssl rand -hex 32)']
    assert faults(serve, spec) == ['p.yaml:4:23: AZ118 the file "hook.secret" is not there']
    assert "secret" in faults(serve, policy('data.d == "a"') + data("{secret: {file: hook.secret}}"), **{
        "hook.secret": SECRET
    })[0].lower()  # fmt: skip
