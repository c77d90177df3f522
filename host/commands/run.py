"""``tinyrobust run``: bench one model on one board and write the report."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tinyrobust.core.errors import UsageError
from tinyrobust.core.progress import to_stderr
from tinyrobust.host.commands.options import add_json, add_settings, typed_settings
from tinyrobust.host.config.bench import Config, override
from tinyrobust.host.config.choices import NATIVE
from tinyrobust.host.config.file import load
from tinyrobust.host.config.parts import CMSIS_NN, MLPERF_TINY, TINYROBUST, Parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinyrobust.host.boards.table import Board
    from tinyrobust.host.devices.target import Target
    from tinyrobust.host.runs.certify import Job
    from tinyrobust.models.plan.bundle import Bundle
    from tinyrobust.models.rungs.ladder import Ladder

HELP = "bench a model on a board: attacks, records, report"


def add(parser: argparse.ArgumentParser) -> None:
    """Declares the options. All that has a place in bench.toml overrides it."""
    parser.add_argument(
        "--config", type=Path, metavar="BENCH.toml", help="settings; options given here override it"
    )
    add_settings(parser)
    add_json(parser, "the result as JSON on stdout; progress stays on stderr")


def read_config(args: argparse.Namespace) -> Config:
    """bench.toml, where one is given, under the options of the command line."""
    base = load(args.config) if args.config else Config()
    given = typed_settings(args)
    # One of the two given here overrides either of them in the file.
    if given["sources"] is not None or given["access"] is not None:
        given["sources"], given["access"] = given["sources"] or (), given["access"] or ()
    return override(base, **given)


def check_files(config: Config) -> None:
    """Raises UsageError where a file of the user's own model is not there, before any work."""
    if not config.is_file:
        return
    if config.data is None:
        raise UsageError(f"model {config.model}: needs --data D.npz")
    for path in (Path(config.model), config.float_model):
        if path is not None and not path.exists():
            raise UsageError(f"{path}: no such file")


def ladder_of(config: Config) -> Callable[[Path], Ladder]:
    """What opens the model's ladder, given the cache folder; this is where TensorFlow is loaded.

    A name that the zoo does not have is refused here, before a network is trained.
    """
    opened = _ladder_of(config)
    if config.lattice != NATIVE:
        return opened
    from tinyrobust.models.rungs.own_grid import on_own_grid

    return lambda cache: on_own_grid(opened(cache))


def _ladder_of(config: Config) -> Callable[[Path], Ladder]:
    if config.is_file:
        from tinyrobust.models.user.model import open_files

        model, float_model, data = Path(config.model), config.float_model, config.data
        assert data is not None  # see check_files
        return lambda cache: open_files(
            model, float_model, data, cache, to_stderr, config.activations
        )
    from tinyrobust.models.zoo.catalog import find

    recipe = find(config.model.removeprefix("zoo:"))
    return lambda cache: recipe(cache, to_stderr)


def attach_real(config: Config, board: Board) -> Target:
    """The attached board, which has said who it is.

    Its image was linked when it was flashed, so no model is needed.

    Raises LinkError where none answers, or another one.
    """
    from tinyrobust.host.devices.attach import attach
    from tinyrobust.host.devices.mlperf.attach import attach_mlperf

    parts = Parts(config.protocol, config.engine)
    if config.protocol == MLPERF_TINY:
        return attach_mlperf(board, parts, config.encoding, config.port, to_stderr, config.serial)
    return attach(board, to_stderr, config.serial, config.port, parts)


def attach_linked(config: Config, board: Board, bundle: Bundle) -> Target:
    """An emulated board whose firmware has the network of ``bundle`` linked in."""
    from tinyrobust.host.commands.linked import linked_sources
    from tinyrobust.host.devices.attach import attach
    from tinyrobust.host.devices.mlperf.attach import attach_mlperf

    parts = Parts(config.protocol, config.engine, linked_sources(bundle, config.engine))
    if config.protocol == MLPERF_TINY:
        return attach_mlperf(board, parts, config.encoding, config.port, to_stderr)
    return attach(board, to_stderr, parts=parts)


