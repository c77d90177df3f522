"""A hostile board, through the command line: whatever it says is one printable line and exit code
3, and soon.
"""

import re
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.boards.hostile import (
    ANSWERS,
    ESCAPES,
    INFOS,
    NOISES,
    TENSORS,
    HostileBoard,
    Raw,
    tensor,
)
from tests.support.boards.mlperf_memory import Dut
from tests.support.boards.simulated import MemoryPlan
from tests.support.runs.small_ladder import ladder
from tinyrobust.core.abi.layout import pack, size, unpack
from tinyrobust.core.abi.wire import Infer, Info, Layer, OperatorTicks, Profile, Tensor
from tinyrobust.core.errors import LinkError
from tinyrobust.host import cli
from tinyrobust.host.devices.attach import Image
from tinyrobust.host.devices.believed import spec
from tinyrobust.host.devices.device import Device
from tinyrobust.host.devices.mlperf.session import Session
from tinyrobust.host.link import timing
from tinyrobust.host.link.exchange import Link
from tinyrobust.host.records.ticks import of_info


@pytest.fixture
def bench(tmp_path, monkeypatch, capfd):
    """``tinyrobust run`` on a board in memory with a small network; (exit code, stdout, stderr)."""
    monkeypatch.setenv("TINYROBUST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(
        "tinyrobust.host.devices.device.Link", partial(Link, silence=0.15, patience=0.2)
    )
    monkeypatch.setattr(
        "tinyrobust.host.commands.run.ladder_of", lambda config: lambda cache: ladder()
    )
    monkeypatch.setattr("tinyrobust.models.plan.c_sources.emit_all", lambda bundle, folder: None)
    monkeypatch.setattr(
        "tinyrobust.host.devices.mlperf.device.Session",
        partial(Session, command_seconds=0.02, infer_seconds=0.02),
    )
    for kind in timing.FIRST_TIMEOUT:
        monkeypatch.setitem(timing.FIRST_TIMEOUT, kind, 0.05)

    def run(board, *more):
        monkeypatch.setattr(
            "tinyrobust.host.devices.attach.open_port", lambda *given: (board, 0, Image())
        )
        monkeypatch.setattr(
            "tinyrobust.host.devices.mlperf.attach.SerialPort", lambda url, baud: board
        )
        argv = [
            "run",
            "--model",
            "digits",
            "--attacks",
            "clean",
            "--samples",
            "3",
            "--out",
            str(tmp_path / "runs"),
        ]
        name = "nucleo_f746" if more else "qemu_an500"
        status = cli.main([*argv, "--board", name, *more])
        return (status, *capfd.readouterr())

    return run


def refused(outcome, says):
    """One printable line on stderr, and the code of a link at fault."""
    status, _, err = outcome
    line = [line for line in err.split("\n") if line][-1]
    assert status == 3, err
    assert line.startswith("tinyrobust: error: ")
    assert re.search(says, line), line
    assert "unexpected" not in err
    assert "Traceback" not in err
    assert err.count("tinyrobust: error:") == 1
    assert all(c.isprintable() or c == "\n" for c in err)


def test_the_same_board_benches_where_it_is_honest(bench):
    status, out, err = bench(HostileBoard())
    assert status == 0, err
    assert "every byte is the same" in out


@pytest.mark.parametrize("says", INFOS.values(), ids=INFOS)
def test_an_impossible_info(bench, says):
    refused(
        bench(HostileBoard(**says)),
        "qemu_an500: impossible INFO: .*: is the right firmware running?",
    )


@pytest.mark.parametrize("end", ["input", "output"])
@pytest.mark.parametrize("bent", TENSORS.values(), ids=TENSORS)
def test_an_edge_tensor_that_no_network_has(bench, end, bent):
    refused(
        bench(HostileBoard(**{end: tensor(**bent)})), "the board('s tensor has| states a tensor)"
    )


@pytest.mark.parametrize(
    ("end", "bent"),
    [
        ("input", {"dims": (1, 1, 2, 8)}),
        ("input", {"scale": 0.25}),
        ("output", {"dims": (1, 1, 1, 9)}),
        ("output", {"zero_point": 3}),
        ("output", {"dtype": 7}),
    ],
)
def test_an_edge_tensor_of_another_network(bench, end, bent):
    refused(
        bench(HostileBoard(**{end: tensor(**bent)})),
        f"the board's {end} is TensorSpec.*, the model's TensorSpec",
    )


