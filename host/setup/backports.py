"""Debian's backports, enabled as Debian documents it, from the mirror that apt already uses.

Standard library only.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

TARGETS = (
    "indextargets",
    "--format",
    "$(REPO_URI)|$(CODENAME)|$(ORIGIN)|$(COMPONENT)",
    "Created-By: Packages",
)
"""What apt-get is asked for: one line for each component of each archive it reads."""
SOURCES = "/etc/apt/sources.list.d"


def source_path(codename: str) -> str:
    """The file that ``source_line`` goes to."""
    return f"{SOURCES}/{codename}-backports.list"


def read_targets(apt: str) -> str:
    """The answer of the apt-get at ``apt`` to ``TARGETS``."""
    return subprocess.run([apt, *TARGETS], capture_output=True, text=True, check=False).stdout


def source_line(targets: str, codename: str) -> str | None:
    """The line of a sources.list that adds the backports of release ``codename``.

    ``targets`` is the answer to ``TARGETS``. None where apt does not read Debian's main archive of
    that release. An empty line where it reads its backports already.
    """
    rows = [line.split("|") for line in targets.splitlines()]
    suites = {
        (row[1], row[3]): row[0] for row in rows if len(row) == 4 and row[2].startswith("Debian")
    }
    if (f"{codename}-backports", "main") in suites:
        return ""
    mirror = suites.get((codename, "main"))
    return None if mirror is None else f"deb {mirror} {codename}-backports main\n"


def install(
    apt: Sequence[str], become_root: Sequence[str], codename: str, packages: Sequence[str]
) -> str | None:
    """Installs ``packages`` from the backports; the reason, in one line, where that cannot be done.

    ``apt`` is apt-get with its options; ``become_root`` goes before a command that needs root.
    Packages of the backports are only ever installed by name: apt ranks them below the release's
    own.
    """
    line = source_line(read_targets(apt[0]), codename)
    if line is None:
        return f"apt reads no Debian archive of a release called {codename}"
    if line:
        path = source_path(codename)
        written = subprocess.run(
            [*become_root, "tee", path], input=line, capture_output=True, text=True, check=False
        )
        if written.returncode != 0:
            return f"{path}: {written.stderr.strip()}"
    for command in (["update"], ["install", "-t", f"{codename}-backports", *packages]):
        done = subprocess.run(
            [*become_root, *apt, *command], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            said = [text for text in done.stderr.splitlines() if text.startswith("E:")] or [
                "apt-get failed"
            ]
            return said[-1]
    return None
