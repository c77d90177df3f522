"""The MLPerf Tiny protocol on the sanitized firmware: every command, every bound, and anything at
all.
"""

import random
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.boards.mlperf_tiny import Talk, dense_tflite, firmware, plan_source
from tests.support.networks.oracle import tflm
from tests.support.tflite.factory import Affine
from tests.support.tflite.small import SHAPE, small_tflite

SAMPLE = bytes(range(100, 164))
LAP = re.compile(r"m-lap-us-(\d+)")
COMMANDS = 100_000


def scores(outputs, scale, zero_point):
    """As ``printf("%.3f")`` of a float32."""
    real = (outputs.astype(np.float32) - np.float32(zero_point)) * np.float32(scale)
    return ",".join(f"{float(one):.3f}" for one in real)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    return firmware("asan", plan_source(small_tflite(), folder), folder)


@pytest.fixture
def device(small):
    with Talk(small) as talk:
        yield talk


@pytest.fixture(scope="module")
def running(small):
    with Talk(small) as talk:
        yield talk


def infer(device, command="infer 1 0"):
    """(laps, score text) of an inference."""
    lines = device.ask(command)
    n, warmups = (*command.split()[1:], "1", "10")[:2] if len(command.split()) == 3 else ("1", "10")
    expected = [
        f"m-warmup-start-{warmups}",
        "m-warmup-done",
        f"m-infer-start-{n}",
        "lap",
        "lap",
        "m-infer-done",
    ]
    assert [LAP.sub("lap", line) for line in lines[:-1]] == expected
    return [int(found[1]) for line in lines if (found := LAP.fullmatch(line))], lines[-1]


def test_the_opening_lines(device):
    assert device.opening[0] == "m-timestamp-mode-performance"
    assert LAP.fullmatch(device.opening[1])
    assert device.opening[2:] == ["m-init-done"]


def test_who_it_is(device):
    assert device.ask("name") == ["m-name-dut-[tinyrobust native]"]
    assert device.ask("profile") == [
        "m-profile-[ULPMark for tinyML Firmware V0.0.1]",
        "m-model-[custom]",
    ]
    assert len(device.ask("help")) == 11
    first, second = (int(LAP.fullmatch(*device.ask("timestamp"))[1]) for _ in range(2))
    assert 0 <= second - first < 10_000_000


def test_scores_are_the_oracles_rounded(device):
    device.load(SAMPLE)
    q = np.frombuffer(SAMPLE, np.int8).reshape(1, *SHAPE)
    laps, text = infer(device)
    assert text == f"m-results-[{scores(tflm(small_tflite(), q)[0], 1 / 4, 0)}]"
    assert laps[0] <= laps[1]
    assert device.ask("results") == [text]
    assert infer(device, "infer 20 3")[1] == text
    assert infer(device, "infer")[1] == text


def test_what_was_loaded_is_printed(device):
    assert device.ask("db print") == []
    device.load(SAMPLE)
    rows = [
        "m-buffer-" + "-".join(f"{b:02x}" for b in SAMPLE[at : at + 8]) for at in range(0, 64, 8)
    ]
    assert device.ask("db print") == rows


@pytest.mark.parametrize(
    ("id", "inputs", "outputs", "offset"),
    [("ic01", 3072, 10, 128), ("kws01", 490, 12, 0), ("vww01", 27648, 2, 128)],
)
def test_benchmarks_are_known_by_their_shape_and_fed_as_their_data_files(
    id, inputs, outputs, offset, tmp_path
):
    tflite = dense_tflite(inputs, outputs, Affine(1 / 128), Affine(1 / 256, -128))
    q = np.random.default_rng(1).integers(-128, 128, (1, inputs), np.int8)
    with Talk(firmware("asan", plan_source(tflite, tmp_path), tmp_path)) as device:
        assert device.ask("profile")[1] == f"m-model-[{id}]"
        device.load((q.astype(np.int16) + offset).astype(np.uint8).tobytes())
        assert infer(device)[1] == f"m-results-[{scores(tflm(tflite, q)[0], 1 / 256, -128)}]"


