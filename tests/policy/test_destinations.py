"""Where a redirect may lead: no link that anybody can write decides on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.model import Decision, Effect, Reason
from authz.policy import PolicySet
from authz.policy.destinations import Destination
from authz.policy.template import Template

ANY = Template(parts=(), constant="")
OPEN = Destination(target=ANY, hosts=("login.example.com", "*.shop.example.com"))


def sent(serve: Callable[..., PolicySet], make: Any, redirect: str, to: str, more: str = "") -> Decision:
    """Return what a redirect rule decides for a request whose header `x-to` says where to."""
    policies = serve(f"""
apiVersion: authz/v1
kind: Guardrail
metadata: {{name: g}}
spec: {{rules: [{{name: r, redirect: '{redirect}'{more}}}]}}
---
apiVersion: authz/v1
kind: Policy
metadata: {{name: p}}
spec: {{match: [{{paths: ["/**"]}}], rules: [{{name: all, allow: true}}]}}
""")
    facts = make.facts(make.request({"headers": {"x-to": to}}))
    return policies.select(facts.request).decide(facts)


TO = '${request.headers["x-to"]}'


@pytest.mark.parametrize(
    ("redirect", "to", "location"),
    [
        (TO, "/home", "/home"),
        (TO, "https://api.example.com/home", "https://api.example.com/home"),
        (TO, "https://api.example.com", "https://api.example.com"),
        (TO, "https://login.example.com/?next=//evil.test", "https://login.example.com/?next=//evil.test"),
        (TO, "https://a.shop.example.com:8443/x", "https://a.shop.example.com:8443/x"),
        ("https://${request.host}/x", "", "https://api.example.com/x"),
        ("https://other.example.net" + TO, "/x", "https://other.example.net/x"),
        ("https://other.example.net/" + TO, "//evil.test", "https://other.example.net///evil.test"),
        ("/a" + TO, "//evil.test", "/a//evil.test"),
    ],
)
def test_a_redirect_leads_where_it_may(
    redirect: str, to: str, location: str, serve: Callable[..., PolicySet], make: Any
) -> None:
    """The request's own host, an allowed one, and whatever the author wrote out."""
    decision = sent(serve, make, redirect, to, ', allowed_hosts: [login.example.com, "*.shop.example.com"]')
    assert (decision.effect, decision.location) == (Effect.REDIRECT, location)


@pytest.mark.parametrize(
    ("redirect", "to"),
    [
        (TO, "https://evil.test/"),
        (TO, "//evil.test"),
        (TO, "/\\evil.test"),
        (TO, "https:evil.test"),
        (TO, "https:/evil.test"),
        (TO, "https:///evil.test"),
        (TO, "https://api.example.com@evil.test/"),
        (TO, "https://evil.test\\@api.example.com/"),
        (TO, "https://api.example.com\\.evil.test/"),
        (TO, "https://api.example.com.evil.test/"),
        (TO, "https://shop.example.com/"),
        (TO, "https://evilshop.example.com/"),
        (TO, "javascript:alert(1)"),
        (TO, "JAVASCRIPT://api.example.com/%0aalert(1)"),
        (TO, "data:text/html,x"),
        (TO, "ftp://api.example.com/"),
        (TO, "evil.test"),
        (TO, ""),
        (TO, "https://api.example.com/\r\nset-cookie: a=b"),
        (TO, " https://api.example.com/"),
        (TO, "https://[::1]/"),
        ("/" + TO, "/evil.test"),
        ("/" + TO, "\\evil.test"),
        ("https://other.example.net" + TO, ".evil.test/"),
        ("https://other.example.net" + TO, "@evil.test/"),
        ("https://other.example.net" + TO, ":80@evil.test/"),
        ("https://other." + TO, "evil.test/"),
    ],
)
def test_a_redirect_leads_nowhere_else(redirect: str, to: str, serve: Callable[..., PolicySet], make: Any) -> None:
    """Another host, a scheme-relative one, user information, another scheme, a second line: an error, a denial."""
    decision = sent(serve, make, redirect, to, ', allowed_hosts: ["*.shop.example.com"]')
    assert (decision.effect, decision.reason, decision.location) == (Effect.DENY, Reason.RULE_ERROR, None)


@given(st.text(alphabet="htps:/\\@.?#ev[]1%2fapi.xmlco ", max_size=40))
def test_what_is_let_through_has_a_host_that_may_be(location: str) -> None:
    """Whatever the text, a browser that takes backslashes for slashes ends on no host that nobody allowed."""
    if OPEN.strays(location, "api.example.com"):
        return
    as_browsers = location.replace("\\", "/")
    assert as_browsers.startswith(("/", "http://", "https://"))
    if as_browsers.startswith("/"):
        assert not as_browsers.startswith("//")
    else:
        host = as_browsers.partition("://")[2].partition("/")[0].partition("?")[0].partition("#")[0].partition(":")[0]
        assert host in {"api.example.com", "login.example.com"} or host.endswith(".shop.example.com")


def test_what_the_author_wrote_out_is_not_looked_at_again() -> None:
    """A target without a hole in its host leads where it says."""
    assert not Destination(target=ANY, hosts=None).strays("https://anywhere.test/", "api.example.com")


def test_a_kept_decision_is_for_one_host(serve: Callable[..., PolicySet], make: Any) -> None:
    """The request's own host is part of what the decision follows from, though no expression reads it."""
    policies = serve("""
apiVersion: authz/v1
kind: Policy
metadata: {name: p}
spec: {match: [{paths: ["/**"]}], rules: [{name: r, redirect: '${request.headers["x-to"]}'}]}
""")
    said = []
    for host in ("a.example.com", "b.example.com"):
        facts = make.facts(make.request({"host": host, "headers": {"x-to": "https://a.example.com/"}}))
        said.append(policies.select(facts.request).decide(facts).effect)
    assert said == [Effect.REDIRECT, Effect.DENY]
