"""The command line `interpnet`: argument parsing and printing only."""

from __future__ import annotations

import argparse
import contextlib
import sys
import warnings
from collections.abc import Iterator, Sequence

from interpnet_tf.cli import (
    audit,
    evaluate,
    explain,
    export,
    features,
    kit,
    reasons,
    reduce,
    report,
    serve,
    table1,
    train,
    verbalize,
)
from interpnet_tf.cli.arguments import Parser
from interpnet_tf.support import terminal

_COMMANDS = (
    *(train, evaluate, explain, reasons, audit, report, export),
    *(kit, table1, features, reduce, verbalize, serve),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        arguments: those of the command; by default `sys.argv`.

    Returns:
        The exit code: 0, 2 for an error that the user can act on, 130 after an interrupt, 141 where nobody
        reads standard output any more.
    """
    options = _parser().parse_args(arguments)
    from interpnet_tf.support import memory, quiet

    terminal.prepare()
    memory.keep_freed_memory()
    if getattr(options, "needs_tensorflow", True):
        quiet.import_tensorflow()
    try:
        try:
            with _warnings_on_a_line(options.command):
                options.run_command(options)
        finally:
            terminal.finish()
    except BrokenPipeError:  # whoever read standard output, such as `head`, has had enough
        return 141
    except (ValueError, OSError) as error:
        terminal.show(f"interpnet {options.command}: error: {error}", sys.stderr)
        return 2
    except KeyboardInterrupt:
        terminal.show(f"interpnet {options.command}: interrupted", sys.stderr)
        return 130
    return 0


@contextlib.contextmanager
def _warnings_on_a_line(command: str) -> Iterator[None]:
    """Shows warnings as the command's words, without the file and the line of Python that they come from."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of libraries, to programmers
        warnings.showwarning = lambda message, *_: terminal.show(
            f"interpnet {command}: warning: {message}", sys.stderr
        )
        yield


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="interpnet", description="Train, evaluate and read networks that explain themselves in words."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add_parser(commands)
    return parser
