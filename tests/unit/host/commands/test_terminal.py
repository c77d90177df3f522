"""What is shown: on terminals of any encoding, and without a word of what its names would do to
one.
"""

import csv
import dataclasses
import io
import json
import os
import string
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.boards.hostile import ESCAPES
from tests.support.runs import synthetic
from tinyrobust.core.plain import one_line, printable
from tinyrobust.host import cli
from tinyrobust.host.analysis.metrics import summarise
from tinyrobust.host.boards.probes import Attached
from tinyrobust.host.commands.terminal.tables import Column, show
from tinyrobust.host.report.tables import FORMULA, _csv, summary_csv


@given(st.text())
def test_any_text_becomes_printable_and_keeps_its_length(text):
    shown = printable(text)
    assert shown.isprintable()
    assert len(shown) == len(text)
    assert printable(shown) == shown
    assert all(a == b or not b.isprintable() for a, b in zip(shown, text, strict=True))
    shown.encode()
    assert one_line(text).isprintable()


@pytest.mark.parametrize(
    "text", ["\x1b", "\x9b", "\x07", "\u202e", "\u2066", "\ud800", "\ufeff", "\x7f", "\0"]
)
def test_what_moves_a_cursor_or_turns_text_round_is_a_question_mark(text):
    assert printable(f"a{text}b") == "a?b"


def test_line_ends_are_blanks():
    assert printable("a\r\n\tb") == "a   b"
    assert one_line("a\r\n\tb") == "a b"


def encoded(encoding, argv):
    """Stdout and stderr of the command line under ``PYTHONIOENCODING``."""
    code = "import sys; from tinyrobust.host.cli import main; sys.exit(main(sys.argv[1:]))"
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "60"}
    done = subprocess.run(
        [sys.executable, "-c", code, *argv], capture_output=True, env=environment, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
@pytest.mark.parametrize("command", ["doctor", "boards"])
def test_a_terminal_without_boxes_gets_ascii(encoding, command):
    status, out, err = encoded(encoding, [command])
    assert (status, err) == (0, b"")
    assert out.isascii()
    assert b"+--" in out
    assert b"?" not in out


def test_a_terminal_with_boxes_gets_them():
    assert "━" in encoded("utf-8", ["boards"])[1].decode()


def test_a_run_of_names_that_ascii_lacks_is_shown_in_ascii(tmp_path):
    folder = synthetic.run_folder(tmp_path, model="größe", board="µ-Tafel", notes=("…",))
    status, out, err = encoded("ascii", ["gate", str(folder)])
    assert (status, err) == (0, b"")
    code, out, err = encoded("ascii", ["compare", str(folder), str(folder)])
    assert (code, err) == (0, b"")
    assert b"?-Tafel" in out
    status, out, err = encoded("ascii", ["report", "/größe"])
    assert (status, out) == (2, b"")
    assert err.startswith(b"tinyrobust: error: /gr??e: no run here")


def test_only_streams_that_lack_characters_are_changed():
    poor, rich = (io.TextIOWrapper(io.BytesIO(), encoding) for encoding in ("ascii", "utf-8"))
    cli.lossy(poor, rich, io.StringIO())
    assert (poor.errors, rich.errors) == ("replace", "strict")


@pytest.mark.parametrize("word", ["[red]", "[/]", "[/b]", "[link=x]", ":bomb:", ESCAPES])
def test_names_are_shown_as_they_are(capsys, word):
    show([Column(word), Column("b", True, True)], [(word, "1"), ("a", word)], title=word)
    out = capsys.readouterr().out
    assert out.count(printable(word).split()[0]) >= 4
    assert all(c.isprintable() or c == "\n" for c in out)


def test_a_probe_that_calls_itself_an_escape_is_listed_without(monkeypatch, capsys):
    monkeypatch.setattr(
        "tinyrobust.host.boards.probes.attached",
        lambda board: [Attached("/dev/ttyACM0", "\x1b[2J[/x]")],
    )
    assert cli.main(["boards"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "?[2J[/x]" in out
    assert cli.main(["boards", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["attached"]


@pytest.mark.parametrize("first", [*FORMULA, "=1+1", "@SUM(A1)", "-2+3", "+cmd|' /C calc'!A0"])
def test_a_name_that_is_a_formula_is_quoted_in_the_summary(first):
    rows = summarise(synthetic.table(synthetic.FEW, n=4), synthetic.manifest())
    named = [dataclasses.replace(row, attack=f"{first}x") for row in rows]
    lines = list(csv.DictReader(io.StringIO(summary_csv(named), newline="")))
    assert {line["attack"] for line in lines} == {f"'{printable(first)}x"}
    assert {line["source"] for line in lines} == {"-", "qat"}
    assert all(line["eps"].strip(string.digits + ".e-") == "" for line in lines)


def test_negative_numbers_stay_numbers():
    assert _csv(["a", "b"], [(-1.5, "-1.5")]) == "a,b\n-1.5,'-1.5\n"
