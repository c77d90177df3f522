"""The MLPerf Tiny protocol, spoken as its published runner does.

Commands are ASCII, ended by ``%``; answers end with ``m-ready``.

There is no checksum and there are no sequence numbers. So every answer has to hold exactly what its
command is answered with, and after anything else the line is drained and the device asked for its
name before the sample is loaded again: no score can belong to another sample. A byte that is
flipped into another hexadecimal digit goes unseen.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tinyrobust.core.errors import LinkError
from tinyrobust.core.plain import printable
from tinyrobust.host.link.ports import Port

BYTES_PER_COMMAND = 31
"""What the published runner puts into one ``db``; a firmware takes commands of 80 characters."""
COMMAND_SECONDS, INFER_SECONDS, QUIET_SECONDS = 5.0, 30.0, 0.1
NAME_SECONDS = 0.5
"""How long an attached board takes at most to say its name."""
TRIES = 3
MAX_LINE, MAX_LINES = 1 << 16, 1 << 12
READY = "m-ready"
NAME = re.compile(r"m-name-dut-\[([^\]]*)\]")
PROFILE = re.compile(r"m-(profile|model)-\[([^\]]*)\]")
LAP = re.compile(r"m-lap-us-(\d{1,18})")
"""Fewer digits than int64 has."""
RESULTS = re.compile(r"m-results-\[([^\]]*)\]")
SCORE = re.compile(r"-?\d{1,10}\.\d{3}")


class GarbledError(LinkError):
    """An answer was lost, or is not what its command is answered with. Trying again may help."""


@dataclass
class Counters:
    """What went over the wire."""

    commands_sent: int = 0
    retries: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0


@dataclass(frozen=True)
class Inference:
    """The answer to ``infer 1 0``: scores in thousandths.

    ``microseconds`` is None where no laps were said.
    """

    thousandths: tuple[int, ...]
    microseconds: int | None


class Session:
    """Commands and their answers over a port. Every method raises LinkError with one line."""

    def __init__(
        self,
        port: Port,
        command_seconds: float = COMMAND_SECONDS,
        infer_seconds: float = INFER_SECONDS,
    ) -> None:
        self._port = port
        self._seconds, self._infer_seconds = command_seconds, infer_seconds
        self._inbox = b""
        self.counters = Counters()

    def ask(self, command: str, seconds: float | None = None) -> list[str]:
        """Sends one command; the lines of its answer, without ``m-ready``. Raises GarbledError."""
        data = f"{command}%".encode("ascii")
        self._port.write(data)
        self.counters.commands_sent += 1
        self.counters.bytes_sent += len(data)
        end = time.monotonic() + (self._seconds if seconds is None else seconds)
        lines: list[str] = []
        while (line := self._line(end)) != READY:
            if line is None:
                heard = f"it said {lines[-1][:80]!r}" if lines else "it said nothing"
                raise GarbledError(f"{command[:24]!r} was not answered by {READY}: {heard}")
            lines.append(line)
            if len(lines) > MAX_LINES:
                raise GarbledError(f"{command[:24]!r} was answered by more than {MAX_LINES} lines")
        if refusal := next((line for line in lines if line.startswith("e-")), None):
            raise GarbledError(f"{command[:24]!r} was refused: {refusal[:120]}")
        return lines

    def _line(self, end: float) -> str | None:
        """The next line that is not empty, or None when there is none in time."""
        while True:
            line, found, rest = self._inbox.partition(b"\n")
            if found:
                self._inbox = rest
                if text := line.replace(b"\0", b"").decode("ascii", "replace").strip():
                    return printable(text)
                continue
            if len(self._inbox) > MAX_LINE:
                self._inbox = b""
                raise GarbledError(f"{MAX_LINE} bytes came without the end of a line")
            left = end - time.monotonic()
            if left <= 0:
                return None
            data = self._port.read(min(left, 0.25))
            self.counters.bytes_received += len(data)
            self._inbox += data

    def name(self, seconds: float | None = None) -> str:
        """The device's name; afterwards both sides are at the same command.

        Raises LinkError after ``TRIES`` of so many seconds each.
        """
        why: LinkError | None = None
        for _ in range(TRIES):
            self._drain()
            try:
                lines = self.ask("name", seconds)
                if len(lines) == 1 and (found := NAME.fullmatch(lines[0])):
                    return found[1]
                why = GarbledError(f"'name' was answered by {' '.join(lines)[:80]!r}")
            except GarbledError as err:
                why = err
        raise LinkError(
            f"no MLPerf Tiny firmware answers: {why}: check the baud rate and what was flashed"
        )

    def _drain(self) -> None:
        """Drops what arrives until it is quiet: opening lines, the rest of an answer."""
        self._inbox = b""
        end = time.monotonic() + self._seconds
        while (dropped := self._port.read(QUIET_SECONDS)) and time.monotonic() < end:
            self.counters.bytes_received += len(dropped)

    def profile(self) -> tuple[str, str]:
        """(protocol, benchmark) as the firmware states them, such as ``ic01``."""
        said = {
            found[1]: found[2] for line in self.ask("profile") if (found := PROFILE.fullmatch(line))
        }
        return said.get("profile", ""), said.get("model", "")

    def classify(self, data: bytes, scores: int) -> tuple[Inference, int]:
        """Loads one input and infers once: (answer, retries).

        ``scores`` is how many there must be.
        """
        for attempt in range(TRIES):
            try:
                self._load(data)
                return self._infer(scores), attempt
            except GarbledError as err:
                self.counters.retries += 1
                why = err
                self.name()
        raise LinkError(f"a sample failed {TRIES} times: {why}")

    def _load(self, data: bytes) -> None:
        self._expect(f"db load {len(data)}", [f"m-[Expecting {len(data)} bytes]"])
        for at in range(0, len(data), BYTES_PER_COMMAND):
            last = at + BYTES_PER_COMMAND >= len(data)
            self._expect(
                f"db {data[at : at + BYTES_PER_COMMAND].hex()}", ["m-load-done"] if last else []
            )

    def _expect(self, command: str, expected: Sequence[str]) -> None:
        said = [line for line in self.ask(command) if line.startswith("m-")]
        if said != expected:
            raise GarbledError(f"{command[:24]!r} was answered by {' '.join(said)[:80]!r}")

    def _infer(self, scores: int) -> Inference:
        lines = self.ask("infer 1 0", self._infer_seconds)
        laps = [int(found[1]) for line in lines if (found := LAP.fullmatch(line))]
        results = [found[1] for line in lines if (found := RESULTS.fullmatch(line))]
        if len(results) != 1 or len(laps) not in (0, 2):
            raise GarbledError(
                f"'infer' was answered by {len(results)} results and {len(laps)} laps"
            )
        # One of the reference firmwares ends its list with a comma.
        parts = [part.strip() for part in results[0].removesuffix(",").split(",")]
        if not all(SCORE.fullmatch(part) for part in parts):
            raise GarbledError(f"results that are no scores of three decimals: {results[0][:80]!r}")
        if len(parts) != scores:
            raise LinkError(
                f"the firmware gives {len(parts)} scores, the model has {scores} outputs: "
                "another network?"
            )
        return Inference(
            tuple(int(part.replace(".", "")) for part in parts),
            max(laps[1] - laps[0], 0) if laps else None,
        )
