"""House rules that a machine can hold (CONTRIBUTING.md): a reader finds a file by its folder, and
reads it without scrolling sideways.
"""

from pathlib import Path

import pytest

from tests.support.paths import ROOT

CODE = {".py", ".cc", ".c", ".h"}
ROOMS = ("host", "models", "attacks", "studies", "tinyrobust/core", "firmware", "tests")
ENTRIES = 13
COLUMNS = 100
LINES = 20
SHORT = {
    "tinyrobust/core/cache.py": "the one place that knows where downloads and results are kept",
    "firmware/platform/cortexm/platform.py": "PlatformIO asks for a class of this name here",
    "firmware/platform/cortexm/startup/vectors_mps2.c": "a table: one row for each kind of chip",
    "firmware/platform/cortexm/startup/vectors_stm32.c": "a table: one row for each kind of chip",
    "firmware/src/engine/builtin/builtin_plan_none.cc": "what a generated file takes the place of",
    "firmware/src/port/one_rate/one_rate.cc": "linked by the ports whose line has one rate",
    "firmware/src/port/stm32/hse/hse.cc": "linked by the chips whose clock comes from the probe",
}
"""Files that are short, and why they are files."""
LONGEST = 240
LONG = {
    "attacks/black_box/queries.py": "asking a rung for decisions and for scores, counted",
    "host/config/bench.py": "a table: one setting after another",
    "models/bounds/clamps/refine.py": "one optimisation of all slopes and multipliers",
    "models/training/recipes.py": "a table: one recipe after another",
    "attacks/make.py": "one attack made for one cell, from the request to the checked set",
    "firmware/src/app/mlperf_tiny/commands.cc": "one command after another",
    "firmware/src/app/tinyrobust/dispatch.cc": "one request after another",
    "firmware/src/engine/cmsis_nn/operators.cc": "one operator after another, and their table",
    "host/analysis/flags.py": "one flag after another",
    "host/analysis/metrics.py": "the figures of a summary row and of a step",
    "host/devices/device.py": "one board behind its port, as a predictor",
    "host/link/exchange.py": "requests under way: every state of one is seen in one place",
    "models/data/speech_commands.py": "one data set, from its archives to features",
    "models/export/layers.py": "one kind of layer after another",
    "models/rungs/twin/operators.py": "one operator after another",
    "models/training/trainer.py": "one epoch after another, with its checkpoint",
    "models/user/data.py": "what a user's file of samples may be",
    "studies/s4_attacks.py": "one study and its page",
    "tinyrobust/core/abi/plan/records.py": "one record after another",
}
"""Files of more than ``LONGEST`` lines, and what keeps each of them together."""
SAME_NAME = {
    "answers": "what a rung answers as it is asked, and what it answered in a study",
    "lanes": "parts of a batch side by side: in the attack, and on the way to the board",
    "logits": "a network without its SOFTMAX: the rung, and the file",
    "network": "what is bounded, and what a study trains",
    "parts": "of a setting, of a conversation, of a bound",
    "plan": "of a training",
    "read": "records of a run, and certificates",
    "step": "one update of a training",
    "store": "records of a run, and certificates",
    "streaming": "a device that is kept busy, and how busy it was",
    "targets": "target classes: of an attack, and how often they were met",
    "trainer": "on data as they are, and on adversarial examples",
    "attach": "from a name to a device that answers, of either protocol",
    "catalog": "a table by name: of data sets, of the zoo",
    "certify": "a subcommand and what it does",
    "checks": "what a package refuses",
    "compare": "a subcommand and what it does",
    "descent": "going down: a gradient, and a bound's lines",
    "device": "a board of either protocol",
    "doctor": "a subcommand and what it does",
    "flash": "a subcommand and what it does",
    "gate": "a subcommand and what it does",
    "jacobian": "the penalty, and what it costs",
    "layers": "how layers are exported, what they took",
    "page": "a page, of a run and of a study",
    "queries": "an attack's questions, and what they cost",
    "reader": "of plans and of .tflite",
    "schema": "of a run's records and of .tflite",
    "softmax": "SOFTMAX, in the plan and in the twin",
    "table": "a package's table",
    "tables": "of the terminal and of the report",
    "values": "which values a setting, or a layer's configuration, may have",
    "verdict": "on a board that does not answer, and on a run",
    "windows": "operators over height and width, and where Square Attack changes an image",
}
"""Names that two modules have, and why neither misleads: its package says of what."""


def own(room: str) -> list[Path]:
    """Files of code below ``room``, without what is generated."""
    found = [path for path in (ROOT / room).rglob("*") if path.suffix in CODE]
    return [path for path in found if not path.name.endswith(".gen.h")]


FILES = [path for room in ROOMS for path in own(room)]


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_the_rooms_are_full():
    assert len(FILES) > 500
    assert {path.suffix for path in FILES} == CODE


@pytest.mark.parametrize("room", ROOMS)
def test_a_folder_is_taken_in_at_a_glance(room):
    """Its files and the folders below it that hold code, the package's face left out."""
    entries: dict[Path, set[str]] = {}
    for path in own(room):
        for folder in path.parents[: len(path.relative_to(ROOT / room).parts)]:
            entries.setdefault(folder, set()).add(path.relative_to(folder).parts[0])
    crowded = {
        named(folder): len(names - {"__init__.py"})
        for folder, names in entries.items()
        if len(names - {"__init__.py"}) > ENTRIES
    }
    assert crowded == {}


def test_lines_end_within_100_columns():
    wide = [
        f"{named(path)}:{number}"
        for path in FILES
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > COLUMNS
    ]
    assert wide == []


def test_no_line_is_kept_from_the_formatter():
    words = [f"{mark}: {word}" for mark in ("fmt", "yapf") for word in ("skip", "off")]
    words.append("clang-format " + "off")
    kept = [named(path) for path in FILES if any(word in path.read_text() for word in words)]
    assert kept == []


def test_a_short_file_is_a_face_or_has_its_reason():
    """A header is the face of its source file; a test module may hold one test."""
    short = {
        named(path)
        for path in FILES
        if path.suffix != ".h"
        and path.name != "__init__.py"
        and not path.is_relative_to(ROOT / "tests")
        and path.read_text().count("\n") < LINES
    }
    assert short == set(SHORT)


def test_a_long_file_has_its_reason():
    """A test module may hold as many cases as its subject has."""
    long = {
        named(path)
        for path in FILES
        if not path.is_relative_to(ROOT / "tests") and path.read_text().count("\n") > LONGEST
    }
    assert long <= set(LONG)
    assert {name for name in LONG if not (ROOT / name).is_file()} == set()


def test_two_modules_of_one_name_are_told_apart_by_their_packages():
    modules = [path for path in FILES if path.suffix == ".py" and not path.stem.startswith("__")]
    modules = [path for path in modules if not path.is_relative_to(ROOT / "tests")]
    twice = {path.stem for path in modules if sum(path.stem == one.stem for one in modules) > 1}
    assert twice - set(SAME_NAME) == set()
