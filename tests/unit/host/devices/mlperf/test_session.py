"""The host's side of the MLPerf Tiny protocol against a device in memory that misbehaves on
purpose.
"""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.boards.mlperf_memory import OUTPUTS, SIZE, SPEC, Dut, scores
from tinyrobust.core.errors import LinkError, UsageError
from tinyrobust.core.types import TensorSpec
from tinyrobust.host.devices.mlperf.device import MlperfDevice
from tinyrobust.host.devices.mlperf.session import TRIES, GarbledError, Session


def session(dut):
    return Session(dut, 0.02, 0.02)


def inputs(n, seed=0):
    return np.random.default_rng(seed).integers(-128, 128, (n, SIZE), np.int8)


def test_what_is_sent_is_what_the_published_runner_sends():
    dut = Dut(opening=b"")
    data = bytes(range(SIZE))
    answer, retries = session(dut).classify(data, OUTPUTS)
    rows = [data[:31], data[31:62], data[62:]]
    assert dut.seen == ["db load 64", *(f"db {row.hex()}" for row in rows), "infer 1 0"]
    assert [f"0.{t:03d}" for t in answer.thousandths] == scores(data)
    assert (answer.microseconds, retries) == (250, 0)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("0.001,0.250,0.749,", (1, 250, 749)),
        ("-1.500, 12.000,0.000", (-1500, 12000, 0)),
        ("1.000,0.000,0.000", (1000, 0, 0)),
    ],
)
def test_scores_as_firmware_writes_them(said, expected):
    dut = Dut()
    dut.results = lambda data: f"m-results-[{said}]"
    assert session(dut).classify(bytes(SIZE), OUTPUTS)[0].thousandths == expected


@pytest.mark.parametrize(
    "said", ["", "0.1,0.2,0.3", "nan,0.000,0.000", "0.1000,0.000,0.000", "0x1p3,0.000,0.000"]
)
def test_what_is_no_score_is_no_answer(said):
    dut = Dut()
    dut.results = lambda data: f"m-results-[{said}]"
    with pytest.raises(LinkError, match=f"failed {TRIES} times"):
        session(dut).classify(bytes(SIZE), OUTPUTS)


def test_another_number_of_scores_is_another_network():
    with pytest.raises(LinkError, match="gives 3 scores, the model has 10 outputs"):
        session(Dut()).classify(bytes(SIZE), 10)


def test_energy_mode_says_no_laps():
    dut = Dut()
    dut.laps = []
    assert session(dut).classify(bytes(SIZE), OUTPUTS)[0].microseconds is None


@pytest.mark.parametrize(
    "opening",
    [
        b"",
        b"\xff\x00\xfe" * 50,
        b"m-ready\r\n" * 5,
        b"m-name-dut-[old]\r\nm-ready\r\n",
        b"no line end",
        b"\n" * 9000,
    ],
)
def test_whatever_was_on_the_line_is_dropped(opening):
    assert session(Dut(opening=opening)).name() == "fake"


def test_a_command_already_on_the_devices_line_is_survived():
    dut = Dut()
    dut.line += b"garbage"
    assert session(dut).name() == "fake"
    assert dut.seen == ["garbagename", "name"]


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (b"", "it said nothing"),
        (b"\x80\xff\r\n", "it said"),
        (b"x" * 70_000, "without the end of a line"),
        (b"a\r\n" * 5000, "more than 4096 lines"),
        (b"m-name-x\r\nm-ready\r\n", "answered by 'm-name-x'"),
    ],
)
def test_what_is_no_such_firmware_is_one_line(reply, said):
    dut = Dut(opening=b"")
    dut.to_host = lambda data: reply
    with pytest.raises(LinkError, match="no MLPerf Tiny firmware answers") as caught:
        session(dut).name()
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_stream_without_end_is_bounded():
    dut = Dut()
    dut.read = lambda timeout: b"\xaa" * 4096
    with pytest.raises(LinkError, match="no MLPerf Tiny firmware answers"):
        session(dut).name()


def test_a_refused_command_is_said():
    with pytest.raises(GarbledError, match=r"'bogus' was refused: e-\[Unknown command: bogus\]"):
        session(Dut(opening=b"")).ask("bogus")


def once(dut, side, bend):
    """The first message that ``bend`` changes goes out changed; all others as they are."""
    left = [1]

    def hook(data):
        if left[0] and (bent := bend(data)) != data:
            left[0] = 0
            return bent
        return data

    setattr(dut, side, hook)