def test_anomaly_detection_quantizes_floats_and_answers_the_squared_error(tmp_path):
    x, y = Affine(0.4, 93), Affine(0.37, 96)
    tflite = dense_tflite(640, 640, x, y)
    real = np.random.default_rng(2).normal(-10, 15, 640).astype(np.float32)
    real[:3] = 1e4, -1e4, 0.2  # both ends, and half a level: away from zero
    q = np.clip(
        np.floor(np.abs(real / np.float32(x.scale)) + 0.5) * np.sign(real) + x.zero_point, -128, 127
    )
    output = (
        tflm(tflite, q.astype(np.int8)[None])[0].astype(np.float32) - y.zero_point
    ) * np.float32(y.scale)
    with Talk(firmware("asan", plan_source(tflite, tmp_path), tmp_path)) as device:
        assert device.ask("profile")[1] == "m-model-[ad01]"
        device.load(real.tobytes())
        error = float(infer(device)[1].removeprefix("m-results-[").removesuffix("]"))
        assert error == pytest.approx(float(np.mean((output - real) ** 2)), rel=1e-4)
        device.load(np.full(640, np.nan, np.float32).tobytes())
        assert infer(device)[1] == "m-results-[nan]"
        device.load(np.full(640, 1e30, np.float32).tobytes())
        assert infer(device)[1] == "m-results-[1000000000.000]"


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("", "e-[Unknown command: ]"),
        ("   ", "e-[Unknown command: ]"),
        ("nam", "e-[Unknown command: nam]"),
        ("a]b\x07", "e-[Unknown command: a?b?]"),
        ("db", "e-[Command 'db' requires a subcommand]"),
        ("db 00", "e-[Command 'db load' must come first]"),
        *(
            (f"db load {n}", "e-[Command 'db load' takes 1 to 64 bytes]")
            for n in ("", "0", "65", "-1", "1x", "9" * 30)
        ),
        *(
            (f"infer {n}", "e-[Inference iterations must be 1 to 1000000]")
            for n in ("0", "-1", "x", "4294967297")
        ),
        *(
            (f"infer 1 {n}", "e-[Inference warmup must be 0 to 1000000]")
            for n in ("-1", "1000001", "1.0")
        ),
        ("infer 1 0", "e-[Input has 0 bytes, expected 64]"),
        ("results", "e-[No inference has been made]"),
        ("x" * 81, "e-[Command is longer than 80 characters]"),
        ("x" * 100_000, "e-[Command is longer than 80 characters]"),
    ],
)
def test_what_is_refused(device, command, answer):
    assert device.ask(command) == [answer]
    assert device.ask("\r\n name ") == ["m-name-dut-[tinyrobust native]"]


def test_loading_is_bounded(device):
    device.ask("db load 4")
    assert device.ask("db 0") == ["e-[Insufficient number of hex digits]"]
    assert device.ask("db 0g") == ["e-[Invalid hex digit]"]
    assert device.ask("db 0102") == []
    assert device.ask("infer 1 0") == ["e-[Input has 2 bytes, expected 64]"]
    assert device.ask("db FFfe0506") == ["m-load-done"]
    assert device.ask("db 00") == ["e-[Command 'db load' must come first]"]
    assert device.ask("db print") == ["m-buffer-01-02-ff-fe"]
    assert device.ask("infer 1 0") == ["e-[Input has 4 bytes, expected 64]"]
    assert device.ask("db load 65")[0].startswith("e-[")
    assert device.ask("db 00") == ["e-[Command 'db load' must come first]"]


def test_a_firmware_without_a_network_says_so(tmp_path):
    with Talk(firmware("asan", None, tmp_path)) as device:
        assert device.opening[0] == "e-[No model is linked in]"
        assert device.ask("profile")[1] == "m-model-[none]"
        for command in ("db load 64", "infer 1 0"):
            assert device.ask(command) == ["e-[No model is linked in]"]


def test_a_damaged_network_says_so(tmp_path):
    source = plan_source(small_tflite(), tmp_path)
    source.write_text(re.sub(r"\{\d+,", "{9,", source.read_text()))
    with Talk(firmware("asan", source, tmp_path)) as device:
        assert device.opening[0].startswith("e-[Model refused: ")
        assert device.ask("infer 1 0") == ["e-[No model is linked in]"]


words = st.one_of(
    st.sampled_from(
        [
            "name",
            "profile",
            "timestamp",
            "help",
            "db",
            "load",
            "print",
            "results",
            "infer",
            "64",
            "0",
            "1",
        ]
    ),
    st.integers(0, 70).map(str),
    st.binary(max_size=40).map(bytes.hex),
    st.text(st.characters(max_codepoint=255, exclude_characters="%"), max_size=90),
)


@settings(max_examples=500)
@given(st.lists(st.lists(words, max_size=4).map(" ".join), min_size=1, max_size=10))
def test_every_command_gets_one_answer(running, commands):
    running.send("".join(f"{command}%" for command in commands).encode("latin-1"))
    for _ in commands:
        running.answer()
    assert running.ask("name") == ["m-name-dut-[tinyrobust native]"]


@pytest.mark.slow
def test_a_hundred_thousand_broken_commands(device):
    draw = random.Random(2026)
    good = [
        b"db load 64",
        b"db " + SAMPLE[:31].hex().encode(),
        b"infer 1 0",
        b"results",
        b"profile",
        b"db print",
    ]
    for _ in range(COMMANDS // 100):
        batch = [mutated(draw.choice(good), draw) for _ in range(100)]
        device.send(b"%".join([*batch, b""]))
        for _ in batch:
            device.answer()
    device.load(SAMPLE)
    q = np.frombuffer(SAMPLE, np.int8).reshape(1, *SHAPE)
    assert infer(device)[1] == f"m-results-[{scores(tflm(small_tflite(), q)[0], 1 / 4, 0)}]"


def mutated(good, draw):
    """A command with one kind of damage, or none; never with a terminator inside."""
    body = bytearray(good)
    match draw.randrange(4):
        case 0:
            del body[draw.randrange(len(body)) :]
        case 1:
            body[draw.randrange(len(body))] ^= 1 << draw.randrange(8)
        case 2:
            body[draw.randrange(len(body)) : 0] = draw.randbytes(draw.choice((1, 5, 90)))
    return bytes(body).replace(b"%", b"$")
