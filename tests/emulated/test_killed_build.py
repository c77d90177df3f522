"""``kill -9`` in the middle of a real build: nothing of it goes on, the next one runs."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tinyrobust.host.boards.emulator import Emulator
from tinyrobust.host.boards.table import PortKind, get_board
from tinyrobust.host.devices.device import Device
from tinyrobust.host.link.pipes import ChildPort, FifoPort
from tinyrobust.host.setup.environment import BOARD_STEPS, NATIVE_STEPS
from tinyrobust.host.setup.tools import ARM, NATIVE, checkout, missing, tools

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        bool(missing(tools([ARM, NATIVE])))
        or any(not step.up_to_date(checkout()) for step in BOARD_STEPS + NATIVE_STEPS),
        reason="needs `make setup`",
    ),
]

BUILD = """
import sys
from tinyrobust.host.boards import build
from tinyrobust.host.boards.table import get_board
build._require = lambda *what: None  # its stamps tell where they were made
print(build.build(get_board(sys.argv[1])).elf)
"""


@pytest.fixture
def fresh(tmp_path):
    """A checkout that has never built: with a cache there is little to be cut short."""
    for name in ("tinyrobust", "host", "models", "firmware"):
        shutil.copytree(
            checkout() / name,
            tmp_path / name,
            symlinks=True,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    shutil.copy(checkout() / "platformio.ini", tmp_path)
    (tmp_path / ".pio").mkdir()
    for name in (".deps", ".pio-venv", ".pio/packages"):
        (tmp_path / name).symlink_to(checkout() / name)
    return tmp_path


def started(root, name):
    environment = {**os.environ, "PYTHONPATH": str(root)}
    argv = [sys.executable, "-c", BUILD, name]
    return subprocess.Popen(argv, cwd=root, env=environment, stdout=subprocess.PIPE, text=True)


def working(root):
    """The processes that work in ``root``."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208
        try:
            found += [pid] * Path(f"/proc/{pid}/cwd").readlink().is_relative_to(root)
        except OSError:
            continue
    return found


@pytest.mark.parametrize("name", ["qemu_an500", "native"])
def test_the_next_build_runs(fresh, name):
    board = get_board(name)
    folder = fresh / ("build" if board.port is PortKind.CHILD else ".pio/build")
    with started(fresh, name) as first:
        deadline = time.monotonic() + 300
        while len(list(folder.rglob("*.o"))) < 30 and time.monotonic() < deadline:
            time.sleep(0.01)
            assert first.poll() is None, "it was done before it could be killed"
        first.kill()
    deadline = time.monotonic() + 5
    while working(fresh) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not working(fresh)
    with started(fresh, name) as second:
        elf = Path(second.communicate(timeout=400)[0].strip())
    assert second.returncode == 0
    assert elf.is_relative_to(fresh)
    for path in (*folder.rglob("*.o"), *(fresh / ".pio").glob("cache/??/*")):
        assert path.stat().st_size, path
        read = subprocess.run(["readelf", "-S", path], capture_output=True, text=True)
        assert read.stderr == "", path
    if board.port is PortKind.CHILD:
        with Device(ChildPort([str(elf)])) as device:
            assert device.hello().pool_bytes
        return
    with Emulator(board, elf) as emulator:
        port = FifoPort(board.name, emulator.to_board, emulator.from_board, emulator.gone)
        with Device(port) as device:
            assert device.hello().board == board.env
