"""How Renode is started, and what its monitor says when it refuses a platform."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

REFUSED = re.compile(
    r"There was an error executing command|No such command or device: |Could not find file '",
)
"""What the monitor says of a command that failed. Renode goes on, with no machine running."""
REASON_LINES = 3
"""What follows such a line: number, reason, and file, line and column of the platform."""


def command_line(renode: str, elf: Path, port: int, script: Path) -> Sequence[str]:
    """What runs ``elf`` under ``script``, with the board's UART on the TCP port ``port``.

    ``--console`` reads commands from stdin and quits, with status 0, at its end: give it a pipe and
    keep that open.
    """
    commands = f"$elf=@{elf}; $port={port}; include @{script}"
    return [renode, "--disable-xwt", "--console", "--plain", "-e", commands]


def refusal(said: Sequence[str]) -> str:
    """Why Renode did not start the machine, by the lines it has said; empty where it did."""
    for number, line in enumerate(said):
        if REFUSED.search(line):
            return " ".join(said[number + 1 : number + 1 + REASON_LINES]) or line
    return ""
