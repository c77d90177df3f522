"""The run folder: nothing lost, nothing doubled, one writer, whatever ends the program."""

import dataclasses
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.support.paths import ROOT
from tests.support.runs import synthetic
from tests.support.runs.rows import CELL, part
from tinyrobust.core.errors import UsageError
from tinyrobust.host.records.store import PARTS, RECORDS, Store, read_manifest

MANIFEST = synthetic.manifest(run_id="r", state="running", n=20)


def test_records_survive_and_resume(tmp_path):
    with Store(tmp_path, MANIFEST) as store:
        store.append(part([0, 1, 2]))
    with Store(tmp_path, MANIFEST) as store:
        assert store.done("native", CELL).nonzero()[0].tolist() == [0, 1, 2]
        assert not store.done("tflm", CELL).any()
        store.append(part([3]))
        store.finish(dataclasses.replace(MANIFEST, state="complete"))
    assert pq.read_table(tmp_path / "r" / RECORDS)["sample"].to_pylist() == [0, 1, 2, 3]
    assert read_manifest(tmp_path / "r").state == "complete"
    with Store(tmp_path, MANIFEST) as store:
        assert store.complete
        assert store.recorded == 4


@pytest.mark.parametrize("state", ["running", "complete"])
def test_what_an_attack_failed_on_is_taken_out_and_made_again(tmp_path, state):
    with Store(tmp_path, MANIFEST) as store:
        store.append(part([0, 1, 2], failed=(1,)))
        store.append(part([3]))
        if state == "complete":
            store.finish(dataclasses.replace(MANIFEST, state=state))
    with Store(tmp_path, MANIFEST) as store:
        assert (store.dropped, store.recorded, store.complete) == (1, 3, False)
        store.append(part([1]))
        store.finish(dataclasses.replace(MANIFEST, state="complete"))
    with Store(tmp_path, MANIFEST) as store:
        assert (store.dropped, store.recorded, store.complete) == (0, 4, True)
    table = pq.read_table(tmp_path / "r" / RECORDS)
    assert sorted(table["sample"].to_pylist()) == [0, 1, 2, 3]
    assert not any(table["failed"].to_pylist())


def test_unfinished_part_is_ignored(tmp_path):
    with Store(tmp_path, MANIFEST) as store:
        store.append(part([0]))
    (tmp_path / "r" / PARTS / ".000001.parquet.99.tmp").write_bytes(b"PAR1 half")
    with Store(tmp_path, MANIFEST) as store:
        assert store.recorded == 1
        store.append(part([1]))
    assert len(list((tmp_path / "r" / PARTS).iterdir())) == 2


def test_doubled_records_are_refused(tmp_path):
    with Store(tmp_path, MANIFEST) as store:
        store.append(part([0, 1]))
        store.append(part([1]))
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
        store.append(part([0]))
    file = next((tmp_path / "r" / PARTS).iterdir())
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(UsageError, match=file.name), Store(tmp_path, MANIFEST):
        pass


def test_killed_writer_loses_and_doubles_nothing(tmp_path):
    """kill -9 in the middle of appending, three times over; then the rest is made."""
    script = tmp_path / "writer.py"
    script.write_text(
        textwrap.dedent("""
        import sys
        from pathlib import Path
        from tests.support.runs import synthetic
        from tests.support.runs.rows import CELL, part
        from tinyrobust.host.records.store import Store
        manifest = synthetic.manifest(run_id="r", state="running", n=20)
        with Store(Path(sys.argv[1]), manifest) as store:
            while not store.done("native", CELL).all():
                store.append(part([int(store.done("native", CELL).argmin())]))
                print(store.recorded, flush=True)
        """)
    )
    paths = os.pathsep.join([str(ROOT), *sys.path])
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
        store.append(part(np.flatnonzero(~done).tolist()))
        store.finish(MANIFEST)
    assert sorted(pq.read_table(tmp_path / "r" / RECORDS)["sample"].to_pylist()) == list(range(20))
