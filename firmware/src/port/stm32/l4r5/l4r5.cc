// Nucleo-L4R5ZI: STM32L4R5ZI, Cortex-M4F at 120 MHz. RM0432, by chapter and register name; UM2179
// is the board.
#include "port/stm32/registers/l4r5.h"

#include "port/stm32/l4/l4.h"

namespace stm32 {

const Chip kChip = {
    120000000,
    LPUART1_BASE,  // the ST-LINK's virtual COM port (UM2179)
    LPUART1_IRQn,
    120000000,  // SYSCLK, chosen below
    256,        // BRR = 256 * clock / baud (LPUART, baud rate generation)
    // PG7 LPUART1_TX, PG8 LPUART1_RX: AF8 (datasheet DS12023, alternate functions)
    {GPIOG_BASE, 7, 8},
    {GPIOG_BASE, 8, 8},
    UID_BASE,
    IWDG_BASE,
};

const char* start_clocks() {
  enable(RCC_APB1ENR1, RCC_APB1ENR1_PWREN);
  modify(PWR_CR5, PWR_CR5_R1MODE, 0);     // range 1 boost, for above 80 MHz
  enable(PWR_CR2, PWR_CR2_IOSV);          // PG2 to PG15 have a supply of their own
  l4::run_at(30, FLASH_ACR_LATENCY_5WS);  // up to 120 MHz in boost (FLASH, read access latency)
  enable(RCC_AHB2ENR, RCC_AHB2ENR_GPIOGEN);
  modify(RCC_CCIPR, RCC_CCIPR_LPUART1SEL, RCC_CCIPR_LPUART1SEL_0);  // SYSCLK
  enable(RCC_APB1ENR2, RCC_APB1ENR2_LPUART1EN);
  return l4::kSource;
}

}  // namespace stm32
