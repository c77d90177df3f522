"""``python -m tinyrobust.models.training.make_weights NAME ...`` makes committed weights.

It trains recipes and writes their weights; interrupted, it continues.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from tinyrobust.core.cache import cache_folder
from tinyrobust.core.errors import BenchError
from tinyrobust.core.stats import wilson
from tinyrobust.models.data.splits import Splits
from tinyrobust.models.keras.batchnorm import copy_folded
from tinyrobust.models.keras.tf import keras, tf
from tinyrobust.models.training import weight_files
from tinyrobust.models.training.adversarial.plan import AdversarialPlan
from tinyrobust.models.training.adversarial.trainer import AdversarialTrainer
from tinyrobust.models.training.certified.ranges import onto_ranges
from tinyrobust.models.training.certified.share import certified_count
from tinyrobust.models.training.certified.start import interval_start
from tinyrobust.models.training.recipes import RECIPES, Recipe, recipe
from tinyrobust.models.training.trainer import Trainer, TrainingPlan, accuracy


def make(name: str, work: Path) -> weight_files.Card:
    """Trains recipe ``name``, tests it once and writes its weights and card.

    Its checkpoints are kept under ``work``.
    """
    chosen = recipe(name)
    splits = chosen.task.splits()
    keras.utils.set_random_seed(chosen.plan.seed)
    model = _started(chosen)
    _trainer(model, chosen, splits, work / name).run(_say)
    share = accuracy(model, splits.test, chosen.task.spec)
    n = len(splits.test.q)
    low, high = wilson(round(share * n), n)
    python = sys.version_info
    made = weight_files.Card(
        name=name,
        command=f"python -m tinyrobust.models.training.make_weights {name}",
        seed=chosen.plan.seed,
        epochs=chosen.plan.epochs,
        start=chosen.start,
        penalty=repr(chosen.plan.penalty) if chosen.plan.penalty else None,
        adversary=_adversary(chosen.plan),
        parameters=model.count_params(),
        test_set=splits.test.name,
        test_n=n,
        test_accuracy=share,
        low=low,
        high=high,
        versions=f"tensorflow {tf.__version__}, python {python.major}.{python.minor}",
    )
    if chosen.certified_levels is not None:
        made = _with_certificates(made, model, chosen, chosen.certified_levels)
    weight_files.save(model, made)
    _say(f"{name}: {share:.4f} [{low:.4f}, {high:.4f}] on {n} of {splits.test.name}")
    return made


def _with_certificates(
    card: weight_files.Card, model: Any, chosen: Recipe, levels: int
) -> weight_files.Card:
    test = chosen.task.splits().test
    count = certified_count(model, test, chosen.task.spec, levels)
    low, high = wilson(count, len(test.q))
    share = count / len(test.q)
    _say(f"{card.name}: {share:.4f} [{low:.4f}, {high:.4f}] certified at {levels} levels")
    return replace(
        card,
        certified_levels=levels,
        certified=share,
        certified_low=low,
        certified_high=high,
    )


def _trainer(model: Any, chosen: Recipe, splits: Splits, folder: Path) -> Trainer:
    if isinstance(chosen.plan, AdversarialPlan):
        return AdversarialTrainer(model, splits, chosen.task.spec, chosen.plan, folder)
    return Trainer(model, splits, chosen.task.spec, chosen.plan, folder)


def _adversary(plan: TrainingPlan) -> str | None:
    return repr(plan.attack) if isinstance(plan, AdversarialPlan) else None


def _started(chosen: Recipe) -> Any:
    model = chosen.build()
    if chosen.start is None:
        if chosen.plan.certified:
            interval_start(model)
        return model
    if not chosen.quantized:
        weight_files.load(chosen.start, model)
    else:
        full = recipe(chosen.start).build()
        weight_files.load(chosen.start, full)
        if certified := chosen.plan.certified:
            data, spec = chosen.task.splits().train, chosen.task.spec
            onto_ranges(full, model, data, spec, certified.levels)
        else:
            copy_folded(full, model)
    return model


def _say(line: str) -> None:
    print(line, flush=True)


def main() -> int:
    """Entry point. Exit code 2 on a user's mistake."""
    parser = argparse.ArgumentParser(
        prog="python -m tinyrobust.models.training.make_weights", description=__doc__
    )
    parser.add_argument("names", nargs="+", metavar="NAME", help=", ".join(sorted(RECIPES)))
    names = parser.parse_args().names
    try:
        for name in names:
            make(name, cache_folder() / "train")
    except BenchError as err:
        print(f"error: {err}", file=sys.stderr)
        return err.exit_code
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main())
