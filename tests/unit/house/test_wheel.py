"""The wheel beside a project whose own packages have the commonest names of this field."""

import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from tests.support.paths import ROOT

pytestmark = pytest.mark.slow
PARTS = ("tinyrobust", "host", "models", "attacks", "studies")
COMMON = ("host", "models", "attacks", "studies", "core")
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")


def run(*argv, cwd, **environment):
    done = subprocess.run(
        argv,
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy: setuptools leaves its own files beside what it builds from."""
    room = tmp_path_factory.mktemp("wheel")
    copy = room / "checkout"
    for name in PARTS:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, copy / name, symlinks=True, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", room)
    run(*PIP, "wheel", *options, copy, cwd=room)
    (built,) = room.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def site(wheel, tmp_path_factory):
    """A folder of installed packages that holds the wheel alone."""
    target = tmp_path_factory.mktemp("site")
    run(*PIP, "install", "--no-deps", "--no-index", "--target", target, wheel, cwd=target)
    return target


@pytest.fixture
def project(tmp_path):
    """A project with packages of its own."""
    for name in COMMON:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("MINE = True\n")
    return tmp_path


def test_one_name_is_taken_and_no_other(site):
    names = {path.name for path in site.iterdir()} - {"bin"}
    (about,) = (name for name in names if name.endswith(".dist-info"))
    assert names == {"tinyrobust", about}
    assert (site / about / "top_level.txt").read_text().split() == ["tinyrobust"]
    assert {path.name for path in (site / "bin").iterdir()} == {"tinyrobust"}


def test_every_module_and_data_file_is_in_it(wheel):
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith("tinyrobust/")}
    ours = {
        f"tinyrobust/{path.relative_to(ROOT / 'tinyrobust').as_posix()}"
        for package in ("", *(ROOT / "tinyrobust").iterdir())
        for path in (ROOT / "tinyrobust" / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".md"
    }
    assert len(ours) > 300
    assert packed == ours


def test_ours_and_a_projects_own_are_imported_side_by_side(site, project):
    code = (
        "import host, models, attacks, studies, core\n"
        "import tinyrobust.core.grid, tinyrobust.attacks.registry\n"
        "import tinyrobust.host.boards.table, tinyrobust.models.tflite.reader\n"
        "assert all(one.MINE for one in (host, models, attacks, studies, core))\n"
        "print(tinyrobust.models.__file__)\n"
    )
    said = run(sys.executable, "-c", code, cwd=project, PYTHONPATH=str(site))
    assert said.strip() == str(site / "tinyrobust" / "models" / "__init__.py")


def test_the_command_runs_from_there(site, project):
    command = (sys.executable, "-m", "tinyrobust.host.cli")
    assert "nucleo_f746" in run(*command, "boards", cwd=project, PYTHONPATH=str(site))
