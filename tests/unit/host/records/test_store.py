"""The run folder: nothing lost, nothing doubled, one writer, whatever ends the program."""

import dataclasses
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tinyrobust.core.cells import Cell
from tinyrobust.core.errors import UsageError
from tinyrobust.host.records.schema import SCHEMA, Manifest, RungInfo
from tinyrobust.host.records.store import PARTS, RECORDS, Store, read_manifest

CELL = Cell("noise", "-", 0.1, 3)
MANIFEST = Manifest(
    run_id="r",
    created="2026-01-01T00:00:00+00:00",
    state="running",
    model="m",
    data="d",
    data_sha256="0",
    samples=20,
    board="native",
    emulated=False,
    tick_unit="none",
    seeds=(3,),
    attacks=("noise",),
    eps=(0.1,),
    input_shape=(2, 2),
    input_scale=1.0,
    input_zero_point=0,
    class_names=("a", "b"),
    tflite_sha256="0",
    plan_id="0",
    tflite_bytes=0,
    plan_bytes=0,
    arena_bytes=0,
    tflm_arena_bytes=None,
    git="",
    versions=(),
    board_info=(),
    rungs=(RungInfo("native", True),),
)


def rows(samples, rung="native", failed=()):
    n = len(samples)
    values = {
        "rung": [rung] * n,
        "attack": [CELL.attack] * n,
        "source": [CELL.source] * n,
        "eps": [CELL.eps] * n,
        "seed": [CELL.seed] * n,
        "levels": [25] * n,
        "linf": [25] * n,
        "l2": [0.2] * n,
        "l1": [0.3] * n,
        "l0": [4] * n,
        "unsnapped": [0.1] * n,
        "failed": [one in failed for one in samples],
        "sample": samples,
        "label": [0] * n,
        "predicted": [1] * n,
        "input_crc": samples,
        "logits": [[0.0, 1.0]] * n,
        "raw": [b"ab"] * n,
        "ticks": [None] * n,
        "retries": [0] * n,
    }
    return pa.table(values, schema=SCHEMA)


def test_records_survive_and_resume(tmp_path):
    with Store(tmp_path, MANIFEST) as store:
        store.append(rows([0, 1, 2]))
    with Store(tmp_path, MANIFEST) as store:
        assert store.done("native", CELL).nonzero()[0].tolist() == [0, 1, 2]
        assert not store.done("tflm", CELL).any()
        store.append(rows([3]))
        store.finish(dataclasses.replace(MANIFEST, state="complete"))
    assert pq.read_table(tmp_path / "r" / RECORDS)["sample"].to_pylist() == [0, 1, 2, 3]
    assert read_manifest(tmp_path / "r").state == "complete"
    with Store(tmp_path, MANIFEST) as store:
        assert store.complete
        assert store.recorded == 4


@pytest.mark.parametrize("state", ["running", "complete"])
def test_what_an_attack_failed_on_is_taken_out_and_made_again(tmp_path, state):
    with Store(tmp_path, MANIFEST) as store:
        store.append(rows([0, 1, 2], failed=(1,)))
        store.append(rows([3]))
        if state == "complete":
            store.finish(dataclasses.replace(MANIFEST, state=state))
    with Store(tmp_path, MANIFEST) as store:
        assert (store.dropped, store.recorded, store.complete) == (1, 3, False)
        store.append(rows([1]))
        store.finish(dataclasses.replace(MANIFEST, state="complete"))
    with Store(tmp_path, MANIFEST) as store:
        assert (store.dropped, store.recorded, store.complete) == (0, 4, True)
    table = pq.read_table(tmp_path / "r" / RECORDS)
    assert sorted(table["sample"].to_pylist()) == [0, 1, 2, 3]
    assert not any(table["failed"].to_pylist())


def test_unfinished_part_is_ignored(tmp_path):
    with Store(tmp_path, MANIFEST) as store:
        store.append(rows([0]))
    (tmp_path / "r" / PARTS / ".000001.parquet.99.tmp").write_bytes(b"PAR1 half")
    with Store(tmp_path, MANIFEST) as store:
        assert store.recorded == 1
        store.append(rows([1]))
    assert len(list((tmp_path / "r" / PARTS).iterdir())) == 2


def test_doubled_records_are_refused(tmp_path):
    with Store(tmp_path, MANIFEST) as store:
        store.append(rows([0, 1]))
        store.append(rows([1]))
        with pytest.raises(UsageError, match="3 records for 2 keys"):
            store.finish(MANIFEST)


def test_second_writer_is_refused(tmp_path):
    with (
        Store(tmp_path, MANIFEST),
        pytest.raises(UsageError, match="another run"),
        Store(tmp_path, MANIFEST),
    ):
        pass


def test_damaged_part_is_named(tmp_path):
    with Store(tmp_path, MANIFEST) as store:
        store.append(rows([0]))
    part = next((tmp_path / "r" / PARTS).iterdir())
    part.write_bytes(part.read_bytes()[:-9])
    with pytest.raises(UsageError, match=part.name), Store(tmp_path, MANIFEST):
        pass


def test_killed_writer_loses_and_doubles_nothing(tmp_path):
    """kill -9 in the middle of appending, three times over; then the rest is made."""
    script = tmp_path / "writer.py"
    script.write_text(
        textwrap.dedent("""
        import sys
        from pathlib import Path
        from test_store import CELL, MANIFEST, rows
        from tinyrobust.host.records.store import Store
        with Store(Path(sys.argv[1]), MANIFEST) as store:
            while not store.done("native", CELL).all():
                store.append(rows([int(store.done("native", CELL).argmin())]))
                print(store.recorded, flush=True)
        """)
    )
    paths = os.pathsep.join([str(Path(__file__).parent), str(Path.cwd()), *sys.path])
    for kill_after in (3, 6, 4):
        child = subprocess.Popen(
            [sys.executable, str(script), str(tmp_path)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": paths},
        )
        for _ in range(kill_after):
            assert child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
    with Store(tmp_path, MANIFEST) as store:
        done = store.done("native", CELL)
        assert done.sum() >= 13
        store.append(rows(np.flatnonzero(~done).tolist()))
        store.finish(MANIFEST)
    assert sorted(pq.read_table(tmp_path / "r" / RECORDS)["sample"].to_pylist()) == list(range(20))
