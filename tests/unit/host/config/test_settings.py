"""One declaration of a setting: the file and the command line give the same value."""

import argparse
from pathlib import Path

import pytest

from tinyrobust.host.commands.options import add_settings, typed_settings
from tinyrobust.host.config.bench import Config
from tinyrobust.host.config.settings import settings

SAID = {
    "model": ("M.tflite", "M.tflite"),
    "float_model": ("M.h5", "M.h5"),
    "data": ("D.npz", "D.npz"),
    "activations": ("int16x8", "int16x8"),
    "board": ("native", "native"),
    "engine": ("tflm", "tflm"),
    "protocol": ("mlperf-tiny", "mlperf-tiny"),
    "encoding": ("uint8", "uint8"),
    "emulator": ("renode", "renode"),
    "port": ("/dev/ttyACM0", "/dev/ttyACM0"),
    "serial": ("B2", "B2"),
    "attacks": ("clean, pgd", ["clean", "pgd"]),
    "eps": ("8/255,0.5", ["8/255", 0.5]),
    "access": ("twin,board", ["twin", "board"]),
    "sources": ("qat", ["qat"]),
    "lattice": ("inner", "inner"),
    "queries": ("70", 70),
    "scores": ("flashed", "flashed"),
    "search": ("litert", "litert"),
    "target": ("least-likely", "least-likely"),
    "samples": ("9", 9),
    "seeds": ("3", [3]),
    "certify": ("linear", "linear"),
    "certify_budget": ("2.5", 2.5),
    "out": ("there", "there"),
}
"""Of each setting: what is typed, and what stands in the file."""


def test_every_setting_with_an_option_is_tried():
    assert list(SAID) == [name for name, one in settings(Config).items() if one.flag]


@pytest.mark.parametrize("name", SAID)
def test_the_option_gives_what_the_file_gives(name):
    parser = argparse.ArgumentParser()
    add_settings(parser)
    one, (typed, stands) = settings(Config)[name], SAID[name]
    given = typed_settings(parser.parse_args([one.flag, typed]))
    assert given.pop(name) == one.read(stands)
    assert set(given.values()) == {None}


def test_a_path_of_the_file_may_begin_at_home():
    assert settings(Config)["out"].read("~/runs") == Path.home() / "runs"
