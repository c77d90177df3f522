"""Operators' counts: recorded, read back, shown as what the board's counter is, refused where the
file is damaged.
"""

import numpy as np
import pytest

from tests.support.runs.synthetic import manifest, run_folder
from tinyrobust.core.abi.wire import OperatorTicks
from tinyrobust.core.errors import UsageError
from tinyrobust.host.commands.costs import layer_lines
from tinyrobust.host.records.layers import LAYERS, read_layers, record
from tinyrobust.host.records.ticks import Counter, counter
from tinyrobust.host.report.page import write_report

PROFILES = [
    [OperatorTicks(100 + i, "CONV_2D"), OperatorTicks(300 + 10 * i, "CONV_2D")] for i in range(11)
]
REAL = {"emulated": False, "tick_unit": "cpu_cycles", "board_info": (("clock_hz", "1000000"),)}
EMULATED = {"emulated": True, "tick_unit": "cmsdk_timer", "board_info": (("clock_hz", "25000000"),)}


def test_a_real_board_has_cycles_and_milliseconds(tmp_path):
    record(tmp_path, PROFILES)
    layers = read_layers(tmp_path, manifest(**REAL))
    assert (layers.counter, layers.inferences) == (Counter("cycles", hz=1_000_000), 11)
    first, second = layers.rows
    assert (first.op, first.name, first.median) == (0, "CONV_2D", 105)
    assert (second.median, second.p5, second.p95) == (
        350,
        *np.percentile(300 + 10 * np.arange(11), (5, 95)),
    )
    assert first.share + second.share == pytest.approx(1)
    *_, line = layer_lines(layers)
    assert line.split() == ["1", "CONV_2D", "76.9%", "350", "305", "395", "0.350"]


def test_an_emulated_one_has_instructions_and_no_time(tmp_path):
    record(tmp_path, PROFILES)
    layers = read_layers(tmp_path, manifest(**EMULATED))
    assert (layers.counter.unit, layers.counter.hz) == ("instructions", 0)
    assert layers.rows[1].median == pytest.approx(350 / 1.6)
    assert "ms" not in "\n".join(layer_lines(layers))


@pytest.mark.parametrize(
    ("unit", "emulated", "expected"),
    [
        ("cpu_cycles", True, Counter("instructions")),
        ("systick", True, Counter("instructions", 1 / (80e6 * 64e-9))),
        ("host_ns", False, Counter("ns of the host")),
        ("microseconds", False, Counter("microseconds")),
    ],
)
def test_counters(unit, emulated, expected):
    assert counter(unit, 80_000_000, emulated) == expected


def test_the_report_has_the_table_where_it_was_measured(tmp_path):
    run = run_folder(tmp_path, **REAL)
    assert "Layer by layer" not in write_report(run).html.read_text()
    assert read_layers(run, manifest(**REAL)) is None
    record(run, PROFILES)
    page = write_report(run).html.read_text()
    assert "Layer by layer" in page
    assert "0.350" in page


def test_a_damaged_file_is_one_line(tmp_path):
    record(tmp_path, PROFILES)
    for content in (b"PAR1", (tmp_path / LAYERS).read_bytes()[:-9]):
        (tmp_path / LAYERS).write_bytes(content)
        with pytest.raises(UsageError, match=LAYERS):
            read_layers(tmp_path, manifest(**REAL))
    record(tmp_path, [[]])
    with pytest.raises(UsageError, match="not an operator for each row"):
        read_layers(tmp_path, manifest(**REAL))
