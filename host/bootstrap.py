"""Sets up a bare machine: ``python3 -m host.bootstrap [--for GROUP ...]``. Standard library only."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence

from host.alone import alone
from host.backports import install as install_from_backports
from host.environment import BENCH, BOARD_STEPS, NATIVE_STEPS, PROJECT, SetupError
from host.tools import ARM, NATIVE, PROBE, STM32, Tool, checkout, codename, found_version, missing, tools

OLDEST, NEWEST = (3, 10), (3, 13)
OPTIONS = ("-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120")
GROUPS = (NATIVE, ARM, STM32, PROBE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Makes everything that the named groups need. Exit status 0, or 2 with one line that says what to do."""
    parser = argparse.ArgumentParser(prog="python3 -m host.bootstrap", description=__doc__)
    parser.add_argument("--for", dest="groups", nargs="+", choices=GROUPS, default=[NATIVE, ARM, STM32])
    groups = parser.parse_args(arguments).groups
    try:
        use_supported_python()
        root = checkout()
        with alone(root):
            install_packages([group for group in groups if group != STM32])
            if STM32 in groups:
                install_newer(tools([STM32]))
            steps = (BENCH, PROJECT, *(NATIVE_STEPS if groups == [NATIVE] else BOARD_STEPS))
            changed = [step.ensure(root, say) for step in steps]
        if any(changed):
            say("done")
    except SetupError as err:
        print(f"setup: {err}", file=sys.stderr)
        return 2
    except OSError as err:  # a disk that is full, a checkout that belongs to somebody else
        print(f"setup: {err.filename or 'setup'}: {err.strerror}: mend that and run it again", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("setup: interrupted: run it again to go on", file=sys.stderr)
        return 130
    return 0


def say(text: str) -> None:
    """Progress, at once also where the output is a pipe."""
    print(f"setup {time.strftime('%H:%M:%S')}  {text}", flush=True)


def use_supported_python() -> None:
    """Goes on under a Python that the lock file was made for: this one, or another on the path."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        if other := shutil.which(f"python3.{minor}"):
            os.execv(other, [other, "-m", "host.bootstrap", *sys.argv[1:]])  # noqa: S606 - no shell is wanted
    raise SetupError(f"Python {sys.version_info[0]}.{sys.version_info[1]} is not supported: install 3.10 to 3.13")


def install_packages(groups: Sequence[str]) -> None:
    """Debian packages that are missing, by apt where that is allowed. Raises SetupError with the command to run."""
    packages = missing(tools(groups))
    if not _can_import("ensurepip"):  # Debian keeps it in a package of its own, one for each version
        packages.append(f"python{sys.version_info[0]}.{sys.version_info[1]}-venv")
    if not packages:
        return
    apt = shutil.which("apt-get")
    become_root = _become_root()
    if apt is None or become_root is None:
        raise SetupError(f"missing on this machine: sudo apt-get install {' '.join(packages)}")
    say(f"installing {' '.join(packages)}")
    for command in (["update"], ["install", *packages]):
        argv = [*become_root, "env", "DEBIAN_FRONTEND=noninteractive", apt, *OPTIONS, *command]
        done = subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.startswith("E:")] or ["apt-get failed"]
        raise SetupError(f"{said[-1]}: mend it, then: apt-get install {' '.join(packages)}")
    if left := missing(tools(groups)):
        raise SetupError(f"still missing after their installation: {' '.join(left)}")


def install_newer(wanted: Sequence[Tool]) -> None:
    """Tools that the release has too old, from its backports. One line where that fails: all else works without."""
    absent = [tool for tool in wanted if found_version(tool) is None]
    if not absent:
        return
    apt, become_root = shutil.which("apt-get"), _become_root()
    why: str | None = "that takes apt-get and root"
    if apt is not None and become_root is not None:
        say(f"installing {', '.join(tool.name for tool in absent)} from {codename()}-backports")
        environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
        packages = [tool.package for tool in absent]
        why = install_from_backports([apt, *OPTIONS], [*become_root, *environment], codename(), packages)
    for tool in absent:
        if found_version(tool) is None:
            say(f"{tool.name} is missing ({why or 'it is not in the backports'}), {tool.needed_for}: {tool.remedy}")


def _can_import(module: str) -> bool:
    return subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True, check=False).returncode == 0


def _become_root() -> list[str] | None:
    """What goes before a command that needs root, None where that would ask for a password."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [sudo, "-n"]
    return None


if __name__ == "__main__":
    sys.exit(main())
