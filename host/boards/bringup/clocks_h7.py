"""The clock tree of an STM32H743.

RM0433, chapter RCC, by register name; the base address is in its memory map.
"""

from __future__ import annotations

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

RCC = 0x58024400
CR, CFGR, D1CFGR, D2CFGR = RCC + 0x00, RCC + 0x10, RCC + 0x18, RCC + 0x1C
PLLCKSELR, PLLCFGR, PLL1DIVR, PLL1FRACR = RCC + 0x28, RCC + 0x2C, RCC + 0x30, RCC + 0x34
D2CCIP2R = RCC + 0x54
PLLS = (1, 2, 3)
REGISTERS = (
    *(CR, CFGR, D1CFGR, D2CFGR, PLLCKSELR, PLLCFGR, D2CCIP2R),
    *(base + 8 * (n - 1) for n in PLLS for base in (PLL1DIVR, PLL1FRACR)),
)
HSI_HZ, CSI_HZ, LSE_HZ = 64e6, 4e6, 32768.0
HSE_HZ = 8e6  # UM2407: the ST-LINK's MCO
OSCILLATORS = {"HSI": (0, 2), "CSI": (7, 8), "HSE": (16, 17), "PLL1": (24, 25)}  # RCC_CR
DIVP, DIVQ = 9, 16
"""First bits of the dividers in RCC_PLLxDIVR."""


def tree(words: Words) -> Tree:
    """What the registers make of the oscillators, for USART3. Raises UnreadError."""
    control, domain1 = word(words, CR), word(words, D1CFGR)
    hsi = Clock(HSI_HZ / (1 << field(control, 3, 2)), "HSI")
    csi, hse = Clock(CSI_HZ, "CSI"), Clock(HSE_HZ, "HSE")
    sources = (hsi, csi, hse, Clock(0.0, "no source"))
    system = Clock(0.0, "a reserved SWS")
    switch = field(word(words, CFGR), 3, 3)  # SWS
    if switch < 3:
        system = sources[switch]
    elif switch == 3:
        system = _pll(words, 1, DIVP, sources)
    core = Clock(system.hz / AHB_DIVIDERS[field(domain1, 8, 4)], system.source)  # D1CPRE
    bus = core.hz / AHB_DIVIDERS[field(domain1, 0, 4)]  # HPRE
    apb1 = Clock(bus / APB_DIVIDERS[field(word(words, D2CFGR), 4, 3)], "PCLK1")  # D2PPRE1
    selected = field(word(words, D2CCIP2R), 0, 3)  # USART28SEL
    kernel = {0: apb1, 3: Clock(hsi.hz, "HSI"), 4: csi, 5: Clock(LSE_HZ, "LSE")}
    serial = kernel.get(selected, Clock(0.0, "a reserved USART28SEL"))
    if selected in (1, 2):
        serial = Clock(_pll(words, selected + 1, DIVQ, sources).hz, f"PLL{selected + 1} Q")
    return Tree(core, serial, waiting(control, OSCILLATORS))


def _pll(words: Words, number: int, divider: int, sources: tuple[Clock, ...]) -> Clock:
    """Output of PLL ``number`` behind ``divider``.

    Registers: RCC_PLLCKSELR, RCC_PLLCFGR, RCC_PLLxDIVR and RCC_PLLxFRACR.
    """
    select, configuration = word(words, PLLCKSELR), word(words, PLLCFGR)
    source = sources[field(select, 0, 2)]
    m = field(select, 4 + 8 * (number - 1), 6)  # 0: the prescaler is off
    enabled = field(configuration, 16 + 3 * (number - 1) + (divider == DIVQ), 1)  # DIVPxEN, DIVQxEN
    name = f"PLL{number} from {source.source}"
    if not m or not enabled:
        return Clock(0.0, name)
    at = 8 * (number - 1)
    dividers = word(words, PLL1DIVR + at)
    n = field(dividers, 0, 9) + 1.0
    if field(configuration, 4 * (number - 1), 1):  # PLLxFRACEN
        n += field(word(words, PLL1FRACR + at), 3, 13) / 8192
    return Clock(source.hz / m * n / (field(dividers, divider, 7) + 1), name)
