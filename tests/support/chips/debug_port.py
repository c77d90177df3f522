"""The debug port of an STM32F7, bit by bit: what OpenOCD's remote_bitbang adapter speaks JTAG to.

After ARM IHI 0031 (ADIv5: JTAG-DP, MEM-AP) and DDI 0403E (the core's debug registers); as much of
them as OpenOCD uses to attach, to read memory, to halt and to resume.
"""

import socket
import threading

CPUID, DHCSR, DCRSR, DCRDR, DEMCR, DFSR = (
    0xE000ED00,
    0xE000EDF0,
    0xE000EDF4,
    0xE000EDF8,
    0xE000EDFC,
    0xE000ED30,
)
XPSR, PC, MSP = 16, 15, 13
DPACC, APACC, IDCODE, OK = 0b1010, 0b1011, 0b1110, 0b010


class Core:
    """A Cortex-M7 as its debugger sees it.

    ``pcs``: where it is, each time it is stopped. ``faults_at``: where a fault is caught as soon as
    one is waited for. ``restarts``: whether it has been reset whenever it is asked. ``writes``:
    what the debugger wrote.
    """

    def __init__(
        self,
        words,
        pcs=(0x08000100,),
        xpsr=0x61000000,
        faults_at=None,
        restarts=False,
        cpuid=0x411FC271,
    ):
        self.memory = {CPUID: cpuid, **words}
        self.pcs, self.faults_at, self.restarts = list(pcs), faults_at, restarts
        self.registers = {XPSR: xpsr, PC: self.pcs[0], MSP: 0x2004FF80, 17: 0x2004FF80}
        self.halted, self.stops, self.writes = False, 0, []

    def read(self, address):
        if address == DHCSR:
            return 1 << 16 | self.halted << 17 | self.restarts << 25 | 1
        return self.memory.get(address, 0)

    def write(self, address, value):
        self.writes.append((address, value))
        if address == DHCSR and value >> 16 == 0xA05F:
            halt = bool(value & 2)
            if halt and not self.halted:
                self.registers[PC] = self.pcs[min(self.stops, len(self.pcs) - 1)]
                self.stops += 1
                self.memory[DFSR] = self.memory.get(DFSR, 0) | 1
            self.halted = halt
        elif address == DCRSR:
            self.memory[DCRDR] = self.registers.get(value & 0x7F, 0)
        elif address == DFSR:
            self.memory[DFSR] = self.memory.get(DFSR, 0) & ~value
        else:
            self.memory[address] = value
        if address == DEMCR and value & 0x7F0 and self.faults_at:
            self.halted = True
            self.registers[PC], self.registers[XPSR] = self.faults_at, 0x61000003
            self.memory[DFSR] = 1 << 3


class Port:
    """JTAG-DP and one AHB-AP. ``last`` is what the next scan captures."""

    def __init__(self, core):
        self.core, self.select, self.control, self.csw, self.tar, self.last = (
            core,
            0,
            0,
            0x23000052,
            0,
            0,
        )

    def access(self, ap, read, address, value):
        if read:
            self.last = self._ap_read(address) if ap else self._dp_read(address)
        elif ap:
            self._ap_write(address | self.select & 0xF0, value)
        elif address == 0x4:
            self.control = value & 0x50000000 | (value & 0x50000000) << 1
        elif address == 0x8:
            self.select = value

    def _dp_read(self, address):
        return {0x4: self.control, 0x8: self.select}.get(address, 0)

    def _ap_read(self, address):
        register = address | self.select & 0xF0
        if self.select >> 24:
            return 0
        if register == 0x0C:
            value = self.core.read(self.tar)
            self._step()
            return value
        if 0x10 <= register <= 0x1C:
            return self.core.read(self.tar & ~0xF | register & 0xC)
        return {0x00: self.csw, 0x04: self.tar, 0xF8: 0xE00FF003, 0xFC: 0x74770001}.get(register, 0)

    def _ap_write(self, register, value):
        if register == 0x00:
            self.csw = value & ~0x40 | 0x40
        elif register == 0x04:
            self.tar = value
        elif register == 0x0C:
            self.core.write(self.tar, value)
            self._step()
        elif 0x10 <= register <= 0x1C:
            self.core.write(self.tar & ~0xF | register & 0xC, value)

    def _step(self):
        if self.csw & 0x30:
            self.tar += 4


