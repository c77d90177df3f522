// Nucleo-L4R5ZI: STM32L4R5ZI, Cortex-M4F at 120 MHz. RM0432, by chapter and register name; UM2179
// is the board.
#include "port_stm32_l4.h"

namespace stm32 {

constexpr uintptr_t kGpioG = l4::kGpio + 0x1800;  // memory map

const Chip kChip = {
    120000000,
    0x40008000,      // LPUART1, the ST-LINK's virtual COM port (UM2179)
    70,              // NVIC, interrupt vectors
    120000000,       // SYSCLK, chosen below
    256,             // BRR = 256 * clock / baud (LPUART, baud rate generation)
    {kGpioG, 7, 8},  // PG7 LPUART1_TX, PG8 LPUART1_RX: AF8 (datasheet DS12023, alternate functions)
    {kGpioG, 8, 8},
    0x1FFF7590,  // device electronic signature
    0x40003000,  // memory map
};

void start_clocks() {
  enable(l4::kApb1Enable1, 1u << 28);   // RCC_APB1ENR1.PWREN
  modify(l4::kPwr + 0x80, 1u << 8, 0);  // PWR_CR5.R1MODE = 0: range 1 boost, for above 80 MHz
  enable(l4::kPwr + 0x04, 1u << 9);     // PWR_CR2.IOSV: PG2 to PG15 have a supply of their own
  l4::run_at(30, 5);                    // five wait states up to 120 MHz in boost (FLASH, read access latency)
  enable(l4::kAhb2Enable, 1u << 6);     // RCC_AHB2ENR.GPIOGEN
  modify(l4::kKernelClocks, 3u << 10, 1u << 10);  // RCC_CCIPR.LPUART1SEL: SYSCLK
  enable(l4::kApb1Enable2, 1u << 0);              // RCC_APB1ENR2.LPUART1EN
}

}  // namespace stm32
