"""Exactly one credential counts, wherever a provider looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authz.identity.credentials import LONGEST, InvalidCredential, Place, finder

if TYPE_CHECKING:
    from collections.abc import Callable

    from authz.model import Request

BEARER = Place(header="authorization", scheme="Bearer")
SESSION = Place(cookie="session")
TOKEN = Place(query="access_token")
EVERYWHERE = (BEARER, SESSION, TOKEN)


@pytest.mark.parametrize(("headers", "query", "found"), [
    ({}, "", None),
    ({"authorization": "Bearer abc"}, "", "abc"),
    ({"authorization": "bEARER   abc"}, "", "abc"),
    ({"authorization": "Basic abc"}, "", None),
    ({"authorization": "Bearerabc"}, "", None),
    ({"cookie": "a=b; session=abc; c=d"}, "", "abc"),
    ({"cookie": 'session="abc"'}, "", "abc"),
    ({"cookie": "session = abc"}, "", "abc"),
    ({"cookie": "xsession=abc; session"}, "", None),
    ({}, "a=b&access_token=abc", "abc"),
    ({}, "access_token=a%2Bb", "a+b"),
])  # fmt: skip
def test_a_credential_is_found_where_the_provider_looks(
    request_with: Callable[..., Request], headers: dict[str, str], query: str, found: str | None
) -> None:
    """A header's scheme in any case, a cookie by exact name, a parameter decoded once; another scheme is not ours."""
    assert finder(EVERYWHERE)(request_with(headers, query)) == found


@pytest.mark.parametrize(("headers", "query"), [
    ({"authorization": "Bearer a Bearer b"}, ""),
    ({"authorization": "Bearer a b"}, ""),
    ({"authorization": "Bearer a", "cookie": "session=a"}, ""),
    ({"authorization": "Bearer a"}, "access_token=b"),
    ({"cookie": "session=a; session=b"}, ""),
    ({"cookie": "session=a,session=b"}, ""),
    ({"cookie": "session =a; session=b"}, ""),
    ({"cookie": "session\t=a; session=b"}, ""),
    ({}, "access_token=a&access_token=a"),
])  # fmt: skip
def test_two_credentials_are_refused_both(
    request_with: Callable[..., Request], headers: dict[str, str], query: str
) -> None:
    """J10: which of them the application would read is not ours to guess, also where they are equal."""
    with pytest.raises(InvalidCredential, match="more than one"):
        finder(EVERYWHERE)(request_with(headers, query))


@pytest.mark.parametrize("value", ["Bearer", "Bearer ", "Bearer\tabc", "bearer\t", "Bearer\u00a0abc"])
def test_a_scheme_without_a_credential_behind_a_space_presents_a_bad_one(
    request_with: Callable[..., Request], value: str
) -> None:
    """J10: applications that cut at any white space find a token there; here it must not pass for no credential."""
    assert finder((BEARER,))(request_with({"authorization": value}, "")) == ""


def test_a_credential_without_end_is_refused_unread(request_with: Callable[..., Request]) -> None:
    """J9 (CVE-2025-61920): the bound holds before anything decodes it."""
    with pytest.raises(InvalidCredential, match="longer than"):
        finder(EVERYWHERE)(request_with({"authorization": "Bearer " + "x" * (LONGEST + 1)}))


def test_a_scheme_without_a_credential_is_a_bad_credential(request_with: Callable[..., Request]) -> None:
    """`Authorization: Bearer` presents something: an empty token, which proves nothing."""
    assert finder(EVERYWHERE)(request_with({"authorization": "Bearer"})) == ""


def test_a_header_that_is_no_text_is_refused(request_with: Callable[..., Request]) -> None:
    """H3: bytes that are no UTF-8 are not "no credential"."""
    for name in ("authorization", "cookie"):
        with pytest.raises(InvalidCredential, match="no UTF-8"):
            finder(EVERYWHERE)(request_with(invalid_headers=frozenset({name})))


def test_a_header_without_a_scheme_is_the_credential(request_with: Callable[..., Request]) -> None:
    """An API key's header holds the key and nothing else."""
    assert finder([Place(header="x-api-key")])(request_with({"x-api-key": "k 1"})) == "k 1"