def open_both(config: Config, board: Board, cache: Path, stack: ExitStack) -> tuple[Ladder, Target]:
    """The model's ladder and the device, which ``stack`` closes.

    What can fail soonest comes first.
    """
    from tinyrobust.host.boards.build import prepare
    from tinyrobust.host.boards.table import PortKind
    from tinyrobust.host.devices.attach import attach

    if board.port is PortKind.SERIAL:
        # Before TensorFlow is loaded: a board that is not the one asked for is told at once.
        device = attach_real(config, board)
        stack.callback(device.close)
        return ladder_of(config)(cache), device
    open_ladder = ladder_of(config)
    if (config.protocol, config.engine) == (TINYROBUST, CMSIS_NN):
        device = attach(board, to_stderr)
        stack.callback(device.close)
        return open_ladder(cache), device
    # What is missing is said before a network is trained.
    prepare(board, Parts(config.protocol, config.engine))
    ladder = open_ladder(cache)
    device = attach_linked(config, board, ladder.bundle)
    stack.callback(device.close)
    return ladder, device


def proof_of(config: Config, ladder: Ladder) -> Job | None:
    """What to certify when the attacks are done: the samples of the run at its Linf budgets.

    None where ``config`` asks for nothing. Raises UsageError for a network with an operator
    without a bound, and where no budget is a level of the input, before an attack is made.
    """
    if not config.certify:
        return None
    from tinyrobust.host.runs.certify import Job, whole_levels
    from tinyrobust.models.bounds.network import network_of
    from tinyrobust.models.plan.reader import read_plan

    network_of(read_plan(ladder.bundle.plan))
    levels = whole_levels(eps for eps in config.eps if eps <= 1)
    if not levels:
        raise UsageError("certify: no eps of this run is a level of the input or more")
    return Job(levels, config.certify, config.certify_budget, config.samples)


def main(args: argparse.Namespace) -> int:
    """Runs it; 0 when all records are made and reach the floors.

    Raises GateFailed, the report written, if not.
    """
    config = read_config(args)
    from tinyrobust.core.cache import cache_folder
    from tinyrobust.host.boards.table import get_board
    from tinyrobust.host.runs.sweep import resolve

    config = resolve(config)
    board = get_board(config.board, config.emulator)
    config = replace(config, board=board.name)
    check_files(config)
    cache = cache_folder()
    with ExitStack() as stack:
        ladder, device = open_both(config, board, cache, stack)
        job = proof_of(config, ladder)
        from tinyrobust.host.analysis.gate import check, enforce
        from tinyrobust.host.commands.costs import say_costs
        from tinyrobust.host.commands.terminal.bar import Progress
        from tinyrobust.host.commands.terminal.output import show
        from tinyrobust.host.devices.device import Device
        from tinyrobust.host.report.page import write_report
        from tinyrobust.host.runs.execute import execute
        from tinyrobust.models.plan.c_sources import emit_all

        with Progress() as progress:
            outcome = execute(
                config, ladder, device, cache, progress.say, progress.tick, args.command_line
            )
        if isinstance(device, Device):
            say_costs(device, board, outcome.path, outcome.manifest, to_stderr)
        if job:
            from tinyrobust.host.records.certificates.read import attach
            from tinyrobust.host.runs.certify import certify

            done = certify(config.out, ladder, job, to_stderr, args.command_line)
            attach(done.folder, outcome.path)
    emit_all(ladder.bundle, outcome.path / "export")
    paths = write_report(outcome.path)
    result = show(outcome.path, str(paths.html), args.json, made=outcome.made)
    checks = check(
        config.gate,
        result.rows,
        result.divergence,
        result.manifest,
        result.agreement,
        result.worst,
        result.certified,
    )
    enforce(checks)
    return 0
