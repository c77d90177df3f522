"""A sample of the mutants that cosmic-ray makes of some files, as JSON.

Runs in the environment of its own lock.

Usage: ``generate.py N FILE...``, N = 0 for all. The sample is by chance but the same each time, and
takes one mutant of each place in the code before a second of any. Left out are changes of
annotations, which nobody computes under ``from __future__ import annotations``, and ``is`` in place
of another comparison: of small integers they are the same.
"""

from __future__ import annotations

import ast
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

Place = tuple[int, int]
"""Line from 1 and column."""


@dataclass(frozen=True)
class Candidate:
    """A mutant that could be made: change number ``occurrence`` of ``operator``, the ``turn``-th of
    its kind there.
    """

    path: str
    operator: str
    occurrence: int
    place: Place
    turn: int
    text: str
    """The line at ``place``."""

    @property
    def draw(self) -> str:
        """Orders the sample: the same for the same change, wherever its line has moved."""
        parts = (self.path, self.operator, self.text, str(self.place[1]), str(self.turn))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def annotations(source: str) -> list[tuple[Place, Place]]:
    """Begin and end of each annotation."""
    found: list[tuple[Place, Place]] = []
    for node in ast.walk(ast.parse(source)):
        for name in ("annotation", "returns"):
            note = getattr(node, name, None)
            if note is not None:
                found.append(
                    ((note.lineno, note.col_offset), (note.end_lineno, note.end_col_offset))
                )
    return found


def told_apart(operator: str) -> bool:
    """Whether what the operator makes can differ: not where it exchanges equality with identity."""
    comparison = operator.removeprefix("core/ReplaceComparisonOperator_")
    return (
        comparison == operator
        or len({name in ("Is", "IsNot") for name in comparison.split("_")}) == 1
    )


def candidates(path: str) -> Iterator[Candidate]:
    """All of one file."""
    source = Path(path).read_text()
    spans, lines, tree = annotations(source), source.splitlines(), get_ast(source)
    for name in operator_names():
        if get_operator(name).arguments() or not told_apart(name):
            continue  # the former take a configuration, and are off without one
        operator, turns = get_operator(name)(), Counter()
        places = [
            place for node in ast_nodes(tree) for place, _ in operator.mutation_positions(node)
        ]
        for occurrence, place in enumerate(places):
            if not any(start <= place < end for start, end in spans):
                yield Candidate(
                    path, name, occurrence, place, turns[place], lines[place[0] - 1].strip()
                )
            turns[place] += 1


def spread(every: list[Candidate]) -> list[Candidate]:
    """In the order of drawing."""
    turns: Counter[tuple[str, Place]] = Counter()
    order = []
    for one in sorted(every, key=lambda c: c.draw):
        order.append((turns[one.path, one.place], one))
        turns[one.path, one.place] += 1
    return [one for _, one in sorted(order, key=lambda turn: turn[0])]


def mutants(drawn: list[Candidate]) -> Iterator[dict[str, object]]:
    """What the candidates become; each source once."""
    sources = {one.path: Path(one.path).read_text() for one in drawn}
    seen = set(sources.values())
    for one in drawn:
        source = sources[one.path]
        try:
            mutated = mutate_code(source, get_operator(one.operator)(), one.occurrence)
        except AttributeError:  # ``except module.Error``: cosmic-ray replaces plain names only
            continue
        if mutated not in seen:
            seen.add(mutated)
            line, before, after = changed_line(source, mutated)
            yield {
                "path": one.path,
                "line": line,
                "before": before,
                "after": after,
                "source": mutated,
            }


def changed_line(source: str, mutated: str) -> tuple[int, str, str]:
    """The first line that differs: its number from 1, as it was and as it is."""
    before, after = source.splitlines(), mutated.splitlines()
    at = next(i for i, (b, a) in enumerate(zip(before, after, strict=False)) if b != a)
    return (
        at + 1,
        before[at].strip(),
        after[at].strip() if len(after) == len(before) else "(removed)",
    )


if __name__ == "__main__":
    every = [one for path in sys.argv[2:] for one in candidates(path)]
    drawn = spread(every)[: int(sys.argv[1]) or None]
    json.dump({"candidates": len(every), "drawn": list(mutants(drawn))}, sys.stdout)
