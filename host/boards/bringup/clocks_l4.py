"""The clock tree of STM32L4 and L4+.

Sections are those of RM0351; RM0432 (L4+) has the same registers.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinyrobust.host.boards.bringup.bits import (
    AHB_DIVIDERS,
    APB_DIVIDERS,
    Clock,
    Tree,
    Words,
    field,
    waiting,
    word,
)

RCC = 0x40021000  # 2.2.2
CR, CFGR, PLLCFGR, CCIPR, CSR = RCC + 0x00, RCC + 0x08, RCC + 0x0C, RCC + 0x88, RCC + 0x94  # 6.4
REGISTERS = (CR, CFGR, PLLCFGR, CCIPR, CSR)
HSI_HZ, LSE_HZ, HSE_HZ = 16e6, 32768.0, 8e6  # 6.2; HSE is the ST-LINK's MCO, where it is wired
_MSI_MHZ = (0.1, 0.2, 0.4, 0.8, 1, 2, 4, 8, 16, 24, 32, 48, 0, 0, 0, 0)  # 6.4.1, MSIRANGE
MSI_HZ = tuple(1e6 * mhz for mhz in _MSI_MHZ)
OSCILLATORS = {"MSI": (0, 1), "HSI16": (8, 10), "HSE": (16, 17), "PLL": (24, 25)}  # 6.4.1


@dataclass(frozen=True)
class L4:
    """Where two chips of the family differ."""

    pllm_bits: int
    """3 in RM0351 6.4.4, 4 in RM0432 (RCC_PLLCFGR)."""
    select_bit: int
    """First bit of the serial line's selection in RCC_CCIPR: USART1SEL or LPUART1SEL (6.4.28)."""
    apb_bit: int
    """First bit of PPRE1 or PPRE2 in RCC_CFGR (6.4.3), whichever bus the line is on."""
    apb: str
    """That bus's clock, ``PCLK1`` or ``PCLK2``."""

    def tree(self, words: Words) -> Tree:
        """What the registers make of the oscillators. Raises UnreadError."""
        control, configuration = word(words, CR), word(words, CFGR)
        msi = Clock(_msi(words, control), "MSI")
        hsi, hse = Clock(HSI_HZ, "HSI16"), Clock(HSE_HZ, "HSE")
        pll = self._pll(word(words, PLLCFGR), (Clock(0.0, "no source"), msi, hsi, hse))
        system = (msi, hsi, hse, pll)[field(configuration, 2, 2)]  # SWS
        core = Clock(system.hz / AHB_DIVIDERS[field(configuration, 4, 4)], system.source)
        apb = Clock(core.hz / APB_DIVIDERS[field(configuration, self.apb_bit, 3)], self.apb)
        selected = field(word(words, CCIPR), self.select_bit, 2)
        serial = (apb, Clock(system.hz, "SYSCLK"), hsi, Clock(LSE_HZ, "LSE"))[selected]
        return Tree(core, serial, waiting(control, OSCILLATORS))

    def _pll(self, value: int, sources: tuple[Clock, ...]) -> Clock:
        """6.4.4: PLLSRC, PLLM, PLLN, PLLREN, PLLR."""
        source = sources[field(value, 0, 2)]
        into = source.hz / (field(value, 4, self.pllm_bits) + 1)
        out = into * field(value, 8, 7) / (2 * field(value, 25, 2) + 2)
        return Clock(out if field(value, 24, 1) else 0.0, f"PLL from {source.source}")


def _msi(words: Words, control: int) -> float:
    """The MSI's range: RCC_CR's (6.4.1) where MSIRGSEL says so, else that of RCC_CSR."""
    return MSI_HZ[field(control, 4, 4) if field(control, 3, 1) else field(word(words, CSR), 8, 4)]
