"""The command itself, as a process: a whole bench on the native board, killed with -9 in the
middle, then again.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.runs.rows import read
from tinyrobust.core.cache import cache_folder
from tinyrobust.host.setup.tools import checkout

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is missing"),
]
OPTIONS = ["--board", "native", "--samples", "40", "--eps", "4/255,16/255"]


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A folder whose cache has nothing but trained weights, which all tests share."""
    room = tmp_path_factory.mktemp("bench")
    weights = cache_folder() / "weights"
    weights.mkdir(parents=True, exist_ok=True)
    (room / "cache").mkdir()
    (room / "cache" / "weights").symlink_to(weights)
    return room


def start(room, *argv, **options):
    environment = {**os.environ, "TINYROBUST_CACHE": str(room / "cache")}
    return subprocess.Popen(
        [sys.executable, "-m", "tinyrobust.host.cli", *argv],
        cwd=checkout(),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def result(child):
    out, err = child.communicate(timeout=600)
    assert child.returncode == 0, err
    return json.loads(out)


def without_ticks(folder):
    return [{**row, "ticks": None} for row in read(Path(folder))]


def test_killed_bench_resumes_and_a_finished_one_is_reused(room):
    whole = result(start(room, "run", *OPTIONS, "--out", str(room / "whole"), "--json"))
    cells = 1 + 2 + 2 * 2 * 2
    assert whole["made"] == cells * 5 * 40
    assert [(d["rung"], d["differing_bytes"]) for d in whole["divergence"]] == [
        ("native", 0),
        ("twin", 0),
    ]
    assert "--samples 40" in whole["manifest"]["command"]
    assert (Path(whole["run"]) / "report.html").is_file()

    child = start(room, "run", *OPTIONS, "--out", str(room / "cut"))
    while child.poll() is None and len(list((room / "cut").glob("*/parts/*.parquet"))) < 9:
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    resumed = result(start(room, "run", *OPTIONS, "--out", str(room / "cut"), "--json"))
    assert 0 < resumed["made"] < whole["made"]
    assert without_ticks(resumed["run"]) == without_ticks(whole["run"])

    page = Path(resumed["run"]) / "report.html"
    page.unlink()
    floor = room / "bench.toml"
    floor.write_text(
        '[[gate.floors]]\nattack = "pgd"\nsource = "qat"\neps = "16/255"\naccuracy = 1\n'
    )
    gated = start(
        room, "run", *OPTIONS, "--out", str(room / "cut"), "--config", str(floor), "--json"
    )
    out, err = gated.communicate(timeout=600)
    assert "gates failed: native under pgd made on qat" in err
    assert (gated.returncode, page.is_file()) == (1, True)
    again = json.loads(out)
    assert (again["made"], again["run"]) == (0, resumed["run"])

    report = result(start(room, "report", again["run"], "--json"))
    assert report["rows"] == again["rows"]