@pytest.mark.parametrize(("bend", "says"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_that_no_board_gives(bench, bend, says):
    refused(bench(HostileBoard(bend)), re.escape(says))


@pytest.mark.parametrize(
    "honest", [0, pytest.param(4, marks=pytest.mark.slow)], ids=["from the start", "later on"]
)
@pytest.mark.parametrize(("noise", "says"), NOISES.values(), ids=NOISES)
def test_what_is_no_answer(bench, noise, says, honest):
    refused(bench(Raw(noise, honest)), says)


@pytest.mark.parametrize("text", ["board", "firmware", "engine"])
def test_escapes_in_the_texts_of_a_stranger(bench, text):
    says = {"board": "else", text: ESCAPES[:24]}
    refused(bench(HostileBoard(**says, protocol=1)), "runs firmware")


def test_escapes_reach_neither_terminal_nor_manifest_nor_page(bench, tmp_path):
    def bend(frame, say):
        body, tail = say()
        return body, pack(OperatorTicks(9, ESCAPES)) if isinstance(frame.body, Profile) else tail

    status, out, err = bench(HostileBoard(bend, engine=ESCAPES, firmware="[/b][red]\x1b[2J"))
    assert status == 0, err
    run = next((tmp_path / "runs").iterdir())
    shown = (
        out
        + err
        + "".join(
            (run / name).read_text() for name in ("manifest.json", "report.html", "summary.csv")
        )
    )
    assert "?]0;owned??[2J?31m" in shown
    assert "[/b][red]?[2J" in shown
    assert all(c.isprintable() or c == "\n" for c in shown)


MLPERF = {
    "escapes for a name, no scores": (
        {"name": [f"m-name-dut-[{ESCAPES[5:-2]}]"], "infer": ["m-x"]},
        "0 results",
    ),
    "name of nothing": ({"name": ["m-name-dut"]}, "no MLPerf Tiny firmware answers"),
    "laps beyond int64": ({"laps": ["m-lap-us-1", f"m-lap-us-{10**19}"]}, "1 laps"),
    "three laps": ({"laps": ["m-lap-us-1"] * 3}, "3 laps"),
    "more scores than outputs": (
        {"infer": [f"m-results-[{','.join(['0.000'] * 999)}]"]},
        "gives 999 scores",
    ),
    "scores of thirty digits": (
        {"infer": [f"m-results-[{'9' * 30}.000]"]},
        "no scores of three decimals",
    ),
    "two results": ({"infer": ["m-results-[0.000]"] * 2}, "2 results"),
    "lines without end": ({"infer": ["m-x"] * 5000}, "more than 4096 lines"),
    "a line without end": ({"name": ["x" * 70000]}, "no MLPerf Tiny firmware answers"),
    "refusals of escapes": ({"db": [f"e-[{ESCAPES}]"]}, r"refused: e-\[\?\]0;owned"),
    "another length expected": ({"db": ["m-[Expecting 9 bytes]"]}, "was answered by 'm-"),
}


@pytest.mark.parametrize(("says", "line"), MLPERF.values(), ids=MLPERF)
def test_a_hostile_board_of_the_mlperf_tiny_protocol(bench, monkeypatch, says, line):
    class Bent(Dut):
        def answer(self, words):
            return says.get(words[0], super().answer(words))

    dut = Bent(opening=b"")
    dut.laps = says.get("laps", dut.laps)
    dut.results = lambda data: f"m-results-[{','.join(['0.000'] * 8)}]"
    refused(bench(dut, "--protocol", "mlperf-tiny", "--port", "fake"), line)


WORDS = size(Info) // 4


@settings(max_examples=200)
@given(
    raw=st.binary(min_size=size(Info), max_size=size(Info)),
    bent=st.sets(st.integers(1, WORDS - 1), max_size=6),
)
def test_any_bytes_of_info_are_a_link_error_or_within_bounds(raw, bent):
    """A few random words in an honest INFO: so that every check is reached."""
    honest = pack(HostileBoard().info())
    words = [(raw if at in bent else honest)[4 * at : 4 * at + 4] for at in range(WORDS)]
    device = Device(HostileBoard())
    try:
        info = device._accept(unpack(Info, b"".join(words)))
        input, output = spec(info.input), spec(info.output)
    except LinkError as err:
        assert str(err).isprintable()  # noqa: PT017
    else:
        assert input.size * output.size <= (1 << 20) ** 2
        assert np.isfinite([input.low, input.high, output.low, output.high]).all()
        assert np.isfinite(of_info(info, emulated=True).per_tick)
        assert all(value.isprintable() for _, value in device.identity.facts)


@settings(max_examples=100)
@given(
    dims=st.tuples(*[st.integers(0, 2**32 - 1) | st.integers(0, 70000)] * 4),
    dtype=st.sampled_from([7, 9]) | st.integers(0, 2**32 - 1),
    scale=st.floats(width=32) | st.floats(2**-40, 2, width=32),
    zero_point=st.integers(-(2**31), 2**31 - 1) | st.integers(-300, 300),
)
def test_a_tensor_is_refused_or_can_be_computed_with(dims, dtype, scale, zero_point):
    try:
        one = spec(Tensor(dims, dtype, scale, zero_point))
    except LinkError as err:
        assert str(err).isprintable()  # noqa: PT017
    else:
        least, most = np.iinfo(one.dtype).min, np.iinfo(one.dtype).max
        assert 0 < one.size == np.prod([int(d) for d in dims], dtype=object) <= 1 << 20
        assert np.isfinite(one.dequantize(np.array([least, most], one.dtype))).all()


ASKED = [
    (Infer, lambda device, q: device.predict(q)),
    (Profile, lambda device, q: device.profile(q)),
    (Layer, lambda device, q: device.layer(0, q)),
]


@settings(max_examples=100)
@given(
    asked=st.sampled_from(ASKED),
    ints=st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 300), min_size=4, max_size=4),
    tail=st.binary(max_size=200),
    right=st.lists(st.booleans(), min_size=2, max_size=2),
)
def test_any_answer_is_a_link_error_or_an_answer(asked, ints, tail, right):
    kind, ask = asked

    def bend(frame, say):
        body, honest = say()
        if not isinstance(frame.body, kind):
            return body, honest
        made = (
            body
            if right[0]
            else type(body)(*(n % 2**32 for n, _ in zip(ints, vars(body), strict=False)))
        )
        if hasattr(body, "ticks"):
            made = type(body)(ints[0], *list(vars(made).values())[1:])
        return made, honest if right[1] else tail

    device = Device(HostileBoard(bend))
    device.link.patience = device.link.silence = 0.03
    device.link._timing = {kind: timing.Timing(0.01) for kind in timing.FIRST_TIMEOUT}
    device.load(MemoryPlan(b"x"))
    try:
        ask(device, np.zeros((2, 8), np.int8))
    except LinkError as err:
        assert str(err).isprintable()  # noqa: PT017
