"""``tinyrobust certify``: what no perturbation of the input can turn, proven on the integers."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tinyrobust.core.errors import GateFailed, UsageError
from tinyrobust.host.commands.options import add_json, add_setting
from tinyrobust.host.config import values
from tinyrobust.host.config.bench import Config, override
from tinyrobust.host.config.file import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tinyrobust.host.analysis.certified import Certified
    from tinyrobust.host.records.schema import Manifest
    from tinyrobust.models.rungs.ladder import Ladder

HELP = "prove for how many samples no perturbation of a few levels changes the prediction"
METHODS = ("auto", "interval", "crown-ibp", "linear")
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
        "--run", type=Path, metavar="RUN_DIR", help="check the attacks of a run of this network"
    )
    add_json(parser, "the figures as JSON on stdout")


def _config(args: argparse.Namespace) -> Config:
    base = load(args.config) if args.config else Config()
    return override(base, **{name: getattr(args, name) for name in SETTINGS})


def levels_of(args: argparse.Namespace) -> tuple[int, ...]:
    """Whole levels of ``--levels`` or ``--eps``. Raises UsageError for an eps below one level."""
    from tinyrobust.attacks.base.input_grid import levels

    if args.eps is None:
        return args.levels or LEVELS
    for eps in args.eps:
        if levels(eps) < 1:
            raise UsageError(f"eps {eps:g} is below one level of the input: give 1/{STEPS} or more")
    return tuple(sorted({levels(eps) for eps in args.eps}))


def say(line: str) -> None:
    """One line of progress."""
    print(line, file=sys.stderr, flush=True)


def main(args: argparse.Namespace) -> int:
    """Runs it; 0 when every sample has its verdict.

    Raises GateFailed where an attack of ``--run`` turned a certified sample.
    """
    config, levels = _config(args), levels_of(args)
    from tinyrobust.core.cache import cache_folder
    from tinyrobust.host.analysis.certified import contradictions, flashed, summarise, turned
    from tinyrobust.host.commands.run import check_files, ladder_of
    from tinyrobust.host.records.certificates import Certificates
    from tinyrobust.host.records.read import read_run
    from tinyrobust.host.runs.certify import Job, certify, first, subject_of

    check_files(config)
    run = read_run(args.run) if args.run else None
    ladder = ladder_of(config)(cache_folder())
    try:
        if run:
            _same_network(ladder, run[0], args.run)
        from tinyrobust.models.bounds.certifier import Certifier

        bundle = ladder.bundle
        certifier = Certifier(bundle.plan, bundle.input, bundle.grid)
        data = first(ladder.test, config.samples, certifier.classes)
        job = Job(levels, args.method, args.budget)
        subject = subject_of(ladder, job, certifier)
        folder = config.out / f"certify-{ladder.name}-{subject.digest[:12]}"
        with Certificates(folder, subject) as store:
            certify(store, certifier, data, job, say)
            rows = {at: store.rows(at, len(data.q)) for at in levels}
            found = turned(run[1], flashed(run[0])) if run else None
            figures = [summarise(at, rows[at], found) for at in levels]
            store.finish({"command": args.command_line, "boxes": _as_json(figures)})
    finally:
        ladder.close()
    _show(folder, ladder.name, figures, args.json)
    wrong = [one for each in rows.values() for one in contradictions(each, found or {})]
    if wrong:
        raise GateFailed(f"{args.run}: {wrong[0]} ({len(wrong)} such samples and boxes)")
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


def _as_json(figures: Sequence[Certified]) -> list[dict[str, object]]:
    return [{"eps": f"{one.levels}/{STEPS}", **dataclasses.asdict(one)} for one in figures]


def _show(folder: Path, model: str, figures: Sequence[Certified], as_json: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    if as_json:
        print(json.dumps({"folder": str(folder), "boxes": _as_json(figures)}, indent=2))
        return
    table = Table(title=f"{model}: Linf on the input's levels, shares with 95 % intervals")
    heads = ["levels", "n", "clean accuracy", "certified", "broken", "undecided", "s a sample"]
    attacked = any(one.standing for one in figures)
    for head in (*heads, *(["no attack turned"] if attacked else [])):
        table.add_column(head)
    for one in figures:
        cells = [f"{one.levels}/{STEPS}", one.n, one.clean, one.certified, one.broken]
        cells += [one.undecided, f"{one.seconds:.3g}"]
        table.add_row(*map(str, cells), *([str(one.standing)] if attacked else []))
    Console(width=None if Console().is_terminal else 160).print(table)
    for one in figures:
        if one.standing:
            low, high = (100 * at.share for at in (one.certified, one.standing))
            print(
                f"robust at {one.levels}/{STEPS}: between {low:.1f} and {high:.1f} %, n = {one.n}"
            )
    print(f"\nCertificates: {folder}")
