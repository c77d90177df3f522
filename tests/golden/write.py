"""The golden frames: ``python -m tests.golden.write`` writes one ``*.hex`` file per message, read
by both sides' tests.

A file has two lines of hex: the decoded frame (header, body, tail, CRC-32) and what stands on the
wire (COBS and delimiter). COBS is the PyPI package's, the CRC zlib's: neither side's own code has a
part in them.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

from cobs import cobs

from tests.support.paths import GOLDEN
from tinyrobust.core.abi import wire
from tinyrobust.core.abi.layout import pack
from tinyrobust.core.abi.wire import Type


@dataclass(frozen=True)
class Golden:
    """One message; ``name`` is its file."""

    name: str
    type: Type
    seq: int
    body: Any
    tail: bytes = b""

    @property
    def plain(self) -> bytes:
        """The decoded frame, CRC included."""
        data = pack(wire.FrameHeader(self.type, 0, self.seq)) + pack(self.body) + self.tail
        return data + zlib.crc32(data).to_bytes(4, "little")

    @property
    def text(self) -> str:
        """The file."""
        return f"{self.plain.hex()}\n{(cobs.encode(self.plain) + bytes(1)).hex()}\n"


def _tensor(*dims: int) -> wire.Tensor:
    return wire.Tensor(dims, 9, 0.0078125, -1)


def messages() -> list[Golden]:
    """Every type once, and the tails that COBS finds hard: no zeros for 253, 254, 255 bytes, zeros
    only, a long mix.
    """
    info = wire.Info(
        protocol=wire.PROTOCOL,
        plan_crc=0x12345678,
        plan_ready=1,
        cpuid=0x411FC270,
        clock_hz=216_000_000,
        tick_unit=wire.TickUnit.CPU_CYCLES,
        pool_bytes=262_144,
        plan_bytes=4096,
        plan_in_ram=1,
        arena_bytes=2048,
        scratch_bytes=512,
        pool_free=200_000,
        max_frame=8192,
        rx_ring=2048,
        window=28,
        n_ops=7,
        baud=2_000_000,
        max_baud=2_000_000,
        stack_bytes=8192,
        stack_used=720,
        input=_tensor(1, 8, 8, 1),
        output=_tensor(1, 1, 1, 10),
        uid=bytes(range(12)),
        build_id=bytes(range(20)),
        plan_id=bytes(range(32)),
        firmware="tinyrobust 0.1.0",
        engine="CMSIS-NN 12.5.1",
        board="nucleo_f746",
    )
    ramp = bytes(i % 255 + 1 for i in range(300))
    operators = (wire.OperatorTicks(0xFFFFFFFF, "CONV_2D_S8"), wire.OperatorTicks(17, "SOFTMAX_S8"))
    return [
        Golden("hello", Type.HELLO, 1, wire.Hello(wire.PROTOCOL)),
        Golden("info", Type.INFO, 1, info),
        Golden(
            "load",
            Type.LOAD,
            2,
            wire.Load(20_000, 4096),
            bytes(i % 256 for i in range(wire.LOAD_CHUNK)),
        ),
        Golden("loaded", Type.LOADED, 2, wire.Loaded(8192, 0)),
        *(
            Golden(f"infer_{n}", Type.INFER, 0x0101, wire.Infer(0x01010101), ramp[:n])
            for n in (245, 246, 247)
        ),
        Golden("infer_zeros", Type.INFER, 0, wire.Infer(0), bytes(300)),
        Golden(
            "result",
            Type.RESULT,
            65_535,
            wire.Result(1 << 40, 0xDEADBEEF, 0xFFFFFFFF),
            b"\x80\x00\x7f",
        ),
        Golden("layer", Type.LAYER, 7, wire.Layer(0x89ABCDEF, 3), b"\0\xff" * 200),
        Golden("layer_data", Type.LAYER_DATA, 7, wire.LayerData(0xCAFEBABE, 3), ramp),
        Golden("profile", Type.PROFILE, 9, wire.Profile(0x89ABCDEF), b"\x80\0" * 100),
        Golden(
            "profiled",
            Type.PROFILED,
            9,
            wire.Profiled(1 << 33, 0xCAFEBABE, 2),
            b"".join(map(pack, operators)),
        ),
        Golden("reset", Type.RESET, 8, wire.Reset(0)),
        Golden(
            "error",
            Type.ERROR,
            0,
            wire.ErrorReply(wire.Error.BAD_FRAME, 0),
            b"frame cut short or CRC wrong",
        ),
    ]


def main() -> None:
    """Writes the files."""
    for message in messages():
        (GOLDEN / f"{message.name}.hex").write_text(message.text)


if __name__ == "__main__":
    main()
