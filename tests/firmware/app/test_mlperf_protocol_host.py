"""Our host against our firmware in the MLPerf Tiny protocol: the session on record, a child
process, a pty, a run.
"""

import os
import pty
import re
import shutil
import tty

import numpy as np
import pytest

from tests.support.boards.mlperf_tiny import Talk, dense_tflite, firmware, plan_source
from tests.support.networks.oracle import tflm
from tests.support.paths import GOLDEN
from tests.support.tflite.factory import Affine
from tests.support.tflite.small import SHAPE, small_tflite
from tinyrobust.core.errors import LinkError
from tinyrobust.core.types import TensorSpec
from tinyrobust.host.analysis.scores import nearest
from tinyrobust.host.boards.table import get_board
from tinyrobust.host.config.parts import MLPERF_TINY, Parts
from tinyrobust.host.devices.mlperf.attach import attach_mlperf
from tinyrobust.host.devices.mlperf.device import MlperfDevice
from tinyrobust.host.devices.mlperf.session import Session
from tinyrobust.host.link.pipes import ChildPort

SESSION = GOLDEN / "mlperf_session.txt"
NUMBER = re.compile(r"(m-lap-us-)\d+")
SAMPLE = bytes(range(100, 164))


class Network:
    plan, plan_id = b"", ""
    input, output = TensorSpec(SHAPE, 1 / 128, 0), TensorSpec((10,), 1 / 4, 0)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    return firmware("asan", plan_source(small_tflite(), folder), folder)


def inputs(n):
    return np.random.default_rng(3).integers(-128, 128, (n, *SHAPE), np.int8)


def agrees(answer, q):
    real = tflm(small_tflite(), q).astype(np.float32) * np.float32(1 / 4)
    np.testing.assert_array_equal(nearest(answer.logits), nearest(real))
    assert answer.raw is None


def test_the_session_on_record(small):
    """Commands as the published runner sends them, answers as the published harness gives them;
    laps are ``#``.
    """
    script = SESSION.read_text().splitlines()
    with Talk(small) as device:
        said = [*(f"< {line}" for line in device.opening), "< m-ready"]
        for command in (line[2:] for line in script if line.startswith("> ")):
            said += [
                f"> {command}",
                *(f"< {line}" for line in device.ask(command.removesuffix("%"))),
                "< m-ready",
            ]
    assert [NUMBER.sub(r"\1#", line) for line in said] == script


def test_the_host_says_what_is_on_record(small, monkeypatch):
    recorded = [line[2:] for line in SESSION.read_text().splitlines() if line.startswith("> ")]
    sent = []
    write = ChildPort.write
    monkeypatch.setattr(
        ChildPort, "write", lambda self, data: sent.append(data.decode()) or write(self, data)
    )
    with MlperfDevice(ChildPort([str(small)]), "native") as device:
        device.hello()
        device.load(Network, Network.input, Network.output)
        device.predict(np.frombuffer(SAMPLE, np.int8).reshape(1, *SHAPE))
    assert sent == [line for line in recorded if line not in ("timestamp%", "results%")]


def test_a_child_process_gives_the_oracles_scores(small):
    q = inputs(20)
    with MlperfDevice(ChildPort([str(small)]), "native") as device:
        device.hello()
        device.load(Network, Network.input, Network.output)
        answer = device.predict(q)
        assert device.counters.retries == 0
    agrees(answer, q)
    assert (answer.ticks >= 0).all()


def test_a_serial_port_gives_them_too(small):
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    pid = os.posix_spawn(
        small,
        [str(small)],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, ours, 0), (os.POSIX_SPAWN_DUP2, ours, 1)],
    )
    q = inputs(3)
    try:
        with attach_mlperf(
            get_board("nucleo_f746"), Parts(MLPERF_TINY), "", os.ttyname(theirs), print
        ) as device:
            device.load(Network, Network.input, Network.output)
            answer = device.predict(q)
            assert device.identity.detail.startswith("tinyrobust native")
    finally:
        os.close(theirs)
        os.close(ours)
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    agrees(answer, q)


def test_pixels_are_encoded_for_the_benchmarks_that_take_them(tmp_path):
    tflite = dense_tflite(3072, 10, Affine(1 / 128), Affine(1 / 256, -128))
    network = type(
        "Ic",
        (Network,),
        {"input": TensorSpec((3072,), 1 / 128, 0), "output": TensorSpec((10,), 1 / 256, -128)},
    )
    q = np.random.default_rng(4).integers(-128, 128, (2, 3072), np.int8)
    binary = firmware("native", plan_source(tflite, tmp_path), tmp_path)
    with MlperfDevice(ChildPort([str(binary)]), "native") as device:
        device.hello()
        device.load(network, network.input, network.output)
        real = (tflm(tflite, q).astype(np.float32) + 128) / np.float32(256)
        np.testing.assert_array_equal(nearest(device.predict(q).logits), nearest(real))


def test_a_firmware_of_our_own_protocol_is_told_from_one_of_this(native):
    port = ChildPort([str(native)])
    with pytest.raises(
        LinkError,
        match=r"no MLPerf Tiny firmware answers: .* check the baud rate and what was flashed",
    ):
        Session(port, 0.2).name()
    port.close()


@pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is missing")
def test_a_run_from_the_command_line(tmp_path, monkeypatch, capsys):
    from tinyrobust.host.cli import main

    monkeypatch.setenv("TINYROBUST_CACHE", str(tmp_path / "cache"))
    (tmp_path / "m.tflite").write_bytes(small_tflite())
    x = (inputs(12).astype(np.float32) / 128).astype(np.float32)
    np.savez(tmp_path / "d.npz", x=x, y=np.zeros(12, np.int64))
    command = [
        "run",
        "--board",
        "native",
        "--protocol",
        "mlperf-tiny",
        "--model",
        str(tmp_path / "m.tflite"),
    ]
    command += ["--data", str(tmp_path / "d.npz"), "--attacks", "clean,noise", "--eps", "8/255"]
    assert main([*command, "--out", str(tmp_path / "runs")]) == 0
    assert "0 of 240 scores differ" in capsys.readouterr().out
    (run,) = (tmp_path / "runs").iterdir()
    page = (run / "report.html").read_text()
    assert "native gives the outputs of tflm rounded to three decimals: 24 of 24 outputs" in page
    assert "input encoding int8" in page
    assert '"protocol": "mlperf-tiny"' in (run / "manifest.json").read_text()
