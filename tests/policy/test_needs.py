"""What policies need to be told of a request, so that Envoy can be told to send it."""

from __future__ import annotations

import textwrap

import pytest

from authz.policy import Compiler, Needs
from authz.policy.attributes import LATE
from authz.policy.needs import _BODY

PROVIDERS = """\
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: filtered}
spec: {envoy_jwt: {issuer: "https://login.example.com/", payload_key: p}}
---
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: asked}
spec:
  introspection:
    issuer: https://login.example.com/
    endpoint: https://login.example.com/introspect
    client_id: authz
    client_secret_file: /run/secrets/introspection
    from: [{header: x-token}, {cookie: session}, {query: token}]
    timeout: 150ms
---
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: forwarding}
spec: {peer_certificate: {trust_domains: [cluster.local], forwarded_from: [10.0.0.0/8]}}
---
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: cluster}
spec: {kubernetes: {audiences: [orders]}}
"""

BASIC = """\
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: people}
spec: {basic: {users: users.htpasswd, timeout: 400ms}}
"""


def needs_of(
    compiler: Compiler, *rules: str, mode: str = "enforce", more: str = "", extra: bytes = b"", api: bytes = b""
) -> Needs:
    """Return what a policy of `/orders/{id}` with these conditions needs."""
    text = textwrap.dedent(
        f"""\
        apiVersion: authz/v1
        kind: Policy
        metadata: {{name: orders}}
        spec:
          mode: {mode}
          match: [{{paths: ["/orders/{{id}}"]}}]
          {more}
          rules:
        """
    ) + "".join(f"    - {{name: r{place}, allow: '{rule}'}}\n" for place, rule in enumerate(rules))
    files = {"orders.yaml": text.encode()} | ({"providers.yaml": extra, "users.htpasswd": b""} if extra else {})
    files |= {"api.json": api} if api else {}
    return compiler.compile(files).needs


def test_what_is_read_from_a_header_needs_it(compiler: Compiler) -> None:
    """E9: an upgrade that Envoy hides would look like none."""
    needs = needs_of(compiler, "!request.is_upgrade", 'request.grpc.service == "a"')
    assert needs.headers == {"upgrade", "content-type"}


def test_a_policy_that_reads_nothing_special_needs_nothing(compiler: Compiler) -> None:
    """Method, path and addresses always come."""
    assert needs_of(compiler, 'request.method == "GET" && source.principal != ""') == Needs()


@pytest.mark.parametrize(
    ("rule", "need"),
    [
        ('request.headers["x-a"] == "a" && "x-b" in request.headers', {"headers": frozenset({"x-a", "x-b"})}),
        ('request.headers_all["x-role"].size() == 1', {"headers": frozenset({"x-role"})}),
        ('request.headers[request.method] == "a"', {"headers": None}),
        ('attributes.request.http.headers["x-role"] == "a"', {"headers": frozenset({"x-role"})}),
        ('metadata["io.team"].tier == "a"', {"metadata": frozenset({"io.team"})}),
        ('attributes.metadata_context.filter_metadata["io.team"].tier == "a"', {"metadata": frozenset({"io.team"})}),
        ('route.metadata["io.team"].tier == "a"', {"route_metadata": frozenset({"io.team"})}),
        ('source.certificate != ""', {"certificate": True}),
        ('attributes.source.certificate != ""', {"certificate": True}),
        ('attributes.tls_session.sni != ""', {"tls_session": True}),
    ],
)  # fmt: skip
def test_what_expressions_read_is_needed(rule: str, need: dict[str, object], compiler: Compiler) -> None:
    """Row E8, E9: by our names and by Envoy's own; a computed key may be any."""
    assert needs_of(compiler, rule) == Needs(**need)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "rule",
    [
        "request.body.size() == 1", 'request.json.sku == "a"', 'request.mcp.tool == "a"',
        'request.graphql.operation_name == "a"', 'request.body_state == "absent"',
        'attributes.request.http.body == "a"', 'variables.sku == "a"',
    ],
)  # fmt: skip
def test_bodies_are_needed_where_the_document_governs(rule: str, compiler: Compiler) -> None:
    """Row B2: whatever a body is read as, also by way of a variable."""
    found = needs_of(compiler, rule, more="variables: {sku: request.json.sku}" if "variables" in rule else "")
    (route,) = found.bodies
    assert route.template.segments == ("orders", None)
    assert found.headers == {"content-encoding", "content-length", "content-type", "transfer-encoding"}


