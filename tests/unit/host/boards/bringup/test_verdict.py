"""One line on what is wrong with a chip: a change of its registers, and what is said of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.chips.register_dumps import (
    DUMPS,
    F746_WORDS,
    H743_WORDS,
    L4R5_WORDS,
    L475_WORDS,
    reading,
)
from tinyrobust.host.boards.bringup.reading import S_HALT, S_LOCKUP, Stop
from tinyrobust.host.boards.bringup.verdict import judge

F746, H743, L475, L4R5 = (
    DUMPS[name][0] for name in ("nucleo_f746", "nucleo_h743zi", "disco_l475", "nucleo_l4r5zi")
)


@pytest.mark.parametrize("name", DUMPS)
def test_a_chip_as_the_firmware_leaves_it_looks_right(name):
    chip, words = DUMPS[name]
    said = judge(chip, reading(words))
    assert said.startswith(f"the chip looks right: the core runs at {chip.core_hz // 10**6} MHz")
    assert "last seen in 0x08000410" in said
    assert f"{chip.serial.name} at 115,200 baud" in said


def test_the_f746_whose_kernel_clock_was_never_selected():
    said = judge(F746, reading({**F746_WORDS, 0x40023890: 0}))
    assert said == "USART3 runs at 28,800 baud: its clock is 54 MHz (PCLK1), not 216 (SYSCLK)"


@pytest.mark.parametrize(
    ("chip", "words", "change", "says"),
    [
        (
            F746,
            F746_WORDS,
            {0xE0042000: 0x10006470},
            "device id 0x470, not 0x449 of an STM32F746: another board",
        ),
        (
            F746,
            F746_WORDS,
            {0x08000004: 0xFFFFFFFF},
            "the flash is empty: flash the board (make flash)",
        ),
        (
            F746,
            F746_WORDS,
            {0x40023800: 0x00056F83, 0x40023808: 0},
            "HSE on, but not ready: no 8 MHz from the ST-LINK's MCO; the core runs at "
            "16 MHz (HSI), not at 216",
        ),
        (
            F746,
            F746_WORDS,
            {0x40023804: 0x29403504},
            "the core runs at 212 MHz (PLL from HSE), not at 216",
        ),
        (F746, F746_WORDS, {0x40023840: 0x10000000}, "USART3 has no bus clock"),
        (F746, F746_WORDS, {0x40004800: 0x2C}, "USART3 is off: itself"),
        (F746, F746_WORDS, {0x40004800: 0x21}, "USART3 is off: its receiver and its transmitter"),
        (
            F746,
            F746_WORDS,
            {0x4000480C: 108},
            "USART3 runs at 2,000,000 baud, not 115,200: its divider is 108 for a",
        ),
        (F746, F746_WORDS, {0x4000480C: 0}, "USART3 runs at 0 baud"),
        (F746, F746_WORDS, {0x40023830: 0x00100000}, "the port of PD8 and PD9 has no clock"),
        (F746, F746_WORDS, {0x40020C00: 0x00080000}, "PD8 is not USART3_TX: it is in mode 0"),
        (F746, F746_WORDS, {0x40020C24: 0x00000017}, "PD9 is not USART3_RX: it has AF1, not AF7"),
        (H743, H743_WORDS, {0x58024410: 0}, "the core runs at 64 MHz (HSI), not at 400"),
        (
            H743,
            H743_WORDS,
            {0x58024418: 0x40},
            "USART3 runs at 230,415 baud: its clock is 200 MHz (PCLK1), not 100",
        ),
        (
            H743,
            H743_WORDS,
            {0x58024454: 3},
            "USART3 runs at 73,733 baud: its clock is 64 MHz (HSI), not 100 (PCLK1)",
        ),
        (
            L475,
            L475_WORDS,
            {0x40021088: 2},
            "USART1 runs at 23,055 baud: its clock is 16 MHz (HSI16), not 80 (SYSCLK)",
        ),
        (L475, L475_WORDS, {0x40021008: 0}, "the core runs at 4 MHz (MSI), not at 80"),
        (
            L475,
            L475_WORDS,
            {0x40021000: 0x01000563},
            "PLL on, but not ready; the core runs at 80 MHz",
        ),
        (L4R5, L4R5_WORDS, {0x4000800C: 0x753}, "LPUART1 runs at 16,384,000 baud, not 115,200"),
        (L4R5, L4R5_WORDS, {0x48001820: 0}, "PG7 is not LPUART1_TX: it has AF0, not AF8"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(chip, words, change, says):
    said = judge(chip, reading({**words, **change}))
    assert says in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"before": S_LOCKUP}, "locked up"),
        ({"before": S_HALT}, "the core was halted: by another debugger?"),
        ({"restarted": True}, "the chip restarts over and over, last seen in 0x08000410"),
        ({"stops": ()}, "the core could not be stopped"),
        (
            {"stops": (Stop(0x1FF00B00, 0x61000000),)},
            "the chip's boot loader runs, not the flash: BOOT0 is high",
        ),
        ({"stops": (Stop(0x08000500, 0x61000003),)}, "the core is in HardFault, at 0x08000500"),
        (
            {
                "caught": Stop(0x08000500, 0x61000003),
                "frame": (0, 0, 0, 0, 0, 0x08000321, 0x08000A10, 0x61000000),
                "words": {**F746_WORDS, 0xE000ED28: 1 << 9 | 1 << 15, 0xE000ED38: 0x40029000},
            },
            "the core faults over and over: HardFault in 0x08000a10 (a bus error on "
            "the address 0x40029000)",
        ),
        (
            {"caught": Stop(0x08000500, 3), "words": {**F746_WORDS, 0xE000ED28: 1 << 9}},
            "HardFault in 0x08000500 (a bus error)",
        ),
        (
            {"caught": Stop(0x08000500, 6), "words": {**F746_WORDS, 0xE000ED28: 1 << 16}},
            "UsageFault in 0x08000500 (an undefined",
        ),
    ],
)
def test_what_the_core_does_comes_first(other, says):
    assert says in judge(F746, reading(**{"words": {**F746_WORDS, 0x40023890: 0}, **other}))


def test_names_are_those_of_the_image():
    fault = reading(F746_WORDS, stops=(Stop(0x08000500, 0x61000003),))
    assert "at start_clocks()" in judge(F746, fault, lambda pc: "start_clocks()")


def test_a_word_that_could_not_be_read_is_named():
    words = {at: value for at, value in F746_WORDS.items() if at != 0x40004800}
    assert (
        judge(F746, reading(words))
        == "the chip answers its probe, but 0x40004800 could not be read"
    )


@given(st.sampled_from(sorted(DUMPS)), st.data())
def test_whatever_is_read_gives_one_line(name, data):
    chip, words = DUMPS[name]
    odd = data.draw(
        st.dictionaries(st.sampled_from([*words, 0xE000ED28]), st.integers(0, 2**32 - 1))
    )
    stops = data.draw(
        st.lists(st.builds(Stop, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)), max_size=3)
    )
    status = st.integers(0, 2**32 - 1)
    said = judge(
        chip,
        reading(
            {**words, **odd}, stops=tuple(stops), before=data.draw(status), after=data.draw(status)
        ),
    )
    assert said
    assert said.isprintable()
