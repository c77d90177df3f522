"""The band where a reader meets it: page, table, chart, terminal, JSON and gate."""

import csv
import json

import pytest

from tests.support.runs import certified, synthetic
from tests.support.runs.certified import row
from tinyrobust.core.errors import UsageError
from tinyrobust.host import cli
from tinyrobust.host.analysis.band import bands
from tinyrobust.host.records.certificates.schema import ROWS, SUMMARY
from tinyrobust.host.report.band_plot import band_plot
from tinyrobust.host.report.page import write_report
from tinyrobust.host.report.result import Result


def given(run):
    """Certificates at 16 levels, the attacks' budget: 50 samples that stand, 150 undecided."""
    table = synthetic.table(synthetic.FEW)
    found = {i for i, right in enumerate(_stands(table)) if right}
    proven = sorted(found)[:50]
    rows = [row(i, 16, "certified" if i in proven else "undecided") for i in range(200)]
    certified.certify(run, *rows)


def _stands(table):
    said = [r for r in table.to_pylist() if r["rung"] == "board" and r["attack"] == "pgd"]
    return [r["predicted"] == r["label"] for r in said]


@pytest.fixture
def run(tmp_path):
    folder = synthetic.run_folder(tmp_path)
    given(folder)
    return folder


def sentence(run):
    (band,) = Result.of(run).certified.bands
    assert band.certified.share == 0.25
    assert 0.25 < band.standing.share < 1
    return str(band)


def test_the_report_begins_with_it(run):
    paths = write_report(run)
    page = paths.html.read_text()
    assert page.index(sentence(run).capitalize()) < page.index("The ladder")
    assert "no attack turned it" in page
    assert paths.band_png.stat().st_size > 500
    with paths.csv.open() as file:
        lines = {line["attack"]: line for line in csv.DictReader(file) if line["levels"] == "16"}
    low, high = lines["certified"], lines["not-turned"]
    assert (low["rung"], low["norm"], low["n"], low["correct"]) == ("board", "linf", "200", "50")
    assert float(low["eps"]) == 16 / 255
    assert float(high["accuracy"]) == Result.of(run).worst[0].flashed.accuracy


def test_the_terminal_ends_with_it(run, capsys):
    assert cli.main(["report", str(run)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == sentence(run)


def test_json_has_it(run, capsys):
    assert cli.main(["report", str(run), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)["certified"]
    (band,) = said["bands"]
    assert (said["method"], band["levels"], band["certified"]["share"]) == ("auto", 16, 0.25)


def test_without_certificates_nothing_is_said_of_them(tmp_path):
    run = synthetic.run_folder(tmp_path)
    paths = write_report(run)
    assert paths.band_png is None
    assert Result.of(run).certified is None
    assert "certified" not in paths.html.read_text()


@pytest.mark.parametrize(("share", "code"), [(0.25, 0), (0.26, 1)])
def test_a_gate_may_ask_for_a_certified_share(share, code, run, tmp_path, capsys):
    config = tmp_path / "bench.toml"
    config.write_text(f'[gate]\n[[gate.certified]]\neps = "16/255"\nshare = {share}\n')
    assert cli.main(["gate", str(run), "--config", str(config)]) == code
    out = capsys.readouterr().out
    assert "certified samples stand: none was turned" in out
    assert f"certified at eps 0.06275: 0.2500 [0.1951, 0.3143], n = 200, floor {share}" in out


def test_a_gate_does_not_pass_what_was_not_certified(run, tmp_path, capsys):
    config = tmp_path / "bench.toml"
    config.write_text('[gate]\n[[gate.certified]]\neps = "8/255"\nshare = 0.0\n')
    assert cli.main(["gate", str(run), "--config", str(config)]) == 1
    assert "FAIL  certified at eps 0.03137: not measured" in capsys.readouterr().out


def test_a_broken_proof_is_red_and_fails_every_gate(run, capsys):
    fell = _stands(synthetic.table(synthetic.FEW)).index(False)
    (run.parent / "certificates").rename(run.parent / "old")
    certified.certify(run, row(fell, 16))
    page = write_report(run).html.read_text()
    assert '<p class="verdict bad">A proof and an attack disagree: sample' in page
    assert cli.main(["gate", str(run)]) == 1
    assert f"sample {fell} is certified at 16 levels, but pgd" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        (SUMMARY, b"{", "no certificates here"),
        (SUMMARY, b'{"subject": {"model": 3}}', "no certificates here"),
        (SUMMARY, b"[" * 100_000, "no certificates here"),
        (ROWS, b"PAR1", "not certificates"),
        (ROWS, None, "not certificates"),
    ],
)
def test_damaged_certificates_of_a_run_are_one_line(name, data, says, run, capsys):
    (run / name).unlink()
    if data is not None:
        (run / name).write_bytes(data)
    assert cli.main(["report", str(run)]) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err.count("\n")) == ("", 1)
    assert says in captured.err


def test_certificates_of_another_network_are_refused(tmp_path):
    run = synthetic.run_folder(tmp_path)
    certified.certify(run, row(0, 4), tflite_sha256="00")
    with pytest.raises(UsageError, match="of another network"):
        write_report(run)


def test_the_chart_begins_at_the_clean_accuracy(run):
    table = synthetic.table(synthetic.FEW)
    found = bands(table, certified.given(*(row(i, at) for at in (2, 4) for i in range(200))))
    (axis,) = band_plot(found.bands).axes
    above, below = (line for line in axis.get_lines() if line.get_linestyle() == "-")
    assert list(above.get_xdata()) == list(below.get_xdata()) == [0, 2, 4]
    assert above.get_ydata()[0] == below.get_ydata()[0] == found.bands[0].clean.share
    assert below.get_ydata()[1] == 1.0
