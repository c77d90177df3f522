"""A source file is compiled because of where it lies, by PlatformIO and by make alike."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tinyrobust.host.boards.build import platformio_environment
from tinyrobust.host.config.parts import PROTOCOLS, Parts
from tinyrobust.host.setup.environment import BOARD_STEPS
from tinyrobust.host.setup.tools import checkout

ROOT = Path(__file__).resolve().parents[2]
PIO = ROOT / ".pio-venv/bin/pio"
DROPPED = "dropped_here.cc"

pytestmark = pytest.mark.skipif(
    shutil.which("make") is None or not all(step.up_to_date(checkout()) for step in BOARD_STEPS),
    reason="needs make and `make setup`",
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The firmware with one file more in each folder that has sources."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copy(ROOT / "platformio.ini", folder)
    shutil.copytree(ROOT / "firmware", folder / "firmware")
    (folder / ".pio").mkdir()
    for shared in (".deps", ".pio/packages"):
        (folder / shared).symlink_to(ROOT / shared)
    for room in {path.parent for path in (folder / "firmware/src").rglob("*.cc")}:
        (room / DROPPED).touch()
    return folder


def by_make(copy: Path, protocol: str) -> set[str]:
    argv = ["make", "-s", "-C", copy / "firmware", "sources", f"PROTOCOL={protocol}"]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    return {f"{line}.cc" for line in said.split()}


def by_platformio(copy: Path, protocol: str) -> set[str]:
    argv = [PIO, "run", "--silent", "-e", "qemu_an500", "-t", "compiledb"]
    environment = platformio_environment(Parts(protocol), copy)
    subprocess.run(argv, cwd=copy, env=environment, capture_output=True, check=True)
    files = [
        copy / entry["file"] for entry in json.loads((copy / "compile_commands.json").read_text())
    ]
    sources = copy / "firmware/src"
    return {str(path.relative_to(sources)) for path in files if path.is_relative_to(sources)}


def beside_ports(files: set[str]) -> set[str]:
    return {file for file in files if not file.startswith("port/")}


@pytest.mark.slow
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_both_builds_compile_the_same_files_but_for_the_port(copy, protocol):
    native, board = by_make(copy, protocol), by_platformio(copy, protocol)
    assert beside_ports(native) == beside_ports(board)
    dropped = {Path(file).parent.as_posix() for file in native | board if file.endswith(DROPPED)}
    used = {Path(file).parent.as_posix() for file in native | board}
    assert dropped == used


def test_every_folder_of_sources_belongs_to_a_build(copy):
    """A board's folders stand in platformio.ini, those of native and of both in the Makefile."""
    argv = [PIO, "project", "config", "--json-output"]
    said = subprocess.run(argv, cwd=copy, env=os.environ, capture_output=True, check=True).stdout
    filters = [
        word
        for _, options in json.loads(said)
        for word in dict(options).get("build_src_filter", [])
    ]
    named = {
        folder for word in filters for folder in word.replace("+<", " ").replace("/>", " ").split()
    }
    named |= {str(Path(file).parent) for protocol in PROTOCOLS for file in by_make(copy, protocol)}
    sources = copy / "firmware/src"
    rooms = {str(path.parent.relative_to(sources)) for path in sources.rglob("*.cc")}
    assert rooms - named == {"engine/tflm"}  # ENGINE=tflm, which both builds name by that word
    assert named <= rooms
