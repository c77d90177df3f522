"""Options that several commands have: the settings of a run, a run's folder, JSON."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tinyrobust.host.config.bench import Config
from tinyrobust.host.config.settings import settings


def add_setting(parser: argparse.ArgumentParser, name: str, **otherwise: Any) -> None:
    """The option of the setting ``name``; ``otherwise`` are argparse's words where they differ."""
    one = settings(Config)[name]
    words: dict[str, Any] = {"dest": name, "help": one.help}
    if one.metavar or not (one.choices or one.offered):
        # Without it argparse would call the value by the field, where the option has another name.
        words["metavar"] = one.metavar or one.flag.removeprefix("--").upper()
    if one.choices or one.offered:
        words["choices"] = one.choices or one.offered
    if one.typed:
        words["type"] = one.typed
    parser.add_argument(one.flag, **words | otherwise)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """The options of all settings, in the order in which they are declared."""
    for name, one in settings(Config).items():
        if one.flag:
            add_setting(parser, name)


def typed_settings(args: argparse.Namespace) -> dict[str, Any]:
    """What was typed of ``add_settings``' options; None for the rest."""
    return {name: getattr(args, name) for name, one in settings(Config).items() if one.flag}


def add_json(parser: argparse.ArgumentParser, help: str = "as JSON on stdout") -> None:
    """``--json``: the answer for a program."""
    parser.add_argument("--json", action="store_true", help=help)


def add_run(parser: argparse.ArgumentParser) -> None:
    """The folder of a finished run, as ``args.run``."""
    parser.add_argument(
        "run", type=Path, metavar="RUN_DIR", help="a run's folder, e.g. runs/digits-native-..."
    )
