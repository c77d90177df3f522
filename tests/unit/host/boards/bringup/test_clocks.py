"""Clock trees out of register words: what this firmware sets, and settings drawn at random."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.chips.register_dumps import DUMPS, F746_WORDS, H743_WORDS, L475_WORDS, reading
from tests.support.paths import STM32
from tinyrobust.core.abi.wire import FIRST_BAUD
from tinyrobust.host.boards.bringup import clocks_f7, clocks_h7
from tinyrobust.host.boards.bringup.bits import UnreadError
from tinyrobust.host.boards.bringup.chips import CHIPS
from tinyrobust.host.boards.bringup.verdict import line

PORTS = {
    "nucleo_f746": "f746",
    "nucleo_h743zi": "h743",
    "disco_l475": "l475",
    "nucleo_l4r5zi": "l4r5",
}
MEGA = 1e6


@pytest.mark.parametrize("name", DUMPS)
def test_what_the_firmware_sets_is_the_clock_and_the_rate_it_is_made_for(name):
    chip, words = DUMPS[name]
    tree = chip.tree(words)
    assert (tree.core.hz, tree.serial.hz, tree.serial.source) == (
        chip.core_hz,
        chip.serial.hz,
        chip.serial.source,
    )
    assert tree.waiting == ()
    assert line(chip, reading(words), tree).baud == pytest.approx(FIRST_BAUD, rel=0.001)


@pytest.mark.parametrize("name", PORTS)
def test_the_chips_are_those_of_the_firmware(name):
    text = re.sub(r"//.*", "", (STM32 / PORTS[name] / f"{PORTS[name]}.cc").read_text())
    body = re.search(r"kChip = \{(.*?)\n\};", text, re.S)[1]
    clock, usart, _, hz, unit = (field.strip() for field in body.split(",")[:5])
    header = (STM32 / "registers" / f"{PORTS[name]}.h").read_text()
    base = re.search(rf"\b{usart} = (0x[0-9A-F]+)", header)[1]
    chip = CHIPS[name]
    assert (int(clock), int(base, 16), int(hz), int(unit)) == (
        chip.core_hz,
        chip.serial.base,
        chip.serial.hz,
        chip.serial.unit,
    )


def test_the_kernel_clock_that_was_never_selected():
    tree = CHIPS["nucleo_f746"].tree({**F746_WORDS, 0x40023890: 0})
    assert (tree.serial.hz, tree.serial.source) == (54 * MEGA, "PCLK1")
    at = line(CHIPS["nucleo_f746"], reading(F746_WORDS), tree)
    assert (at.divider, at.baud) == (1875, 28_800)


@given(
    st.booleans(),
    st.integers(2, 63),
    st.integers(50, 432),
    st.integers(0, 3),
    st.integers(0, 15),
    st.integers(0, 7),
    st.integers(0, 3),
)
def test_f7_by_hand(hse, m, n, p, hpre, ppre, select):
    pllcfgr = m | n << 6 | p << 16 | hse << 22
    cfgr = 2 << 2 | hpre << 4 | ppre << 10
    words = {**F746_WORDS, 0x40023804: pllcfgr, 0x40023808: cfgr, 0x40023890: select << 4}
    tree = clocks_f7.tree(words)
    system = (8 if hse else 16) * MEGA / m * n / (2, 4, 6, 8)[p]
    core = system / (2 ** (hpre - 7) if 8 <= hpre < 12 else 2 ** (hpre - 6) if hpre >= 12 else 1)
    apb = core / (2 ** (ppre - 3) if ppre >= 4 else 1)
    assert tree.core.hz == pytest.approx(core)
    assert tree.serial.hz == pytest.approx((apb, system, 16 * MEGA, 32768)[select])


@given(
    st.integers(0, 2),
    st.integers(1, 63),
    st.integers(4, 512),
    st.integers(0, 8191),
    st.booleans(),
    st.integers(1, 128),
    st.integers(0, 5),
    st.integers(0, 3),
)
def test_h7_by_hand(source, m, n, fraction, fractional, divider, select, hsidiv):
    words = {
        **H743_WORDS,
        0x58024400: H743_WORDS[0x58024400] | hsidiv << 3,
        0x58024428: source | m << 4 | m << 12 | m << 20,
        0x5802442C: 0x01FF0000 | (0x111 if fractional else 0),
        0x58024454: select,
    }
    for at in (0x58024430, 0x58024438, 0x58024440):
        words[at] = n - 1 | (divider - 1) << 9 | (divider - 1) << 16
        words[at + 4] = fraction << 3
    hsi = 64 * MEGA / 2**hsidiv
    pll = (
        (hsi, 4 * MEGA, 8 * MEGA)[source]
        / m
        * (n + (fraction / 8192 if fractional else 0))
        / divider
    )
    tree = clocks_h7.tree(words)
    assert tree.core.hz == pytest.approx(pll)
    assert tree.serial.hz == pytest.approx((pll / 4, pll, pll, hsi, 4 * MEGA, 32768)[select])


@given(
    st.integers(0, 3),
    st.integers(1, 8),
    st.integers(8, 86),
    st.integers(0, 3),
    st.integers(0, 3),
    st.integers(0, 3),
    st.integers(0, 7),
    st.integers(0, 11),
    st.booleans(),
)
def test_l4_by_hand(source, m, n, r, select, switch, ppre, msi, own_range):
    words = {
        **L475_WORDS,
        0x40021000: 0x03000503 | own_range << 3 | (msi if own_range else 0) << 4,
        0x40021094: (0 if own_range else msi) << 8,
        0x40021008: switch << 2 | ppre << 11,
        0x4002100C: source | (m - 1) << 4 | n << 8 | 1 << 24 | r << 25,
        0x40021088: select,
    }
    msi_hz = (0.1, 0.2, 0.4, 0.8, 1, 2, 4, 8, 16, 24, 32, 48)[msi] * MEGA
    pll = (0, msi_hz, 16 * MEGA, 8 * MEGA)[source] / m * n / (2 * r + 2)
    core = (msi_hz, 16 * MEGA, 8 * MEGA, pll)[switch]
    apb = core / (2 ** (ppre - 3) if ppre >= 4 else 1)
    tree = CHIPS["disco_l475"].tree(words)
    assert tree.core.hz == pytest.approx(core)
    assert tree.serial.hz == pytest.approx((apb, core, 16 * MEGA, 32768)[select])


def test_l4_and_l4_plus_divide_by_different_fields():
    assert (
        CHIPS["nucleo_l4r5zi"].tree({**DUMPS["nucleo_l4r5zi"][1], 0x4002100C: 0x01001E92}).core.hz
        == 24 * MEGA
    )
    assert CHIPS["disco_l475"].tree({**L475_WORDS, 0x4002100C: 0x01001492}).core.hz == 80 * MEGA


def test_other_than_the_usual_divisions():
    chip = CHIPS["nucleo_f746"]
    over8 = {**F746_WORDS, 0x40004800: 0x802D, 0x4000480C: (3750 & 0xFFF0) | (3750 & 0xF) >> 1}
    assert line(chip, reading(over8), chip.tree(over8)).baud == FIRST_BAUD
    chip = CHIPS["nucleo_h743zi"]
    prescaled = {**H743_WORDS, 0x4000482C: 3}
    assert line(chip, reading(prescaled), chip.tree(prescaled)).baud == pytest.approx(
        FIRST_BAUD / 6, rel=0.001
    )


@given(st.sampled_from(sorted(DUMPS)), st.data())
def test_no_words_are_too_odd(name, data):
    chip, words = DUMPS[name]
    odd = data.draw(
        st.fixed_dictionaries({address: st.integers(0, 2**32 - 1) for address in words})
    )
    tree = chip.tree(odd)
    assert tree.core.hz >= 0
    assert line(chip, reading(odd), tree).baud >= 0


@pytest.mark.parametrize("name", DUMPS)
def test_a_word_that_was_not_read_is_named(name):
    chip, words = DUMPS[name]
    control = chip.clock_registers[0]
    with pytest.raises(UnreadError, match=f"0x{control:08x} could not be read"):
        chip.tree({at: value for at, value in words.items() if at != control})
