// Nucleo-L4R5ZI: STM32L4R5ZI, Cortex-M4F at 120 MHz. Sections are those of RM0432 and of UM2179 (the board).
#include "port_stm32_l4.h"

namespace stm32 {

constexpr uintptr_t kGpioG = l4::kGpio + 0x1800;  // 2.2

const Chip kChip = {
    120000000,
    0x40008000,      // LPUART1 (2.2), the ST-LINK's virtual COM port (UM2179, 6.9)
    70,              // 16.3, table of the vectors
    120000000,       // SYSCLK, chosen below
    256,             // BRR = 256 * clock / baud (47.4.6)
    {kGpioG, 7, 8},  // PG7 LPUART1_TX, PG8 LPUART1_RX: AF8 (datasheet DS12023, table 17)
    {kGpioG, 8, 8},
    0x1FFF7590,  // 59.1
};

void start_clocks() {
  enable(l4::kApb1Enable1, 1u << 28);             // PWREN (6.4.19)
  modify(l4::kPwr + 0x80, 1u << 8, 0);            // CR5.R1MODE = 0: range 1 boost, for above 80 MHz (5.4.24)
  enable(l4::kPwr + 0x04, 1u << 9);               // CR2.IOSV: PG2 to PG15 have a supply of their own (5.4.2)
  l4::run_at(30, 5);                              // five wait states up to 120 MHz in boost (3.3.3, table 12)
  enable(l4::kAhb2Enable, 1u << 6);               // GPIOGEN (6.4.17)
  modify(l4::kKernelClocks, 3u << 10, 1u << 10);  // LPUART1SEL: SYSCLK (6.4.27)
  enable(l4::kApb1Enable2, 1u << 0);              // LPUART1EN (6.4.20)
}

}  // namespace stm32
