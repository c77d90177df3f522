"""The clock tree of an STM32F746. Sections are those of RM0385; addresses 2.2.2."""

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

RCC = 0x40023800
CR, PLLCFGR, CFGR, DCKCFGR2 = (
    RCC + 0x00,
    RCC + 0x04,
    RCC + 0x08,
    RCC + 0x90,
)  # 5.3.1 to 5.3.3, 5.3.26
REGISTERS = (CR, PLLCFGR, CFGR, DCKCFGR2)
HSI_HZ, LSE_HZ = 16e6, 32768.0  # 5.2
HSE_HZ = 8e6  # UM1974 6.8.1: the ST-LINK's MCO
OSCILLATORS = {"HSI": (0, 1), "HSE": (16, 17), "PLL": (24, 25)}  # 5.3.1


def tree(words: Words) -> Tree:
    """What the registers make of the oscillators, for USART3. Raises UnreadError."""
    control, configuration = word(words, CR), word(words, CFGR)
    switch = field(configuration, 2, 2)  # SWS
    system = (
        Clock(HSI_HZ, "HSI"),
        Clock(HSE_HZ, "HSE"),
        _pll(word(words, PLLCFGR)),
        Clock(0.0, "a reserved SWS"),
    )[switch]
    core = Clock(system.hz / AHB_DIVIDERS[field(configuration, 4, 4)], system.source)
    apb1 = Clock(core.hz / APB_DIVIDERS[field(configuration, 10, 3)], "PCLK1")
    selected = field(word(words, DCKCFGR2), 4, 2)  # USART3SEL
    serial = (apb1, Clock(system.hz, "SYSCLK"), Clock(HSI_HZ, "HSI"), Clock(LSE_HZ, "LSE"))[
        selected
    ]
    return Tree(core, serial, waiting(control, OSCILLATORS))


def _pll(value: int) -> Clock:
    """5.3.2: PLLM, PLLN, PLLP, PLLSRC."""
    hse = field(value, 22, 1)
    into, m = (HSE_HZ if hse else HSI_HZ), field(value, 0, 6)
    hz = into / m * field(value, 6, 9) / (2 * field(value, 16, 2) + 2) if m else 0.0
    return Clock(hz, f"PLL from {'HSE' if hse else 'HSI'}")