NEXT = {  # IEEE 1149.1, figure 6-1: by state, after TMS 0 and after TMS 1
    "reset": ("idle", "reset"),
    "idle": ("idle", "select-dr"),
    "select-dr": ("capture-dr", "select-ir"),
    "capture-dr": ("shift-dr", "exit1-dr"),
    "shift-dr": ("shift-dr", "exit1-dr"),
    "exit1-dr": ("pause-dr", "update-dr"),
    "pause-dr": ("pause-dr", "exit2-dr"),
    "exit2-dr": ("shift-dr", "update-dr"),
    "update-dr": ("idle", "select-dr"),
    "select-ir": ("capture-ir", "reset"),
    "capture-ir": ("shift-ir", "exit1-ir"),
    "shift-ir": ("shift-ir", "exit1-ir"),
    "exit1-ir": ("pause-ir", "update-ir"),
    "pause-ir": ("pause-ir", "exit2-ir"),
    "exit2-ir": ("shift-ir", "update-ir"),
    "update-ir": ("idle", "select-dr"),
}


class Scan:
    """Two TAPs in a row, TDI, boundary scan, core, TDO: the shift register that they are
    together.
    """

    def __init__(self, port):
        self.port, self.state, self.clock, self.instruction, self.bits = (
            port,
            "reset",
            0,
            IDCODE,
            [],
        )

    @property
    def out(self):
        return self.bits[0] if self.bits else 0

    def drive(self, clock, tms, tdi):
        if clock and not self.clock:
            self._rise(tms, tdi)
        self.clock = clock

    def _rise(self, tms, tdi):
        if self.state in ("shift-dr", "shift-ir"):
            self.bits = [*self.bits[1:], tdi]
        elif self.state == "capture-ir":
            self.bits = [1, 0, 0, 0, 1, 0, 0, 0, 0]
        elif self.state == "capture-dr":
            self.bits = self._captured()
        self.state = NEXT[self.state][tms]
        if self.state == "reset":
            self.instruction = IDCODE
        elif self.state == "update-ir":
            self.instruction = _number(self.bits[:4])
        elif self.state == "update-dr" and self.instruction in (DPACC, APACC):
            word = _number(self.bits[:35])
            self.port.access(self.instruction == APACC, word & 1, (word >> 1 & 3) << 2, word >> 3)

    def _captured(self):
        bypass = [0]  # the other TAP; in reset it shows an IDCODE, too
        if self.instruction == IDCODE:
            return [*_bits(0x5BA00477, 32), *_bits(0x06449041, 32)]
        if self.instruction in (DPACC, APACC):
            return [*_bits(self.port.last << 3 | OK, 35), *bypass]
        return [0, *bypass]


def _bits(value, n):
    return [value >> i & 1 for i in range(n)]


def _number(bits):
    return sum(bit << i for i, bit in enumerate(bits))


class DebugPort:
    """A context manager: serves a core's debug port to OpenOCD's remote_bitbang at ``port``, one
    client.
    """

    def __init__(self, core):
        self.core = core

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *error):
        self._listener.close()

    @property
    def configuration(self):
        """What a configuration of OpenOCD for this chip says."""
        return (
            "adapter driver remote_bitbang\nremote_bitbang host 127.0.0.1\n"
            f"remote_bitbang port {self.port}\n"
            "transport select jtag\nsource [find target/stm32f7x.cfg]\nreset_config none\n"
        )

    def _serve(self):
        try:
            client, _ = self._listener.accept()
        except OSError:
            return
        scan = Scan(Port(self.core))
        with client:
            while data := client.recv(1 << 16):
                answers = bytearray()
                for char in data:
                    if 0x30 <= char <= 0x37:  # 0 to 7: TCK, TMS, TDI
                        scan.drive(char >> 2 & 1, char >> 1 & 1, char & 1)
                    elif char == ord("R"):
                        answers.append(b"01"[scan.out])
                    elif char == ord("Q"):
                        return
                client.sendall(answers)
