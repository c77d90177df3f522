"""A device in memory that answers as the published harness of MLPerf Tiny does."""

from __future__ import annotations

import re
import zlib

from tinyrobust.core.types import TensorSpec

SIZE, OUTPUTS = 64, 3
SPEC = TensorSpec((SIZE,), 1 / 128, 0)


def scores(data: bytes) -> list[str]:
    """Three decimals that no other input has but by a chance of 10^-9."""
    digest = zlib.crc32(data) % 10**9
    return [f"0.{digest // 1000**i % 1000:03d}" for i in range(OUTPUTS)]


class Dut:
    """A Port to a device that answers as the published harness does. Hooks bend one thing each."""

    def __init__(self, benchmark="kws01", opening=b"m-init-done\r\nm-ready\r\n"):
        self.benchmark, self.outbox = benchmark, bytearray(opening)
        self.line, self.loaded, self.size = bytearray(), bytearray(), 0
        self.seen: list[str] = []
        self.to_device = self.to_host = lambda data: data
        self.results = lambda data: f"m-results-[{','.join(scores(data))}]"
        self.laps = ["m-lap-us-1000", "m-lap-us-1250"]

    def read(self, timeout):
        data, self.outbox = bytes(self.outbox), bytearray()
        return data

    def write(self, data):
        for byte in self.to_device(data):
            if byte == ord("%"):
                command, self.line = self.line.decode("latin-1"), bytearray()
                self.seen.append(command)
                lines = [*self.answer(command.split()), "m-ready"]
                self.outbox += self.to_host("".join(f"{line}\r\n" for line in lines).encode())
            else:
                self.line.append(byte)

    def close(self):
        pass

    def answer(self, words):
        match words:
            case ["name"]:
                return ["m-name-dut-[fake]"]
            case ["profile"]:
                return [
                    "m-profile-[ULPMark for tinyML Firmware V0.0.1]",
                    f"m-model-[{self.benchmark}]",
                ]
            case ["db", "load", n] if n.isdigit():
                self.size, self.loaded = int(n), bytearray()
                return [f"m-[Expecting {n} bytes]"]
            case ["db", digits] if re.fullmatch(r"([0-9a-f]{2})+", digits):
                self.loaded += bytes.fromhex(digits)
                return ["m-load-done"] if len(self.loaded) == self.size else []
            case ["infer", "1", "0"]:
                data = bytes(self.loaded)
                return ["m-infer-start-1", *self.laps, "m-infer-done", self.results(data)]
        return [f"e-[Unknown command: {' '.join(words)}]"]
