"""The console script ``tinyrobust``.

Exit codes: 0 done, 1 a floor was missed, 2 usage, 3 board or link.
"""

from __future__ import annotations

import argparse
import codecs
import importlib
import io
import os
import shlex
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn, TextIO

from tinyrobust.core.errors import BenchError, UsageError
from tinyrobust.core.plain import one_line

COMMANDS = ("run", "certify", "report", "compare", "gate", "boards", "doctor", "flash")
INTERRUPTED = 130
UNEXPECTED = 2


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line too, without the usage above them."""

    def error(self, message: str) -> NoReturn:
        """Argparse's hook."""
        self.exit(
            UsageError.exit_code, f"tinyrobust: error: {one_line(message)} ({self.prog} --help)\n"
        )


def parser() -> argparse.ArgumentParser:
    """The whole command line.

    Subcommands are modules of host/commands, which import what they need when they run.
    """
    top = _Parser(
        prog="tinyrobust",
        description="How robust is the quantized network that really runs on your microcontroller?",
    )
    top.add_argument("--debug", action="store_true", help="show the traceback of an error")
    verbs = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        module = importlib.import_module(f"tinyrobust.host.commands.{name}")
        sub = verbs.add_parser(name, help=module.HELP, description=f"{module.HELP}.")
        sub.add_argument(
            "--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS
        )
        module.add(sub)
        sub.set_defaults(main=module.main)
    return top


def _complain(line: str) -> None:
    print(f"tinyrobust: error: {one_line(line)}", file=sys.stderr)


def lossy(*streams: TextIO) -> None:
    """Characters that a stream cannot encode are ``?`` from here on, never an error.

    They meet ASCII and Latin-1 terminals, and logs of a machine without a locale.
    """
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper) and codecs.lookup(stream.encoding).name != "utf-8":
            stream.reconfigure(errors="replace")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. Whatever goes wrong is one line on stderr."""
    argv = sys.argv[1:] if argv is None else argv
    lossy(sys.stdout, sys.stderr)
    args = parser().parse_args(argv)
    args.command_line = shlex.join(["tinyrobust", *argv])
    try:
        status = int(args.main(args))
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # The reader of our output has seen enough; keep Python from failing again while it flushes
        # at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print(
            "tinyrobust: interrupted: what was recorded is kept, the same command goes on",
            file=sys.stderr,
        )
        return INTERRUPTED
    except BenchError as err:
        if args.debug:
            traceback.print_exc()
        _complain(str(err))
        return err.exit_code
    except Exception as err:
        if args.debug:
            traceback.print_exc()
        said = " ".join(str(err).split())[:300]
        _complain(f"unexpected {type(err).__name__}: {said} (--debug shows the traceback)")
        return UNEXPECTED


if __name__ == "__main__":
    sys.exit(main())
