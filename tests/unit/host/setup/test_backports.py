"""Backports come from the mirror apt already uses, and only where apt reads Debian."""

import subprocess

import pytest

from tinyrobust.host.setup.backports import install, source_line
from tinyrobust.host.setup.tools import STM32, tools

READ = "m://mirror/debian/|bookworm|Debian|main\nm://mirror/debian/|bookworm-updates|Debian|main\n"


@pytest.mark.parametrize(
    ("targets", "line"),
    [
        (READ, "deb m://mirror/debian/ bookworm-backports main\n"),
        (READ + "m://other/|bookworm-backports|Debian Backports|main\n", ""),
        ("m://mirror/ubuntu/|noble|Ubuntu|main\n", None),
        ("m://node/|bookworm|Node|main\n", None),
        ("", None),
    ],
)
def test_source_line(targets, line):
    assert source_line(targets, "bookworm") == line


def test_apts_refusal_is_one_line(tmp_path):
    apt = tmp_path / "apt-get"
    apt.write_text(
        "#!/bin/sh\necho W: odd >&2; echo E: no such suite >&2; echo "
        "'m://a/|stable|Debian|main'; exit 100\n"
    )
    apt.chmod(0o755)
    root = ["env", "-i", "PATH=/nowhere"]
    assert "tee" in (install([str(apt)], root, "stable", ["p"]) or "")
    assert "no Debian archive" in (install([str(apt)], root, "sid", ["p"]) or "")


def test_the_probe_tells_a_qemu_without_the_machine(tmp_path, monkeypatch):
    (qemu,) = tools([STM32])
    assert subprocess.run(
        [*qemu.probe.split()[:2], "no-such-machine", *qemu.probe.split()[3:]], check=False
    ).returncode
    assert qemu.remedy.startswith("apt-get install -t ")
    assert qemu.remedy.endswith("-backports qemu-system-arm")
