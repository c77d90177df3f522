"""``tinyrobust certify``: what no perturbation of the input can turn, proven on the integers."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

from tinyrobust.core.errors import GateFailed, UsageError
from tinyrobust.core.progress import to_stderr
from tinyrobust.host.commands.options import add_json, add_setting
from tinyrobust.host.config import values
from tinyrobust.host.config.bench import Config, override
from tinyrobust.host.config.choices import METHODS
from tinyrobust.host.config.file import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tinyrobust.host.analysis.certified import Certified
    from tinyrobust.host.records.schema import Manifest
    from tinyrobust.host.runs.certify import Done
    from tinyrobust.models.rungs.ladder import Ladder

HELP = "prove for how many samples no perturbation of a few levels changes the prediction"
LEVELS = (1, 2, 4, 8)
SETTINGS = ("model", "float_model", "data", "activations", "samples", "out")
"""Those of ``run`` that say what is certified and where the certificates go."""
STEPS = 255


def _levels(text: str) -> tuple[int, ...]:
    try:
        found = tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError:
        found = (0,)
    if not 1 <= found[0] <= found[-1] <= STEPS:
        raise argparse.ArgumentTypeError(f"{text!r}: each must be a whole number from 1 to {STEPS}")
    return found


def _seconds(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 86400:
        raise argparse.ArgumentTypeError(f"{text!r}: must be a number of seconds from 0 to 86400")
    return found


def add(parser: argparse.ArgumentParser) -> None:
    """Declares the options; those of the model and its data are the ones of ``run``."""
    parser.add_argument("--config", type=Path, metavar="BENCH.toml", help="its model and its data")
    for name in SETTINGS:
        add_setting(parser, name)
    boxes = parser.add_mutually_exclusive_group()
    boxes.add_argument(
        "--levels", type=_levels, metavar="L,L", help="levels of the input (default 1,2,4,8)"
    )
    boxes.add_argument(
        "--eps", type=values.typed_numbers, metavar="E,E", help="instead: as of run, 4/255"
    )
    parser.add_argument(
        "--method", choices=METHODS, default="auto", help="of bounds (default auto)"
    )
    parser.add_argument(
        "--budget",
        type=_seconds,
        default=0.0,
        metavar="S",
        help="seconds of branch and bound for each undecided sample (default 0)",
    )
    parser.add_argument(
        "--run",
        type=Path,
        metavar="RUN_DIR",
        help="give the certificates to a run of this network, and check its attacks",
    )
    add_json(parser, "the figures as JSON on stdout")


def _config(args: argparse.Namespace) -> Config:
    base = load(args.config) if args.config else Config()
    return override(base, **{name: getattr(args, name) for name in SETTINGS})


def levels_of(args: argparse.Namespace, eps: Sequence[float] = ()) -> tuple[int, ...]:
    """Whole levels of ``--levels`` or ``--eps``; without either, of the budgets ``eps`` of a run.

    Raises UsageError for an eps below one level.
    """
    from tinyrobust.host.runs.certify import whole_levels

    if args.eps is None:
        return args.levels or whole_levels(eps) or LEVELS
    for one in args.eps:
        if not whole_levels([one]):
            raise UsageError(f"eps {one:g} is below one level of the input: give 1/{STEPS} or more")
    return whole_levels(args.eps)


def main(args: argparse.Namespace) -> int:
    """Runs it; 0 when every sample has its verdict.

    Raises GateFailed where an attack of ``--run`` turned a certified sample.
    """
    config = _config(args)
    levels_of(args)  # nonsense is told before anything is read
    from tinyrobust.core.cache import cache_folder
    from tinyrobust.host.commands.run import check_files, ladder_of
    from tinyrobust.host.records.certificates.read import attach
    from tinyrobust.host.records.read import read_run
    from tinyrobust.host.runs.certify import Job, certify

    check_files(config)
    manifest = read_run(args.run)[0] if args.run else None
    levels = levels_of(args, manifest.eps if manifest else ())
    samples = config.samples or (manifest.samples if manifest else None)
    ladder = ladder_of(config)(cache_folder())
    try:
        if manifest:
            _same_network(ladder, manifest, args.run)
        job = Job(levels, args.method, args.budget, samples)
        done = certify(config.out, ladder, job, to_stderr, args.command_line)
    finally:
        ladder.close()
    if args.run:
        attach(done.folder, args.run)
    _show(done, ladder.name, args)
    return 0


def _same_network(ladder: Ladder, manifest: Manifest, run: Path) -> None:
    """Refuses a run of another network or of other data."""
    if manifest.tflite_sha256 != ladder.bundle.sha256:
        raise UsageError(f"{run}: a run of another network ({manifest.model}): give its --model")
    if manifest.input_dtype != ladder.bundle.input.dtype:
        raise UsageError(
            f"{run}: its attacks had all points of the input (--lattice {manifest.lattice}), "
            "certificates are of 256 levels: give a run without it"
        )
    if manifest.data_sha256 != ladder.test.sha256:
        raise UsageError(
            f"{run}: its samples are other data than {ladder.test.name}: give its --data"
        )


def _show(done: Done, model: str, args: argparse.Namespace) -> None:
    """The figures of this call; of a run that was given them, its report and its bands, too.

    Raises GateFailed where a proof and an attack of the run disagree.
    """
    from tinyrobust.host.report.page import write_report
    from tinyrobust.host.report.result import Result

    report = write_report(args.run).html if args.run else None
    certified = Result.of(args.run).certified if args.run else None
    if args.json:
        said: dict[str, object] = {"folder": str(done.folder)}
        said["boxes"] = [
            {"eps": f"{one.levels}/{STEPS}", **dataclasses.asdict(one)} for one in done.figures
        ]
        if certified:
            said |= {"report": str(report), "certified": dataclasses.asdict(certified)}
        print(json.dumps(said, indent=2))
    else:
        _table(done.figures, model)
        print(f"\nCertificates: {done.folder}")
        if report:
            print(f"Report: {report}")
        for band in certified.bands if certified else ():
            print(band)
    wrong = certified.contradictions if certified else ()
    if wrong:
        raise GateFailed(f"{args.run}: {wrong[0]} ({len(wrong)} such certificates)")


def _table(figures: Sequence[Certified], model: str) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{model}: Linf on the input's levels, shares with 95 % intervals")
    heads = ("eps", "n", "clean accuracy", "certified", "broken", "undecided", "s a sample")
    for head in heads:
        table.add_column(head)
    for one in figures:
        cells = [f"{one.levels}/{STEPS}", one.n, one.clean, one.certified, one.broken]
        table.add_row(*map(str, [*cells, one.undecided, f"{one.seconds:.3g}"]))
    Console(width=None if Console().is_terminal else 160).print(table)
