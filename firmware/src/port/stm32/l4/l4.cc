#include "port/stm32/l4/l4.h"

#include "port/stm32/registers/l4.h"

namespace stm32::l4 {

void run_at(uint32_t multiplier, uint32_t wait_states) {
  enable(RCC_CR, RCC_CR_HSION);
  wait_for([] { return reg(RCC_CR) & RCC_CR_HSIRDY; });

  // 16 MHz / 2 = 8 MHz into the PLL, * multiplier, / 2 (PLLR 0); source HSI16, output R enabled
  // (6.4.4).
  reg(RCC_PLLCFGR) = RCC_PLLCFGR_PLLSRC_HSI | (2u - 1) << RCC_PLLCFGR_PLLM_Pos |
                     multiplier << RCC_PLLCFGR_PLLN_Pos | RCC_PLLCFGR_PLLREN |
                     0u << RCC_PLLCFGR_PLLR_Pos;
  enable(RCC_CR, RCC_CR_PLLON);
  wait_for([] { return reg(RCC_CR) & RCC_CR_PLLRDY; });

  // Read back before the clock goes up (3.3.3).
  put(FLASH_ACR, wait_states | FLASH_ACR_PRFTEN | FLASH_ACR_ICEN | FLASH_ACR_DCEN);

  // Above 80 MHz the AHB has to pass through half the speed for a microsecond (RM0432, RCC, system
  // clock selection); below it does no harm.
  reg(RCC_CFGR) = RCC_CFGR_HPRE_DIV2 | RCC_CFGR_SW_PLL;
  wait_for([] { return (reg(RCC_CFGR) & RCC_CFGR_SWS) == RCC_CFGR_SWS_PLL; });
  for (volatile int i = 0; i < 64; i = i + 1) {
  }
  reg(RCC_CFGR) = RCC_CFGR_SW_PLL;  // AHB, APB1 and APB2 undivided
}

}  // namespace stm32::l4