def test_every_name_that_costs_something_is_a_body() -> None:
    """Row B2: a new way to read a body is not forgotten here; `attributes` is all that Envoy sends, body included."""
    assert {name for name in LATE if name != "attributes"} <= {path[0] for path in _BODY}


def test_a_validation_needs_the_body_and_says_how_long_it_may_be(compiler: Compiler) -> None:
    """The longest of all is what Envoy has to hold."""
    more = "validate: [{name: a, max_bytes: 70000, content_type: text/plain}, {name: b, max_bytes: 9}]"
    found = needs_of(compiler, "true", more=more)
    assert (len(found.bodies), found.longest_body) == (1, 70000)


def test_validations_of_other_parts_need_their_headers_and_no_body(compiler: Compiler) -> None:
    """What only looks at the query or at headers makes Envoy hold no bodies."""
    more = "validate: [{name: a, query: {}}, {name: b, headers: {properties: {x-tenant: {}}}}]"
    assert needs_of(compiler, "true", more=more) == Needs(headers=frozenset({"x-tenant"}))


def test_a_described_api_needs_what_its_operations_look_at(compiler: Compiler) -> None:
    """Bodies, and the headers of parameters and of credentials."""
    more = "validate: [{name: a, openapi: api.json}]"
    api = b"""{"openapi": "3.1.0", "paths": {"/a": {"get": {
        "parameters": [{"name": "X-N", "in": "header", "schema": {}},
        {"name": "c", "in": "cookie", "schema": {}}]}}}}"""
    found = needs_of(compiler, "true", more=more, api=api)
    assert found.headers is not None
    assert found.headers >= {"content-type", "cookie", "x-n"}
    assert found.bodies


def test_a_document_that_is_off_needs_nothing_and_a_shadow_does(compiler: Compiler) -> None:
    """What is recorded of a shadow is worth nothing if it was not told everything."""
    assert needs_of(compiler, "request.json == 1", mode="off") == Needs()
    assert needs_of(compiler, "request.json == 1", mode="shadow").bodies


def test_providers_need_where_their_credentials_are(compiler: Compiler) -> None:
    """Headers, cookies, what Envoy verified, and time to ask; a query comes with the path."""
    found = needs_of(compiler, "true", extra=PROVIDERS.encode())
    assert found.headers == {"x-token", "cookie", "x-forwarded-client-cert", "authorization"}
    assert found.metadata == {"envoy.filters.http.jwt_authn"}
    assert found.inquiry == 0.15


def test_a_password_comes_in_authorization_and_takes_time(compiler: Compiler) -> None:
    """Its hash is slow on purpose."""
    found = needs_of(compiler, "true", extra=BASIC.encode())
    assert (found.headers, found.inquiry) == ({"authorization"}, 0.4)


def test_a_validation_of_a_query_needs_no_body(compiler: Compiler) -> None:
    """One of headers needs those that its schema has properties for."""
    query = needs_of(compiler, "true", more="validate: [{name: q, query: {required: [a]}}]")
    assert query == Needs()
    headers = needs_of(compiler, "true", more="validate: [{name: h, headers: {properties: {x-a: {type: string}}}}]")
    assert headers == Needs(headers=frozenset({"x-a"}))


def test_a_cookie_that_is_taken_out_is_needed(compiler: Compiler) -> None:
    """And the header that chooses among the forms of a body."""
    text = """\
apiVersion: authz/v1
kind: Policy
metadata: {name: orders}
spec:
  match: [{paths: ["/**"]}]
  rules:
    - {name: r, allow: 'true', cookies: {remove: [session]}}
    - {name: d, deny: 'false', body: {html: "<p>no</p>", text: "no"}}
"""
    assert compiler.compile({"orders.yaml": text.encode()}).needs == Needs(headers=frozenset({"cookie", "accept"}))
