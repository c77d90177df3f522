// B-L475E-IOT01A: STM32L475VG, Cortex-M4F at 80 MHz. Sections are those of RM0351; UM2153 is the
// board.
#include "port/stm32/registers/l475.h"

#include "port/stm32/l4/l4.h"

namespace stm32 {

const Chip kChip = {
    80000000,
    USART1_BASE,  // the ST-LINK's virtual COM port (UM2153)
    USART1_IRQn,
    80000000,  // SYSCLK, chosen below
    1,
    // PB6 USART1_TX, PB7 USART1_RX: AF7 (datasheet DS10969, alternate functions)
    {GPIOB_BASE, 6, 7},
    {GPIOB_BASE, 7, 7},
    UID_BASE,
    IWDG_BASE,
};

const char* start_clocks() {
  l4::run_at(20, FLASH_ACR_LATENCY_4WS);  // up to 80 MHz in range 1 (3.3.3)
  enable(RCC_AHB2ENR, RCC_AHB2ENR_GPIOBEN);
  modify(RCC_CCIPR, RCC_CCIPR_USART1SEL, RCC_CCIPR_USART1SEL_0);  // SYSCLK
  enable(RCC_APB2ENR, RCC_APB2ENR_USART1EN);
  return l4::kSource;
}

}  // namespace stm32
