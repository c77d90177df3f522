"""A real board that is attached: found by its probe, met at its rate, waited for."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from tinyrobust.core.abi.wire import Info, TickUnit
from tinyrobust.core.errors import LinkError, UsageError
from tinyrobust.core.progress import Say
from tinyrobust.host.boards.bringup.examine import Finding, examine
from tinyrobust.host.boards.probes import attached, find_attached, probe_at
from tinyrobust.host.boards.programmer import restart
from tinyrobust.host.boards.table import Board
from tinyrobust.host.devices.device import Device
from tinyrobust.host.devices.rate import NoAnswerError, meet
from tinyrobust.host.link.serial_port import SerialPort

POLL_SECONDS = 1.0
WAIT_SECONDS = 1800.0
"""How long an unplugged board is waited for."""


@dataclass(frozen=True)
class AttachedBoard:
    """One real board: at the serial port ``url``, or behind a debug probe.

    The probe is that of ``serial_number``, or the only one where that is empty too.
    """

    board: Board
    url: str
    serial_number: str
    say: Say

    def open(self) -> SerialPort:
        """Opens the board's port.

        Raises LinkError where it is not there, in use, or not allowed.
        """
        return SerialPort(self.url or find_attached(self.board, self.serial_number).url)

    def bound_to(self, url: str) -> AttachedBoard:
        """This board, known by the probe whose port ``url`` is in use.

        That probe is the one to restart, and to look for when the board is back.

        Asked while the port is open: a board that is unplugged no longer says whose it was.
        """
        probe = probe_at(self.board, url)
        if not probe or not probe.serial_number:
            return self
        return replace(self, serial_number=probe.serial_number)

    def restart(self) -> bool:
        """Resets the board by the probe of its port; whether that worked.

        False where that probe is not known.

        A probe without a serial number is known only while it is the one of its kind.
        """
        return self.knows_its_probe and restart(self.board, self.serial_number)

    @property
    def knows_its_probe(self) -> bool:
        """Whether one probe, and no other, can be the board's."""
        if self.serial_number:
            return True
        return len(attached(self.board)) == 1 and (
            not self.url or probe_at(self.board, self.url) is not None
        )

    def greet(self, device: Device, elf: Path, fresh: bool = False) -> Info:
        """``meet``; where nothing answers, the error says what the board's probe reads of its chip.

        ``elf`` is the image that it may run, ``fresh`` says that it was just flashed.
        """
        try:
            return self.meet(device)
        except NoAnswerError as err:
            mute = err
        try:
            finding = self.look(elf, fresh)
        except LinkError as why:
            raise LinkError(f"{mute}; {why}") from None
        raise LinkError(f"{mute}; through its probe: {finding.verdict}")

    def look(self, elf: Path, fresh: bool = False) -> Finding:
        """The board's chip as its probe sees it.

        Raises LinkError that says why it could not be looked at.
        """
        try:
            if not self.knows_its_probe:
                raise LinkError(f"{self.url or self.board.name} belongs to no probe that is known")
            self.say(f"{self.board.name} does not answer: looking at its chip through its probe")
            return examine(self.board, self.serial_number, elf, fresh)
        except (LinkError, UsageError) as why:
            raise LinkError(f"its chip could not be looked at: {why}") from None

    def meet(self, device: Device) -> Info:
        """HELLO, the highest rate, and that it is the board that was asked for.

        Raises LinkError.
        """
        port = device.link.port
        assert isinstance(port, SerialPort)
        info = meet(device, port, self.board.baud, self.say)
        check_board(self.board, info)
        return info

    def recover(self, device: Device, why: LinkError) -> None:
        """Waits until the board of ``device`` is back.

        Its probe restarts it where it is there but mute.

        Raises LinkError where another board or another image comes back, or none within
        ``WAIT_SECONDS``.
        """
        before = device.info
        self.say(
            f"{why}: waiting for {self.board.name} to come back (Ctrl-C ends; "
            "what was recorded is kept)"
        )
        device.link.port.close()
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            try:
                device.reopen(self.open())
            except LinkError:
                time.sleep(POLL_SECONDS)
                continue
            try:
                info = self.meet(device)
            except LinkError as err:
                device.link.port.close()
                said = "restarted by its probe" if self.restart() else "press its reset button"
                self.say(f"{err}: {said}")
                time.sleep(POLL_SECONDS)
                continue
            if (info.uid, info.build_id) != (before.uid, before.build_id):
                raise LinkError(
                    f"{self.board.name}: another board or another image came back: start again"
                )
            self.say(f"{self.board.name} is back")
            return
        raise LinkError(f"{self.board.name} did not come back within {WAIT_SECONDS:.0f} s") from why


def check_board(board: Board, info: Info) -> None:
    """Raises LinkError where ``info`` is not of ``board``."""
    if (info.board, info.tick_unit) != (board.env or board.name, board.tick_unit):
        raise LinkError(
            f"{board.name} was asked for, {info.board} counting {TickUnit(info.tick_unit).name} "
            f"answers: flash the firmware of {board.name}, or name the board that is there"
        )
