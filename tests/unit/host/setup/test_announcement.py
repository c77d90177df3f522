"""Set-up says what it will do to a machine before it does it, and can leave it alone."""

import re
import shutil
import subprocess
import sys
from itertools import chain

import pytest

from tinyrobust.host.setup import __main__ as bootstrap
from tinyrobust.host.setup import announcement as setup_plan
from tinyrobust.host.setup import backports
from tinyrobust.host.setup.environment import Step
from tinyrobust.host.setup.tools import ARM, NATIVE, PROBE, STM32, Tool, checkout

SOURCE = "deb m://mirror/debian/ bookworm-backports main"
MIRROR = "m://mirror/debian/|bookworm|Debian|main"
APT = """#!/bin/sh
case "$*" in *indextargets*) echo '{targets}';; *) echo "apt-get $*" >> '{log}'; case "$*" in
*install*) touch '{bin}'/lacking '{bin}'/newer;; esac;; esac
"""


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A Debian 12 with root, without two tools; what is said or done is in one log, in order."""
    log, bin_, sources = tmp_path / "log", tmp_path / "bin", tmp_path / "sources.list.d"
    bin_.mkdir()
    sources.mkdir()
    apt = bin_ / "apt-get"
    apt.write_text(APT.format(targets=MIRROR, log=log, bin=bin_))
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", str(bin_), prepend=":")
    probe = f"test -e {bin_}/"
    lacking = Tool("lacking", "lacking-package", "tests", frozenset(), probe=f"{probe}lacking")
    newer = Tool(
        "newer",
        "newer-package",
        "tests",
        frozenset(),
        probe=f"{probe}newer",
        backports=True,
    )
    table = {NATIVE: [lacking], STM32: [newer], ARM: [], PROBE: []}
    monkeypatch.setattr(bootstrap, "tools", lambda groups: [*chain(*map(table.get, groups))])
    monkeypatch.setattr(bootstrap, "_become_root", list)
    # Not this checkout, whose lock a build of other tests may hold.
    monkeypatch.setattr(bootstrap, "checkout", lambda: tmp_path)
    for module in (bootstrap, setup_plan):
        monkeypatch.setattr(module, "codename", lambda: "bookworm")
    monkeypatch.setattr(backports, "SOURCES", str(sources))

    def say(text):
        with log.open("a") as file:
            file.write(f"says: {text}\n")

    monkeypatch.setattr(bootstrap, "say", say)
    monkeypatch.setattr(bootstrap, "BOARD_STEPS", ())
    made = Step("made", "pyproject.toml", "tests", lambda root, told: say("makes the folder"))
    monkeypatch.setattr(bootstrap, "BENCH", made)
    monkeypatch.setattr(bootstrap, "PROJECT", made)
    monkeypatch.setattr(Step, "is_current", lambda step, root: False)
    monkeypatch.setattr(Step, "ensure", lambda step, root, told: bool(step.make(root, told)))
    return tmp_path


def test_everything_is_said_before_anything_is_done(machine):
    assert bootstrap.main([]) == 0
    log = (machine / "log").read_text().splitlines()
    said = [line for line in log if "says: will" in line]
    assert log[: len(said) + 1] == [*said[:3], log[3], said[3]], "done before all was said"
    assert said[0].endswith("from the archives it reads on this machine: lacking-package")
    assert said[1].endswith(f"bookworm-backports.list: {SOURCE}")
    assert "from bookworm-backports, unless the release's own is new enough: newer" in said[2]
    assert log[3].endswith("go to this machine; SYSTEM=no does without")
    assert "will make in this checkout, by pip and the hashes" in said[3]
    assert "made (pyproject.toml)" in said[3]
    assert [line for line in log if re.match("apt-get .* install lacking-package$", line)]
    source = machine / "sources.list.d" / "bookworm-backports.list"
    assert not source.exists(), "the first installation brought a tool that is new enough"


def test_a_source_is_added_where_the_release_is_too_old(machine, monkeypatch):
    (machine / "bin" / "lacking").touch()
    assert bootstrap.main([]) == 0
    source = machine / "sources.list.d" / "bookworm-backports.list"
    assert source.read_text() == f"{SOURCE}\n"
    assert "install -t bookworm-backports newer-package" in (machine / "log").read_text()


@pytest.mark.parametrize("arguments", [["--no-system"], ["--no-system", "--for", "native"]])
def test_opting_out_touches_nothing_and_names_the_commands(machine, capsys, arguments):
    assert bootstrap.main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("setup: missing on this machine (SYSTEM=no leaves this machine alone): ")
    assert said.endswith("): sudo apt-get install lacking-package\n")
    assert said.count("\n") == 1
    log = (machine / "log").read_text() if (machine / "log").exists() else ""
    assert "apt-get install lacking" not in log
    assert not list((machine / "sources.list.d").iterdir())
    by_hand = f"echo '{SOURCE}' | sudo tee "
    assert (by_hand in log) == (len(arguments) == 1)


def test_what_is_only_of_use_is_named_and_the_checkout_set_up(machine):
    (machine / "bin" / "lacking").touch()
    assert bootstrap.main(["--no-system"]) == 0
    log = (machine / "log").read_text()
    assert "newer is missing (SYSTEM=no leaves this machine alone), tests: echo 'deb " in log
    assert "sudo apt-get install -t bookworm-backports newer-package" in log
    assert log.splitlines()[-1] == "says: makes the folder"
    assert "\napt-get" not in log


def test_a_machine_that_has_everything_is_told_nothing(machine, monkeypatch):
    for name in ("lacking", "newer"):
        (machine / "bin" / name).touch()
    monkeypatch.setattr(Step, "is_current", lambda step, root: True)
    monkeypatch.setattr(Step, "ensure", lambda step, root, told: False)
    assert bootstrap.main([]) == 0
    assert not (machine / "log").exists()


@pytest.mark.parametrize(("system", "status"), [("no", 0), ("maybe", 2)])
def test_make_hands_the_choice_on(system, status):
    argv = [shutil.which("make"), "-n", "setup", f"SYSTEM={system}", f"PYTHON={sys.executable}"]
    done = subprocess.run(argv, cwd=checkout(), capture_output=True, text=True)
    assert done.returncode == status
    assert ("tinyrobust.host.setup --no-system" in done.stdout) == (system == "no")
    assert ("yes or no" in done.stderr) == (system == "maybe")
