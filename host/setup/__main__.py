"""Sets up a bare machine, by the standard library alone.

Usage: ``python3 -m tinyrobust.host.setup [--for GROUP ...]``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence

from tinyrobust.host.setup.alone import alone
from tinyrobust.host.setup.announcement import SetupPlan, look
from tinyrobust.host.setup.backports import install as install_from_backports
from tinyrobust.host.setup.environment import BENCH, BOARD_STEPS, NATIVE_STEPS, PROJECT, SetupError
from tinyrobust.host.setup.tools import (
    ARM,
    NATIVE,
    PROBE,
    STM32,
    Tool,
    checkout,
    codename,
    found_version,
    missing,
    tools,
)

OLDEST, NEWEST = (3, 10), (3, 13)
OPTIONS = ("-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120")
NO_QUESTIONS = ("env", "DEBIAN_FRONTEND=noninteractive")
REFUSED = "SYSTEM=no leaves this machine alone"
GROUPS = (NATIVE, ARM, STM32, PROBE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Makes everything that the named groups need.

    Exit status 0, or 2 with one line that says what to do.
    """
    parser = argparse.ArgumentParser(prog="python3 -m tinyrobust.host.setup", description=__doc__)
    parser.add_argument("--for", dest="groups", nargs="+", choices=GROUPS, default=[*GROUPS])
    parser.add_argument(
        "--no-system",
        dest="system",
        action="store_false",
        help="touch nothing outside the checkout",
    )
    given = parser.parse_args(arguments)
    groups = given.groups
    try:
        use_supported_python()
        root = checkout()
        with alone(root):
            wanted = tools(group for group in groups if group != STM32)
            newer = tools([STM32]) if STM32 in groups else []
            steps = (BENCH, PROJECT, *(NATIVE_STEPS if groups == [NATIVE] else BOARD_STEPS))
            plan = look(wanted, newer, steps, root)
            provide(plan, wanted, may_install=given.system)
            changed = [step.ensure(root, say) for step in steps]
        if any(changed):
            say("done")
    except SetupError as err:
        print(f"setup: {err}", file=sys.stderr)
        return 2
    except OSError as err:  # a disk that is full, a checkout that belongs to somebody else
        print(
            f"setup: {err.filename or 'setup'}: {err.strerror}: mend that and run it again",
            file=sys.stderr,
        )
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
            again = [other, "-m", "tinyrobust.host.setup", *sys.argv[1:]]
            os.execv(other, again)  # noqa: S606 - no shell is wanted
    raise SetupError(
        f"Python {sys.version_info[0]}.{sys.version_info[1]} is not supported: install 3.10 to 3.13"
    )


def provide(plan: SetupPlan, wanted: Sequence[Tool], may_install: bool) -> None:
    """Tells what will be done, then does what of it is outside the checkout, where it may."""
    apt, become_root = shutil.which("apt-get"), None
    if may_install and (plan.packages or plan.newer):
        become_root = _become_root()
    if apt is None or become_root is None:
        name_missing(plan, "that takes apt-get and root" if may_install else REFUSED)
    else:
        for line in plan.of_the_system():
            say(line)
    for line in plan.of_the_checkout():
        say(line)
    if apt is not None and become_root is not None:
        install_packages(plan, wanted, [*become_root, *NO_QUESTIONS, apt, *OPTIONS])
        install_newer(plan, [apt, *OPTIONS], [*become_root, *NO_QUESTIONS])


def name_missing(plan: SetupPlan, why_not: str) -> None:
    """Says what the plan would have installed. Raises SetupError where all work needs it."""
    for tool in plan.newer:
        say(f"{tool.name} is missing ({why_not}), {tool.needed_for}: {plan.newer_by_hand(tool)}")
    if plan.packages:
        raise SetupError(f"missing on this machine ({why_not}): {plan.by_hand()}")


def install_packages(plan: SetupPlan, wanted: Sequence[Tool], apt: Sequence[str]) -> None:
    """Missing Debian packages, by ``apt`` as root. Raises SetupError with the command to run."""
    if not plan.packages:
        return
    say(f"installing {' '.join(plan.packages)}")
    for command in (["update"], ["install", *plan.packages]):
        done = subprocess.run(
            [*apt, *command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.startswith("E:")] or [
            "apt-get failed"
        ]
        raise SetupError(f"{said[-1]}: mend it, then: {plan.by_hand()}")
    if left := missing(wanted):
        raise SetupError(f"still missing after their installation: {' '.join(left)}")


def install_newer(plan: SetupPlan, apt: Sequence[str], become_root: Sequence[str]) -> None:
    """Tools that the release has too old, from its backports.

    One line where that fails: all else works without.
    """
    absent = [tool for tool in plan.newer if found_version(tool) is None]
    if not absent:
        return
    say(f"installing {', '.join(tool.name for tool in absent)} from {codename()}-backports")
    why = install_from_backports(apt, become_root, codename(), [tool.package for tool in absent])
    for tool in absent:
        if found_version(tool) is None:
            reason = why or "it is not in the backports"
            say(f"{tool.name} is missing ({reason}), {tool.needed_for}: {plan.newer_by_hand(tool)}")


def _become_root() -> list[str] | None:
    """What goes before a command that needs root, None where that would ask for a password."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo is None:
        return None
    asked = subprocess.run([sudo, "-n", "true"], capture_output=True, check=False)
    return [sudo, "-n"] if asked.returncode == 0 else None


if __name__ == "__main__":
    sys.exit(main())
