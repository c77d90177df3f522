"""What set-up puts into the checkout: virtual environments, CMSIS, PlatformIO's build tool.

Standard library only.

Every step is locked by hashes and stamped, so that it runs again exactly when its lock, the Python
version or the place of the checkout has changed, or when it was interrupted.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyrobust.host.setup.guard import guarded

Say = Callable[[str], None]
"""As in ``tinyrobust.core.progress``, which needs packages that are not installed yet here."""

PLATFORMIO_SCONS = "4.41101.0"
"""The tool-scons that PlatformIO 6.2.0 asks for (``platformio.dependencies``): SCons 4.11.1."""


class SetupError(Exception):
    """What failed and what to do, in one line.

    It is no BenchError: what the ground needs may not be installed yet when this is raised.
    """


def run(argv: Sequence[str], say: Say, root: Path) -> None:
    """Runs a command in ``root``, telling its progress.

    Raises SetupError with the last line it said.
    """
    last = ""
    with guarded(argv, root, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip():
                last = line.strip()
            if line.startswith(("Collecting", "Downloading", "Installing")):
                say(line.strip()[:110])
    if process.returncode != 0:
        raise SetupError(
            f"{' '.join(argv[:6])} failed: {last[:300]}: run `make setup` again once that is mended"
        )


@dataclass(frozen=True)
class Step:
    """One folder of the checkout, made from one file."""

    name: str
    lock: str
    needed_for: str
    make: Callable[[Path, Say], None]

    def digest(self, root: Path) -> str:
        """Hash of everything the result depends on; a virtual environment cannot be moved."""
        return hashlib.sha256(str(root).encode() + (root / self.lock).read_bytes()).hexdigest()

    def stamp(self, root: Path) -> Path:
        """Written last, so that an interrupted step counts as not done."""
        return root / self.name / ".tinyrobust-stamp"

    def up_to_date(self, root: Path) -> bool:
        """Whether nothing needs doing."""
        stamp = self.stamp(root)
        return stamp.is_file() and stamp.read_text() == self.digest(root)

    def is_current(self, root: Path) -> bool:
        """Whether it is up to date and no virtual environment of another Python."""
        return self.up_to_date(root) and _of_this_python(root / self.name)

    def ensure(self, root: Path, say: Say) -> bool:
        """Makes the folder unless it is current; returns whether it did. Raises SetupError."""
        if self.is_current(root):
            return False
        say(f"{self.name} from {self.lock}")
        shutil.rmtree(root / self.name, ignore_errors=True)
        self.make(root, say)
        self.stamp(root).write_text(self.digest(root))
        return True


def _of_this_python(folder: Path) -> bool:
    """Whether a virtual environment is of this Python's version.

    It is not where the machine's python3 has changed.
    """
    config = folder / "pyvenv.cfg"
    text = config.read_text() if config.is_file() else ""
    made_by = re.search(r"^version = (\d+)\.(\d+)", text, re.M)
    return made_by is None or (int(made_by[1]), int(made_by[2])) == sys.version_info[:2]


def _pip(root: Path, folder: str, say: Say, *arguments: str) -> None:
    run([str(root / folder / "bin" / "python"), "-m", "pip", *arguments], say, root)


def _make_venv(root: Path, folder: str, lock: str, say: Say) -> None:
    run([sys.executable, "-m", "venv", "--clear", str(root / folder)], say, root)
    _pip(root, folder, say, "install", "--no-deps", "--require-hashes", "-r", lock)


def _bench(root: Path, say: Say) -> None:
    _make_venv(root, ".venv", "requirements.lock", say)


def _project(root: Path, say: Say) -> None:
    _pip(root, ".venv", say, "install", "--no-deps", "--no-build-isolation", "--editable", ".")
    (root / PROJECT.name).mkdir()


def _platformio(root: Path, say: Say) -> None:
    _make_venv(root, ".pio-venv", "requirements-pio.lock", say)


def _cmsis(root: Path, say: Say) -> None:
    folder = root / ".deps" / "cmsis"
    folder.mkdir(parents=True)
    # A wheel is downloaded by hash and unpacked, not installed: only its C sources are wanted.
    target = ["--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
    _pip(root, ".venv", say, "download", *target, "--require-hashes", "-r", "firmware/cmsis.lock")
    for wheel in folder.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
        wheel.unlink()


def _scons(root: Path, say: Say) -> None:
    """Files that hand PlatformIO the SCons of ``.pio-venv``, among its packages."""
    folder = root / ".pio" / "packages" / "tool-scons"
    folder.mkdir(parents=True)
    spec = {
        "owner": "platformio",
        "id": None,
        "name": "tool-scons",
        "requirements": None,
        "uri": None,
    }
    piopm = {"type": "tool", "name": "tool-scons", "version": PLATFORMIO_SCONS, "spec": spec}
    (folder / "package.json").write_text(
        json.dumps({"name": "tool-scons", "version": PLATFORMIO_SCONS})
    )
    (folder / ".piopm").write_text(json.dumps(piopm))
    (folder / "scons.py").write_text(
        "import sys\n\nfrom SCons.Script import main\n\nsys.exit(main())\n"
    )


BENCH = Step(".venv", "requirements.lock", "everything", _bench)
PROJECT = Step(".venv/tinyrobust", "pyproject.toml", "the command tinyrobust", _project)
CMSIS = Step(".deps/cmsis", "firmware/cmsis.lock", "building any firmware", _cmsis)
PLATFORMIO = Step(".pio-venv", "requirements-pio.lock", "building firmware for boards", _platformio)
SCONS = Step(
    ".pio/packages/tool-scons", "requirements-pio.lock", "building firmware for boards", _scons
)

NATIVE_STEPS = (CMSIS,)
BOARD_STEPS = (CMSIS, PLATFORMIO, SCONS)
"""What building firmware needs, beside the environment that asks for it."""
