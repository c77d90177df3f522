"""What set-up is about to do, told before it does it. Standard library only."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyrobust.host.setup import backports
from tinyrobust.host.setup.environment import Step
from tinyrobust.host.setup.tools import Tool, codename, found_version, missing


@dataclass(frozen=True)
class SetupPlan:
    """What is missing, and where it would come from."""

    packages: tuple[str, ...]
    """Debian packages, from the archives that apt reads already."""
    newer: tuple[Tool, ...]
    """Tools that the release may have too old, from its backports."""
    source: str | None
    """The line that enables the backports; empty where apt reads them, None where it cannot."""
    steps: tuple[Step, ...]
    """Folders of the checkout."""

    def of_the_system(self) -> list[str]:
        """What will be done outside the checkout, by root: one line for each kind of thing."""
        said = []
        if self.packages:
            names = " ".join(self.packages)
            where = "from the archives it reads on this machine"
            said.append(f"will install by apt-get, {where}: {names}")
        if self.newer and self.source is not None:
            names = " ".join(tool.package for tool in self.newer)
            if self.source:
                path = backports.source_path(codename())
                said.append(f"will add to apt's sources, as {path}: {self.source.strip()}")
            where = f"{codename()}-backports, unless the release's own is new enough"
            said.append(f"will install by apt-get from {where}: {names}")
        if said:
            said.append("these and what they depend on go to this machine; SYSTEM=no does without")
        return said

    def of_the_checkout(self) -> list[str]:
        """What will be made in the checkout."""
        if not self.steps:
            return []
        folders = ", ".join(f"{step.name} ({step.lock})" for step in self.steps)
        return [f"will make in this checkout, by pip and the hashes of its lock files: {folders}"]

    def by_hand(self) -> str:
        """The command that installs ``packages``."""
        return f"sudo apt-get install {' '.join(self.packages)}"

    def newer_by_hand(self, tool: Tool) -> str:
        """The commands that install one of ``newer``."""
        if not self.source:
            return tool.remedy
        path = backports.source_path(codename())
        add = f"echo '{self.source.strip()}' | sudo tee {path}"
        return f"{add}; sudo apt-get update; sudo {tool.remedy}"


def look(
    wanted: Sequence[Tool],
    newer: Sequence[Tool],
    steps: Sequence[Step],
    root: Path,
) -> SetupPlan:
    """What of this is missing in ``root`` and on this machine. Touches nothing."""
    packages = missing(wanted)
    # Debian keeps it in a package of its own, one for each version.
    if importlib.util.find_spec("ensurepip") is None:
        packages.append(f"python{sys.version_info[0]}.{sys.version_info[1]}-venv")
    absent = [tool for tool in newer if found_version(tool) is None]
    apt = shutil.which("apt-get") if absent else None
    source = backports.source_line(backports.read_targets(apt), codename()) if apt else None
    stale = [step for step in steps if not step.is_current(root)]
    return SetupPlan(tuple(packages), tuple(absent), source, tuple(stale))
