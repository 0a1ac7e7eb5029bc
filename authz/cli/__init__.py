"""The command `authz`: one module per verb, each with a function `command` whose signature is the verb's.

`verbs` lists them, `app` joins them and turns what they raise into an exit code, `output` says where words go, `flags`
gives every setting its flag. A verb's module imports what it needs inside `command`, so that `authz --help` loads
none of it.
"""

import sys
from io import TextIOWrapper

INTERRUPTED = 130
"""What a shell calls the end by SIGINT."""


def main() -> None:
    """Run the command line and exit with one of `output.Exit`; Ctrl-C ends it without a word, also while it loads."""
    try:
        _run()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except OSError as error:  # of what is printed before there is a verb: a disk that is full
        if "--debug" in sys.argv:
            raise
        sys.exit(f"authz: can't write: {(error.strerror or str(error)).lower()}")


def _run() -> None:
    verb, *arguments = sys.argv[1:] or [""]
    if verb == "healthcheck" and len(arguments) < 2 and not any(one.startswith("-") for one in arguments):
        from authz.cli.probe import probe  # noqa: PLC0415 - asked every few seconds, it must not load the others

        sys.exit(probe("".join(arguments)))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # where it can't show a mark or a name, the rest is said
    from authz.cli.app import authz  # noqa: PLC0415 - so that importing a verb does not import them all

    authz(prog_name="authz")
