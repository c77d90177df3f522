"""The command line: one line per error, the right exit code, help without the heavy libraries."""

import subprocess
import sys

import pytest

from tinyrobust.core.errors import GateFailed, LinkError, UsageError
from tinyrobust.host import cli
from tinyrobust.host.commands.run import add, read_config


@pytest.mark.parametrize(
    ("argv", "code", "says"),
    [
        (["run", "--eps", "-0.1"], 2, "eps -0.1"),
        (["run", "--eps", "2"], 2, "eps 2"),
        (["run", "--access", "board", "--attacks", "pgd"], 2, "needs gradients"),
        (["run", "--samples", "0"], 2, "samples 0"),
        (["run", "--attacks", "pdg"], 2, "unknown attack 'pdg'"),
        (["run", "--board", "nonesuch"], 2, "unknown board 'nonesuch'"),
        (["run", "--model", "M.tflite"], 2, "needs --data"),
        (["run", "--config", "/nonexistent.toml"], 2, "/nonexistent.toml: No such file"),
        (["report", "/nonexistent"], 2, "no run here"),
        (["flash", "--board", "native"], 2, "nothing to flash"),
    ],
)
def test_errors_are_one_line(argv, code, says, capsys):
    assert cli.main(argv) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("tinyrobust: error: ")
    assert captured.err.count("\n") == 1
    assert says in captured.err


@pytest.mark.parametrize(
    "argv", [["run", "--eps", "nan"], ["run", "--samples", "x"], ["run", "--bord"], ["rum"], []]
)
def test_unreadable_options_are_one_line(argv, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(argv)
    captured = capsys.readouterr()
    assert (end.value.code, captured.out) == (2, "")
    assert captured.err.startswith("tinyrobust: error: ")
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (UsageError("a\nb"), 2, "error: a b\n"),
        (LinkError("gone"), 3, "error: gone\n"),
        (GateFailed("floor"), 1, "error: floor\n"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (
            ZeroDivisionError("division by zero"),
            2,
            "unexpected ZeroDivisionError: division by zero (--debug",
        ),
    ],
)
def test_exit_codes(error, code, says, monkeypatch, capsys):
    def fail(args):
        raise error

    monkeypatch.setattr("tinyrobust.host.commands.boards.main", fail)
    assert cli.main(["boards"]) == code
    err = capsys.readouterr().err
    assert says in err
    assert "Traceback" not in err
    assert cli.main(["--debug", "boards"]) == code


def test_closed_pipe_is_no_error():
    script = (
        "import sys; from tinyrobust.host.cli import main; sys.exit(main(['boards', '--json']))"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    child.stdout.close()
    assert child.stderr.read() == b""
    child.stderr.close()
    assert child.wait() == 0


def test_help_loads_no_heavy_library():
    script = (
        "import sys\nfrom tinyrobust.host.cli import main\n"
        "try: main(['report', '--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'tensorflow', 'matplotlib', 'pyarrow', 'foolbox', 'rich'} & "
        "set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_options_override_the_file(tmp_path):
    import argparse

    path = tmp_path / "bench.toml"
    path.write_text('board = "native"\nsamples = 9\nseeds = [4, 5]\neps = [0.5]\n')
    parser = argparse.ArgumentParser()
    add(parser)
    config = read_config(
        parser.parse_args(
            ["--config", str(path), "--samples", "3", "--seed", "1", "--eps", "1/255,0"]
        )
    )
    assert (config.board, config.samples, config.seeds, config.eps) == (
        "native",
        3,
        (1,),
        (1 / 255, 0.0),
    )
    path.write_text('access = ["twin"]\n')
    config = read_config(parser.parse_args(["--config", str(path), "--sources", "qat"]))
    assert (config.access, config.sources) == ((), ("qat",))
