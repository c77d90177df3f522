"""`tinyrobust run` asks a real board who it is before anything of the model is loaded."""

import subprocess
import sys

import pytest

from tests.support.boards.attached import F746_INFO, Board, FakeDesk, Parrot
from tinyrobust.host import cli
from tinyrobust.host.commands import run
from tinyrobust.host.devices import rate
from tinyrobust.host.devices.mlperf import attach as mlperf_attach

STRANGER = {**F746_INFO, "board": "disco_l475"}


@pytest.fixture
def no_model(monkeypatch):
    """Fails where a model is asked for; boards are given up soon."""

    def loaded(config):
        raise AssertionError("a model was loaded before the board had answered")

    monkeypatch.setattr(run, "ladder_of", loaded)
    monkeypatch.setattr(rate, "SECONDS", 0.1)
    monkeypatch.setattr(mlperf_attach, "NAME_SECONDS", 0.05)


@pytest.mark.parametrize(
    ("board", "hung", "options", "says"),
    [
        (Board(**STRANGER), False, [], "nucleo_f746 was asked for, disco_l475"),
        (Board(**STRANGER), False, ["--engine", "tflm"], "nucleo_f746 was asked for, disco_l475"),
        (Parrot(**F746_INFO), False, [], "other firmware"),
        (Board(**F746_INFO), True, [], "not a byte came"),
        (
            Board(**F746_INFO),
            True,
            ["--protocol", "mlperf-tiny"],
            "no MLPerf Tiny firmware answers",
        ),
        (Parrot(**F746_INFO), False, ["--protocol", "mlperf-tiny"], "it said 'unknown command'"),
    ],
)
def test_a_board_that_is_not_the_one_is_told_before_a_model_is_loaded(
    no_model, tmp_path, capsys, board, hung, options, says
):
    with FakeDesk(board, tmp_path / "tty") as fake:
        fake.hung = hung
        assert cli.main(["run", "--board", "nucleo_f746", "--port", fake.url, *options]) == 3
    err = capsys.readouterr().err
    assert err.startswith("tinyrobust: error: ")
    assert err.count("\n") == 1
    assert says in err


@pytest.mark.slow
def test_no_heavy_library_is_loaded_by_then(tmp_path):
    script = (
        "import sys\nfrom tinyrobust.host.cli import main\n"
        "main(['run', '--board', 'nucleo_f746', '--port', sys.argv[1]])\n"
        "print(sorted({'tensorflow', 'matplotlib', 'pyarrow', 'foolbox', 'sklearn'} & "
        "set(sys.modules)))"
    )
    with FakeDesk(Board(**STRANGER), tmp_path / "tty") as fake:
        argv = [sys.executable, "-c", script, fake.url]
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert "disco_l475" in done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
