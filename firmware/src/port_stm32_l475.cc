// B-L475E-IOT01A: STM32L475VG, Cortex-M4F at 80 MHz. Sections are those of RM0351; UM2153 is the board.
#include "port_stm32_l4.h"

namespace stm32 {

constexpr uintptr_t kGpioB = l4::kGpio + 0x400;  // 2.2.2

const Chip kChip = {
    80000000,
    0x40013800,  // USART1 (2.2.2), the ST-LINK's virtual COM port (UM2153)
    37,          // NVIC, interrupt vectors
    80000000,    // SYSCLK, chosen below
    1,
    {kGpioB, 6, 7},  // PB6 USART1_TX, PB7 USART1_RX: AF7 (datasheet DS10969, alternate functions)
    {kGpioB, 7, 7},
    0x1FFF7590,  // device electronic signature
    0x40003000,  // 2.2.2
};

void start_clocks() {
  l4::run_at(20, 4);                            // four wait states up to 80 MHz in range 1 (3.3.3)
  enable(l4::kAhb2Enable, 1u << 1);             // GPIOBEN (6.4.17)
  modify(l4::kKernelClocks, 3u << 0, 1u << 0);  // USART1SEL: SYSCLK (6.4.28)
  enable(l4::kApb2Enable, 1u << 14);            // USART1EN (6.4.21)
}

}  // namespace stm32
