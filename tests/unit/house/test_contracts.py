"""Each arrow that the contracts in pyproject.toml forbid is found where it is drawn.

All of them are planted in one copy of the packages, which is checked once.
"""

import os
import re
import shutil
import subprocess
import sys
from itertools import combinations, permutations
from pathlib import Path

import pytest

from tests.support.paths import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]
LAYERED = [contract for contract in CONTRACTS if contract["type"] == "layers"]
FORBIDDEN = [contract for contract in CONTRACTS if contract["type"] == "forbidden"]


def arrows(contract):
    """(from, to) of every import that a contract forbids, by module."""
    if contract["type"] == "forbidden":
        return [(a, b) for a in contract["source_modules"] for b in contract["forbidden_modules"]]
    (house,) = contract["containers"]
    layers = [re.split(r" *[|:] *", layer) for layer in contract["layers"]]
    found = [(low, high) for up, down in combinations(layers, 2) for low in down for high in up]
    for layer, names in zip(layers, contract["layers"], strict=True):
        found += permutations(layer, 2) if "|" in names else ()
    return [(f"{house}.{low}", f"{house}.{high}") for low, high in found]


def source(root: Path, module: str) -> Path:
    """The file of a module, or the face of a package."""
    path = root.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What lint-imports says of a copy in which every forbidden arrow is drawn."""
    room = tmp_path_factory.mktemp("planted")
    ignored = shutil.ignore_patterns("__pycache__", "weights", "templates")
    shutil.copytree(ROOT / "tinyrobust", room / "tinyrobust", ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", room)
    for start, end in {arrow for contract in CONTRACTS for arrow in arrows(contract)}:
        with source(room, start).open("a") as file:
            file.write(f"\nimport {end}\n")
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=room,
        env={**os.environ, "PYTHONPATH": str(room), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def test_the_table_names_packages_that_are_there():
    for contract in LAYERED:
        assert len(arrows(contract)) > 5, contract["name"]
        for module in {module for arrow in arrows(contract) for module in arrow}:
            assert source(ROOT, module).is_file(), module


@pytest.mark.parametrize("package", ["host", "models", "attacks"])
def test_every_folder_of_a_package_has_its_layer(package):
    """A new folder that no contract names would be held by none."""
    (contract,) = (one for one in LAYERED if one["containers"] == [f"tinyrobust.{package}"])
    layers = {name for layer in contract["layers"] for name in re.split(r" *[|:] *", layer)}
    folders = {path.parent.name for path in (ROOT / package).glob("*/__init__.py")}
    assert folders <= layers


@pytest.mark.slow
@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract["name"])
def test_every_contract_is_broken_by_each_arrow_it_forbids(said, contract):
    assert re.search(rf"^{re.escape(contract['name'])} BROKEN", said, re.M)
    missed = [
        f"{start} -> {end}"
        for start, end in arrows(contract)
        if f"{start} is not allowed to import {end}" not in said
    ]
    assert missed == []
