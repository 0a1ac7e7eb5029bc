"""The three places settings are written in."""

import pytest

from authz.config.sources import Source, from_environment, from_file, from_flags, nearest


def test_a_file_gives_texts_with_their_place() -> None:
    """A value remembers its file, line and column."""
    given = from_file("a.yaml", "workers: 2\nredis:\n  timeout: 30ms\n").given["redis.timeout"]
    assert (given.value, given.origin.source, str(given.origin), given.origin.column) == (
        "30ms", Source.FILE, "a.yaml:3", 12,
    )  # fmt: skip


@pytest.mark.parametrize("text", ["off", "no", "1.10", "012", "22:22", "2026-11-23", "null"])
def test_yaml_guesses_no_types(text: str) -> None:
    """A value of a file is the text that is written there (row L6)."""
    assert from_file("a.yaml", f"record: {{sink: {text}}}").given["record.sink"].value == text


@pytest.mark.parametrize("content", ["", "# nothing\n", "redis:\n", "redis: {}\n"])
def test_an_empty_file_or_section_says_nothing(content: str) -> None:
    """A section of which every line is commented out is no fault."""
    gathered = from_file("a.yaml", content)
    assert (gathered.given, gathered.faults) == ({}, [])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("wrokers: 2", 'a.yaml:1:1: unknown setting "wrokers" (did you mean "workers"?)'),
        ("redis: {ulr: x}", 'a.yaml:1:9: unknown setting "redis.ulr" (did you mean "redis.url"?)'),
        ("Workers: 2", 'a.yaml:1:1: unknown setting "Workers" (did you mean "workers"?)'),
        ("quux: 2", 'a.yaml:1:1: unknown setting "quux"'),
        ("workers: 1\nworkers: 2", 'a.yaml:2:1: "workers" is set twice'),
        ("workers: [1]", 'a.yaml:1:10: "workers" is one value'),
        ("listen: [[a]]", 'a.yaml:1:9: "listen" is a list of texts'),
        ("workers:", "a.yaml:1:9: is empty (leave it out to keep the default)"),
        ("listen: []", "a.yaml:1:9: is empty (leave it out to keep the default)"),
        ("- a", "a.yaml:1:1: settings are a mapping of names to values"),
        ("redis: 5", "a.yaml:1:8: settings are a mapping of names to values"),
        ("a: [", "a.yaml:1:5: while parsing a flow node, expected the node content, but found '<stream end>'"),
        ("a: 1\n---\nb: 2", "a.yaml:2:1: expected a single document in the stream, but found another document"),
        ("a: \x00", "a.yaml: special characters are not allowed"),
        ("[" * 5000, "a.yaml: is nested too deeply to be settings"),
    ],
)
def test_a_fault_of_a_file_says_where_and_what_was_meant(content: str, expected: str) -> None:
    """Every name or shape that is no setting is a fault with its place (row L5)."""
    (fault,) = from_file("a.yaml", content).faults
    assert str(fault).splitlines()[0] == expected


def test_a_fault_shows_its_line_without_credentials() -> None:
    """The line of another fault is shown with the password of a URL masked and every caret in place (row O2)."""
    (fault,) = from_file("a.yaml", "redis: {url: redis://u:canary@h, timeuot: 1s}").faults
    assert "canary" not in str(fault)
    assert fault.text[fault.column - 1 :].startswith("timeuot")


def test_a_list_in_a_variable_is_separated_by_commas() -> None:
    """Blanks around the commas do not count."""
    given = from_environment({"AUTHZ_LISTEN": "127.0.0.1:1, unix:///a"}).given
    assert given["listen"].value == ("127.0.0.1:1", "unix:///a")


@pytest.mark.parametrize(
    "variable",
    [
        "AUTHZ_SERVICE_HOST", "AUTHZ_SERVICE_PORT", "AUTHZ_SERVICE_PORT_GRPC", "AUTHZ_PORT", "AUTHZ_PORT_9191_TCP",
        "AUTHZ_PORT_9191_TCP_ADDR", "AUTHZ_REDIS_SERVICE_HOST", "AUTHZ_REDIS_PORT_6379_TCP_PROTO",
    ],
)  # fmt: skip
def test_variables_of_kubernetes_services_are_not_ours(variable: str) -> None:
    """A Service called `authz` or `authz-redis` puts such names into every container; they say nothing."""
    gathered = from_environment({variable: "tcp://10.0.0.1:1"})
    assert (gathered.given, gathered.faults, gathered.ignored) == ({}, [], ())


def test_a_variable_that_is_nearly_a_setting_is_a_fault() -> None:
    """A slip of the finger does not leave the default in force unseen (row L5)."""
    (fault,) = from_environment({"AUTHZ_REDIS_TIMEOT": "1s"}).faults
    assert str(fault) == 'AUTHZ_REDIS_TIMEOT: is no setting (did you mean "AUTHZ_REDIS_TIMEOUT"?)'


def test_a_variable_that_resembles_nothing_is_told_apart() -> None:
    """Another program's variable is no fault, and is named."""
    assert from_environment({"AUTHZ_JUMPS_OVER": "1", "HOME": "/"}).ignored == ("AUTHZ_JUMPS_OVER",)


def test_an_empty_variable_is_a_fault() -> None:
    """A template that rendered nothing must not switch off, say, mutual TLS."""
    (fault,) = from_environment({"AUTHZ_TLS_CLIENT_CA": ""}).faults
    assert str(fault) == "AUTHZ_TLS_CLIENT_CA: is empty (leave it out to keep the default)"


def test_a_flag_is_named_as_it_is_typed() -> None:
    """The origin of `redis.url` is `--redis`."""
    assert str(from_flags({"redis.url": "redis://h"}).given["redis.url"].origin) == "--redis"


def test_a_hint_needs_likeness() -> None:
    """A shared prefix alone is no likeness."""
    assert nearest("AUTHZ_QUUX", ["AUTHZ_ADMIN"], "AUTHZ_") == ""
