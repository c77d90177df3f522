"""Codes on the wire: types of messages, reasons of a refusal, what a board's ticks count."""

from __future__ import annotations

from enum import IntEnum


class Type(IntEnum):
    """First byte of every frame. Answers have the top bit set."""

    HELLO = 0x01
    LOAD = 0x02
    INFER = 0x03
    LAYER = 0x04
    RESET = 0x05
    PROFILE = 0x06
    INFO = 0x81
    LOADED = 0x82
    RESULT = 0x83
    LAYER_DATA = 0x84
    PROFILED = 0x86
    ERROR = 0xFF


class Error(IntEnum):
    """Why the board refused.

    ``BAD_FRAME`` is answered with sequence 0: the header could not be trusted.
    """

    BAD_FRAME = 1
    UNKNOWN_TYPE = 2
    BAD_LENGTH = 3
    NO_PLAN = 4
    PLAN_REJECTED = 5
    PLAN_TOO_LARGE = 6
    WRONG_OFFSET = 7
    ENGINE_FAILED = 8


class TickUnit(IntEnum):
    """What RESULT.ticks counts. Emulated instruction ticks and real cycles never share a column."""

    NONE = 0
    CPU_CYCLES = 1
    CMSDK_TIMER = 2
    """CMSDK timer at 25 MHz; under QEMU ``-icount shift=6`` it ticks 1.6 times per instruction."""
    HOST_NS = 3
    SYSTICK = 4
    """SysTick at the core's clock, on emulators whose cycle counter stands still: instructions
    times a constant.
    """
