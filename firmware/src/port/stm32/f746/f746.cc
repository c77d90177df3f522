// Nucleo-F746ZG: STM32F746ZG, Cortex-M7 at 216 MHz. Sections are those of RM0385 and of UM1974 (the
// board).
#include "port/stm32/registers/f746.h"

#include "port/cortex_m/m7/m7.h"
#include "port/stm32/common/stm32.h"

namespace stm32 {

const Chip kChip = {
    216000000,
    USART3_BASE,  // the ST-LINK's virtual COM port (UM1974, 6.9)
    USART3_IRQn,
    216000000,  // SYSCLK, chosen below
    1,
    // PD8 USART3_TX, PD9 USART3_RX: AF7 (datasheet DS10916, table 12)
    {GPIOD_BASE, 8, 7},
    {GPIOD_BASE, 9, 7},
    UID_BASE,
    IWDG_BASE,
};

const char* start_clocks() {
  // 8 MHz from the ST-LINK's MCO, no crystal: bypass (UM1974 6.8.1, RM0385 5.2.1). A probe without
  // power or with other firmware gives none: the internal 16 MHz then, within 1 % at room
  // temperature, which a UART bears.
  const bool external = start_external_clock(RCC_CR);
  if (!external) {
    enable(RCC_CR, RCC_CR_HSION);
    wait_for([] { return reg(RCC_CR) & RCC_CR_HSIRDY; });
  }

  // Voltage scale 1 and over-drive are what 216 MHz asks for; over-drive is entered with the PLL
  // on, before the system clock uses it (4.1.4).
  enable(RCC_APB1ENR, RCC_APB1ENR_PWREN);
  enable(PWR_CR1, PWR_CR1_VOS);

  // 2 MHz into the PLL, which limits its jitter; * 216 = 432 MHz; / 2 = 216 MHz (PLLP 0); / 9 = 48
  // MHz. The reserved bits stay at their reset value (5.3.2).
  const uint32_t input = external ? RCC_PLLCFGR_PLLSRC_HSE | 4u << RCC_PLLCFGR_PLLM_Pos
                                  : RCC_PLLCFGR_PLLSRC_HSI | 8u << RCC_PLLCFGR_PLLM_Pos;
  constexpr uint32_t kDividers =
      RCC_PLLCFGR_PLLM | RCC_PLLCFGR_PLLN | RCC_PLLCFGR_PLLP | RCC_PLLCFGR_PLLQ;
  modify(RCC_PLLCFGR, kDividers | RCC_PLLCFGR_PLLSRC,
         input | 216u << RCC_PLLCFGR_PLLN_Pos | 9u << RCC_PLLCFGR_PLLQ_Pos);
  enable(RCC_CR, RCC_CR_PLLON);
  enable(PWR_CR1, PWR_CR1_ODEN);
  wait_for([] { return reg(PWR_CSR1) & PWR_CSR1_ODRDY; });
  enable(PWR_CR1, PWR_CR1_ODSWEN);
  wait_for([] { return reg(PWR_CSR1) & PWR_CSR1_ODSWRDY; });
  wait_for([] { return reg(RCC_CR) & RCC_CR_PLLRDY; });

  // Seven wait states at 216 MHz and 2.7..3.6 V (3.3.2, table 7), read back before the clock goes
  // up. Prefetch and accelerator serve only the ITCM alias of the flash (3.3.3); this image runs
  // from the AXI address, with L1 caches.
  put(FLASH_ACR, FLASH_ACR_LATENCY_7WS | FLASH_ACR_PRFTEN | FLASH_ACR_ARTEN);

  // AHB 216 MHz, APB1 54 MHz, APB2 108 MHz: the most each may have (5.2, 5.3.3).
  reg(RCC_CFGR) = RCC_CFGR_PPRE1_DIV4 | RCC_CFGR_PPRE2_DIV2 | RCC_CFGR_SW_PLL;
  wait_for([] { return (reg(RCC_CFGR) & RCC_CFGR_SWS) == RCC_CFGR_SWS_PLL; });
  cortex::start_caches();

  enable(RCC_AHB1ENR, RCC_AHB1ENR_GPIODEN);
  // SYSCLK, whose divider hits 2 Mbaud exactly (5.3.26).
  modify(RCC_DCKCFGR2, RCC_DCKCFGR2_USART3SEL, RCC_DCKCFGR2_USART3SEL_0);
  enable(RCC_APB1ENR, RCC_APB1ENR_USART3EN);
  return external ? "HSE" : "HSI, no clock from the ST-LINK";
}

}  // namespace stm32
