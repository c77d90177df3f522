"""What became of each mutant, kept from run to run as lines of JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from tests.mutation.table import ROOT, Row

FILE = ROOT / "build" / "mutants" / "results.jsonl"


@dataclass(frozen=True)
class Mutant:
    """A file with one line changed: its number, as it was and as it is, and all of the changed
    source.
    """

    path: str
    line: int
    before: str
    after: str
    source: str

    @property
    def key(self) -> str:
        """Its digest."""
        return hashlib.sha256(f"{self.path}\n{self.source}".encode()).hexdigest()


@dataclass(frozen=True)
class Outcome:
    """``outcome`` is survived, killed or timeout; ``tests`` the digest of the tests that it stood
    against.
    """

    key: str
    tests: str
    outcome: str
    seconds: float


def tests_digest(row: Row) -> str:
    """Of the tests' files."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in row.test_files())).hexdigest()


def load() -> dict[str, Outcome]:
    """What is known, by key; the last line about a mutant counts."""
    if not FILE.is_file():
        return {}
    return {
        found.key: found
        for found in (Outcome(**json.loads(line)) for line in FILE.read_text().splitlines())
    }


def known(results: dict[str, Outcome], drawn: Sequence[Mutant], tests: str) -> dict[str, Outcome]:
    """The outcomes that still hold: a survivor's lapses with a change of the tests, that of a dead
    one does not.
    """
    found = (results[mutant.key] for mutant in drawn if mutant.key in results)
    return {one.key: one for one in found if one.outcome != "survived" or one.tests == tests}


def keep(outcome: Outcome) -> None:
    """Appends a line."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    with FILE.open("a") as file:
        file.write(json.dumps(asdict(outcome)) + "\n")
