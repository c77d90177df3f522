"""What is installed: one name beside a user's own folders, with all that it needs, from a wheel."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("host", "models", "attacks", "studies")
BUILD = """
import sys
from setuptools import build_meta
print(getattr(build_meta, sys.argv[1])(sys.argv[2]))
"""


def run(*argv: object, cwd: Path) -> str:
    done = subprocess.run([str(word) for word in argv], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def built(kind: str, sources: Path, to: Path) -> Path:
    return to / run(sys.executable, "-c", BUILD, kind, to, cwd=sources).splitlines()[-1]


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
        return {name: archive.read(name) for name in names}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Source archive and wheel of a copy, in which setuptools may leave what it likes."""
    copy, to = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("dist")
    litter = shutil.ignore_patterns("__pycache__")
    for name in (*PACKAGES, "tinyrobust"):
        shutil.copytree(ROOT / name, copy / name, symlinks=True, ignore=litter)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    return built("build_sdist", copy, to), built("build_wheel", copy, to)


@pytest.mark.slow
def test_the_wheel_has_every_module_and_data_file_under_one_name(made):
    files = contents(made[1])
    committed = [path for name in PACKAGES for path in (ROOT / name).rglob("*")]
    committed += list((ROOT / "tinyrobust" / "core").rglob("*.py"))
    expected = {
        str(path.relative_to(ROOT)).removeprefix("tinyrobust/")
        for path in committed
        if path.is_file() and path.suffix not in (".pyc", ".md")
    }
    assert set(files) == {f"tinyrobust/{name}" for name in (*expected, "__init__.py")}


@pytest.mark.slow
def test_the_source_archive_makes_the_same_wheel(made, tmp_path):
    with tarfile.open(made[0]) as archive:
        assert not [member.name for member in archive if member.issym() or member.islnk()]
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    assert contents(built("build_wheel", unpacked, tmp_path)) == contents(made[1])


@pytest.mark.slow
def test_a_projects_own_models_stay_its_own(made, tmp_path):
    site, project = tmp_path / "site", tmp_path / "project"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    run(*pip, "--target", site, made[1], cwd=tmp_path)
    for name in PACKAGES:
        (project / name).mkdir(parents=True)
        (project / name / "__init__.py").write_text("MINE = True\n")
    (project / "use.py").write_text(
        "import sys; sys.path.insert(1, sys.argv[1])\n"
        "import models, host, attacks, studies\n"
        "assert models.MINE and host.MINE and attacks.MINE and studies.MINE\n"
        "import tinyrobust.host.cli\n"
        "from tinyrobust.host.boards.table import get_board\n"
        "from importlib.resources import files\n"
        "assert get_board('native')\n"
        "assert files('tinyrobust.host.report').joinpath('templates/report.html.j2').is_file()\n"
        "assert files('tinyrobust.models').joinpath('weights/digits-4bit.npz').is_file()\n"
        "print(tinyrobust.__file__)\n"
    )
    # The wheel's folder comes before this checkout's editable install, which has the same name.
    said = run(sys.executable, "use.py", site, cwd=project)
    assert Path(said.strip()).is_relative_to(site)