@pytest.mark.parametrize(
    ("side", "old", "new"),
    [
        ("to_device", b"infer", b"infr"),
        ("to_device", b"%", b""),
        ("to_device", b"db load 64", b"db load 6"),
        ("to_host", b"m-load-done", b"m-load-don"),
        ("to_host", b"m-ready", b"m-redy"),
        ("to_host", b"m-lap-us-1250\r\n", b""),
        ("to_host", b"m-results", b"m-result"),
        ("to_host", b"m-ready\r\n", b"m-ready\r\nm-ready\r\n"),
    ],
)
def test_one_fault_costs_one_retry(side, old, new):
    dut = Dut(opening=b"")
    once(dut, side, lambda data: data.replace(old, new))
    one = session(dut)
    data = inputs(1)[0].tobytes()
    answer, retries = one.classify(data, OUTPUTS)
    assert [f"0.{t:03d}" for t in answer.thousandths] == scores(data)
    assert retries <= 1
    assert one.classify(data, OUTPUTS)[0] == answer
    assert one.counters.retries == 1


@settings(max_examples=150)
@given(st.integers(0, 2**32), st.sampled_from([0.0005, 0.003]))
def test_lost_and_doubled_bytes_never_give_another_samples_scores(seed, rate):
    draw = random.Random(seed)

    def noise(data):
        return b"".join(
            bytes([b]) * draw.choice((0, 2)) if draw.random() < rate else bytes([b]) for b in data
        )

    dut = Dut()
    dut.to_device = dut.to_host = noise
    # Without a checksum, a lost and a doubled digit in one command go unseen: the scores are of
    # what the device has loaded, which is this sample but for one command of it. Any other sample
    # differs nearly everywhere.
    one = session(dut)
    for row in inputs(6, seed):
        try:
            answer, _ = one.classify(row.tobytes(), OUTPUTS)
        except LinkError:
            return
        assert [f"0.{t:03d}" for t in answer.thousandths] == scores(bytes(dut.loaded))
        assert np.count_nonzero(np.frombuffer(dut.loaded, np.int8) != row) <= 31


def opened(dut, encoding=""):
    device = MlperfDevice(dut, encoding=encoding)
    device._session = session(dut)
    device.hello()
    return device


class Network:
    plan, plan_id, input, output = b"", "", SPEC, TensorSpec((OUTPUTS,), 1 / 256, -128)


@pytest.mark.parametrize(
    ("benchmark", "given", "named", "flip"),
    [
        ("ic01", "", "uint8", 128),
        ("vww01", "", "uint8", 128),
        ("kws01", "", "int8", 0),
        ("ic01", "int8", "int8", 0),
        ("sww01", "uint8", "uint8", 128),
        ("custom", "", "int8", 0),
    ],
)
def test_inputs_are_encoded_as_the_benchmarks_reference_expects(benchmark, given, named, flip):
    dut = Dut(benchmark)
    device = opened(dut, given)
    device.load(Network, SPEC, Network.output)
    q = inputs(3)
    answer = device.predict(q)
    assert dut.loaded == ((q[2].astype(np.int16) + flip) % 256).astype(np.uint8).tobytes()
    assert dict(device.identity.facts)["input_encoding"] == named
    assert (answer.raw, answer.ticks.tolist(), answer.retries.tolist()) == (
        None,
        [250] * 3,
        [0] * 3,
    )
    assert [f"{one:.3f}" for one in answer.logits[2]] == scores(bytes(dut.loaded))


def test_a_benchmark_nobody_knows_wants_an_encoding():
    with pytest.raises(UsageError, match=r"'sww01' is none of .*: say --encoding int8 or uint8"):
        opened(Dut("sww01"))


def test_anomaly_detection_is_no_rung():
    with pytest.raises(UsageError, match="ad01 answers one anomaly score"):
        opened(Dut("ad01"))


@pytest.mark.parametrize(
    ("into", "out"), [("int16", "int16"), ("int16", "int8"), ("int8", "int16")]
)
def test_networks_of_other_types_than_int8_are_refused(into, out):
    network = type("Network", (), {"output": replace(Network.output, dtype=out)})
    device = opened(Dut())
    with pytest.raises(UsageError, match=f"takes int8 networks, this one is {into}"):
        device.load(network, replace(SPEC, dtype=into), network.output)
    with pytest.raises(LinkError, match="no network has been named"):
        device.predict(inputs(1))


def test_identity_says_what_is_assumed():
    identity = opened(Dut()).identity
    assert identity.protocol == "mlperf-tiny"
    assert "never on bytes" in identity.notes[0]
    assert "kws01" in identity.firmware
