"""One mutant, one process: a fork of a parent that has imported the libraries but nothing of the
project.

The mutated source exists in that process's memory alone. No file is ever changed, so a run that is
interrupted leaves nothing behind and several can go on beside each other.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import Phase, settings

MEMORY_BYTES = 8 << 30
"""On top of what the parent has mapped: a mutant that asks for more is killed."""
CPU_SECONDS, CPU_FACTOR = 10.0, 5.0
"""A mutant that computes for longer than this, and this many times as long as no mutant, never
ends.
"""
WALL_SECONDS, WALL_FACTOR = 60.0, 10.0
"""The same of one that waits. Far more, since how long that takes says how busy the machine is."""

# A mutant is told by its first failure: nothing is made small, nothing is by chance.
settings.register_profile(
    "mutants",
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
)


class Mutated(importlib.machinery.SourceFileLoader, importlib.abc.MetaPathFinder):
    """Gives ``module`` another source."""

    def __init__(self, module: str, path: Path, source: str) -> None:
        super().__init__(module, str(path))
        self.source = source

    def find_spec(self, name, path=None, target=None):
        """See MetaPathFinder."""
        return (
            importlib.util.spec_from_file_location(name, self.path, loader=self)
            if name == self.name
            else None
        )

    def get_code(self, name):
        """See SourceFileLoader; from memory."""
        return compile(self.source, self.path, "exec", dont_inherit=True)


@dataclass(frozen=True)
class Limits:
    """Seconds that a mutant may take."""

    cpu: int
    wall: float


@dataclass(frozen=True)
class Child:
    """A process under way."""

    pid: int
    started: float


def preload(libraries: Sequence[str]) -> None:
    """Imports what all mutants share.

    TensorFlow's C++ talks to the terminal meanwhile, whatever it is told.
    """
    terminal, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        for library in libraries:
            importlib.import_module(library)
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
        os.close(null)


def start(tests: Sequence[Path], mutated: Mutated | None, limits: Limits) -> Child:
    """Runs ``tests`` up to the first failure in a process of its own; without a mutant, as they
    are.
    """
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return Child(pid, time.monotonic())
    code = 3
    try:
        os.setpgid(0, 0)
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (mapped + MEMORY_BYTES,) * 2)
        resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu,) * 2)
        if mutated is not None:
            sys.dont_write_bytecode = True
            sys.meta_path.insert(0, mutated)
        options = [
            "-x",
            "-q",
            "-m",
            "not slow and not deep",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:xdist",
        ]
        code = int(pytest.main([*options, "--hypothesis-profile=mutants", *map(str, tests)]))
    finally:
        os._exit(code)


def ended(child: Child, limits: Limits) -> str | None:
    """``survived``, ``killed`` (by a test or at import), ``timeout``; None while it runs."""
    pid, status = os.waitpid(child.pid, os.WNOHANG)
    if pid:
        code = os.waitstatus_to_exitcode(status)
        return {0: "survived", -signal.SIGXCPU: "timeout", -signal.SIGKILL: "timeout"}.get(
            code, "killed"
        )
    if time.monotonic() - child.started <= limits.wall:
        return None
    os.killpg(child.pid, signal.SIGKILL)
    os.waitpid(child.pid, 0)
    return "timeout"


def measured(tests: Sequence[Path]) -> Limits:
    """What a mutant may take, from a run without one.

    Raises RuntimeError where the tests fail as they are.
    """
    before, patient = resource.getrusage(resource.RUSAGE_CHILDREN), Limits(600, 3600.0)
    child, outcome = start(tests, None, patient), None
    while outcome is None:
        time.sleep(0.02)
        outcome = ended(child, patient)
    if outcome != "survived":
        raise RuntimeError(
            f"the tests fail without a mutant ({outcome}): {' '.join(p.name for p in tests)}"
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    wall = time.monotonic() - child.started
    return Limits(int(CPU_SECONDS + CPU_FACTOR * cpu), WALL_SECONDS + WALL_FACTOR * wall)
