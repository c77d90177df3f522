"""Small plans to load, break and run."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from tests.support.tflite.factory import Affine, Factory, Window
from tinyrobust.core.abi import layout
from tinyrobust.core.abi.plan import RECORDS, S16, Head, Kind, PlanHeader
from tinyrobust.models.plan.compiler import compile_plan

HEADER = layout.size(PlanHeader)


@dataclass(frozen=True)
class Loadable:
    """What ``Device.load`` takes of a bundle."""

    plan: bytes
    plan_id: str


@lru_cache(maxsize=2)
def every_kind(wide: bool = False) -> bytes:
    """A plan with each kind of record for int8 (``wide``: int16) at least once, 4x4x4 in and 4
    out.
    """
    rng = np.random.default_rng(5)

    def draw(*shape: int) -> np.ndarray:
        return rng.integers(-127, 128, shape, np.int8)

    bias = np.arange(4, dtype=np.int64 if wide else np.int32)
    f, q, other = (
        (Factory(wide), Affine(2e-4), Affine(1e-4))
        if wide
        else (Factory(), Affine(0.05, 3), Affine(0.04, -2))
    )
    source = f.input((1, 4, 4, 4), q)
    x = f.conv_2d(
        source,
        draw(4, 3, 3, 4),
        [0.01, 0.02, 0.03, 0.02],
        bias,
        Window((3, 3), same=True),
        q,
        "RELU",
    )
    x = f.depthwise_conv_2d(x, draw(1, 3, 3, 4), [0.02] * 4, bias, Window((3, 3), same=True), q)
    x = f.depthwise_conv_2d(x, draw(1, 2, 2, 4), [0.02] * 4, bias, Window((2, 2), same=True), q)
    x = f.add(x, f.quantize(x, other), q)
    x = f.max_pool_2d(x, Window((2, 2), (1, 1)))
    x = f.pad(x, [(0, 0), (1, 0), (0, 1), (0, 0)])
    x = f.average_pool_2d(x, Window((3, 3), (2, 2), same=True))
    x = f.conv_2d(x, draw(4, 1, 1, 4), [0.02] * 4, bias.astype(np.int32), Window(), q)
    x = f.mean(x, q, keep_dims=True)
    x = f.reshape(x, (1, 4))
    x = f.fully_connected(x, draw(4, 4), [0.02], bias, q)
    x = f.softmax(x)
    plan = compile_plan(f.build(source, x)).data
    kinds = {kind for kind in RECORDS if kind == Kind.RESHAPE or (kind in S16) == wide}
    assert {record.kind for record in records(plan)} == kinds
    return plan


@dataclass(frozen=True)
class Place:
    """Where one record stands in a plan."""

    index: int
    kind: Kind
    at: int

    @property
    def layout(self) -> type:
        """The record's class."""
        return RECORDS[self.kind]


def records(plan: bytes) -> list[Place]:
    """The records of a well-formed plan, in order."""
    header = layout.unpack(PlanHeader, plan[:HEADER])
    out: list[Place] = []
    at = HEADER
    for index in range(header.n_ops):
        head = layout.unpack(Head, plan[at : at + layout.size(Head)])
        out.append(Place(index, Kind(head.kind), at))
        at += head.bytes
    return out


def sealed(plan: bytes | bytearray) -> bytes:
    """``plan`` with its checksum made right again, as a careful attacker would."""
    return bytes(plan[:12]) + zlib.crc32(plan[16:]).to_bytes(4, "little") + bytes(plan[16:])


def poked(plan: bytes, of: type, at: int, field: str, value: Any) -> bytes:
    """``plan`` with one field of the layout ``of`` at byte ``at`` replaced, and sealed."""
    names = field.split(".")
    for name in names:
        member = next(m for m in layout.members(of) if m.name == name)
        at += member.offset
        if isinstance(member.kind, type):
            of = member.kind
    raw = (
        value if isinstance(value, bytes) else (value % 2**32).to_bytes(4, "little")[: member.size]
    )
    return sealed(plan[:at] + raw + plan[at + len(raw) :])
