"""What a setting is written as, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from authz.config.values import address, duration_text, host_name, redacted, redis_url, seconds, size, size_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [("20ms", 0.02), ("1.5s", 1.5), ("10m", 600.0), ("24h", 86400.0), ("7d", 604800.0), ("0", 0.0)],
)
def test_a_duration_is_written_with_its_unit(text: str, expected: float) -> None:
    """A duration is a number and a unit."""
    assert seconds(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["20", "1.5", "20 ms", "-1s", "s", "1e3s", "5min", "1s2s", "", "٣s"])
def test_what_has_no_unit_is_no_duration(text: str) -> None:
    """A bare number, an unknown unit and a sign are refused, not guessed at."""
    with pytest.raises(ValueError, match="is no duration"):
        seconds(text)


@given(st.integers(1, 10**7))
def test_a_duration_reads_back_as_it_was_written(milliseconds: int) -> None:
    """Writing a duration and reading it again gives the same number of milliseconds."""
    text = duration_text(milliseconds / 1000)
    assert round(float(str(seconds(text))) * 1000) == pytest.approx(milliseconds, rel=1e-5)


@given(st.integers(1, 2**40))
def test_a_size_reads_back_as_it_was_written(count: int) -> None:
    """Writing a size and reading it again gives the same number of bytes."""
    assert size(size_text(count)) == count


@pytest.mark.parametrize("text", ["4", "4MB", "4 MiB", "-1B", "1.5MiB"])
def test_what_has_no_unit_is_no_size(text: str) -> None:
    """Only binary units are known, so that nobody has to ask which mega is meant."""
    with pytest.raises(ValueError, match="is no size"):
        size(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:9191", "127.0.0.1:9191"),
        ("[::1]:9191", "[::1]:9191"),
        ("authz.internal:0", "authz.internal:0"),
        ("unix:///run/authz.sock", "unix:///run/authz.sock"),
        ("unix:/run/authz.sock", "unix:///run/authz.sock"),
    ],
)
def test_an_address_is_tcp_or_a_unix_socket(text: str, expected: str) -> None:
    """Both forms of a Unix address are one."""
    assert address(text) == expected


@pytest.mark.parametrize(
    "text", ["9191", ":9191", "host", "host:99999", "::1:9191", "unix://run/x", "http://a:1", "a:1 "]
)
def test_what_is_neither_is_no_address(text: str) -> None:
    """A port alone would listen on every interface, so it is refused."""
    with pytest.raises(ValueError, match="is no address"):
        address(text)


def test_a_redis_url_is_never_repeated_in_its_own_fault() -> None:
    """A mistyped scheme does not print the password behind it (row O2)."""
    with pytest.raises(ValueError, match="is no Redis URL") as raised:
        redis_url(SecretStr("http://user:canary@host"))
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://host:1/0", "redis://host:1/0"),
        ("redis://user:canary@host:1/0", "redis://user:***@host:1/0"),
        ("redis://:canary@host", "redis://:***@host"),
        ("redis+sentinel://:c@n@ry@a:1,b:2/main", "redis+sentinel://:***@a:1,b:2/main"),
        ("unix:///run/redis.sock?db=1", "unix:///run/redis.sock?db=1"),
    ],
)
def test_a_url_is_written_without_its_password(url: str, expected: str) -> None:
    """The user stays, the password becomes three stars."""
    assert redacted(url) == expected


@pytest.mark.parametrize("text", ["authz.example.com", "Authz.Example.com", "*.example.com", "authz"])
def test_a_host_name_is_kept_in_small_letters(text: str) -> None:
    """A name is compared as clients send it, whatever its letter case."""
    assert host_name(text) == text.lower()


@pytest.mark.parametrize(
    "text", ["authz.example.com:9192", "https://authz.example.com", "*", "a.*.com", "[::1]", ".com", ""]
)
def test_what_is_no_host_name_is_refused(text: str) -> None:
    """A port or a scheme would never match; a star alone would let any page read along."""
    with pytest.raises(ValueError, match="is no host name"):
        host_name(text)
