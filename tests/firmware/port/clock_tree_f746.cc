// start_clocks() of the F746 on simulated registers, and the clocks that follow from what it left
// there: by ST's header and RM0385, 5.2 and 5.3, not by the firmware's own constants. Usage:
// clock_tree_f746 hse|none
#include <cstring>

#include "port/stm32/common/stm32.h"
#include "simulated_registers.h"
#include "stm32f746xx.h"

namespace cortex {
void start_caches() {}
}  // namespace cortex

namespace {

uint64_t system_clock() {
  if ((RCC->CFGR & RCC_CFGR_SW) != RCC_CFGR_SW_PLL) return 16000000;
  const uint32_t pll = RCC->PLLCFGR;
  const uint64_t input = (pll & RCC_PLLCFGR_PLLSRC) == RCC_PLLCFGR_PLLSRC_HSE ? 8000000 : 16000000;
  if ((pll & RCC_PLLCFGR_PLLSRC) == RCC_PLLCFGR_PLLSRC_HSE && !(RCC->CR & RCC_CR_HSEON)) return 0;
  const uint32_t m = (pll & RCC_PLLCFGR_PLLM) >> RCC_PLLCFGR_PLLM_Pos;
  const uint32_t n = (pll & RCC_PLLCFGR_PLLN) >> RCC_PLLCFGR_PLLN_Pos;
  const uint32_t p = 2 * (((pll & RCC_PLLCFGR_PLLP) >> RCC_PLLCFGR_PLLP_Pos) + 1);
  return (RCC->CR & RCC_CR_PLLON) ? input / m * n / p : 0;
}

uint64_t apb1_clock() {
  const uint32_t prescaler = (RCC->CFGR & RCC_CFGR_PPRE1) >> RCC_CFGR_PPRE1_Pos;
  return system_clock() >> (prescaler & 4 ? (prescaler & 3) + 1 : 0);
}

uint64_t usart3_clock() {
  if (!(RCC->APB1ENR & RCC_APB1ENR_USART3EN) || !(RCC->AHB1ENR & RCC_AHB1ENR_GPIODEN)) return 0;
  switch ((RCC->DCKCFGR2 & RCC_DCKCFGR2_USART3SEL) >> RCC_DCKCFGR2_USART3SEL_Pos) {
    case 0:
      return apb1_clock();
    case 1:
      return system_clock();
    case 2:
      return 16000000;
    default:
      return 32768;
  }
}

}  // namespace

int main(int, char** argv) {
  map_registers(0x40000000, 0x40030000);
  // As after reset (5.3.1, 5.3.2); HSERDY where a clock comes in.
  RCC->CR = 0x83 | (strcmp(argv[1], "hse") == 0 ? RCC_CR_HSERDY : 0);
  RCC->PLLCFGR = 0x24003010;
  const char* const source = stm32::start_clocks();
  printf("external_on=%u\n", (RCC->CR & RCC_CR_HSEON) != 0);
  tell(source, stm32::kChip.usart_hz, stm32::kChip.clock_hz, usart3_clock(), system_clock());
  constexpr uint32_t kDividers =
      RCC_PLLCFGR_PLLM | RCC_PLLCFGR_PLLN | RCC_PLLCFGR_PLLP | RCC_PLLCFGR_PLLQ;
  constexpr uint32_t kFields = kDividers | RCC_PLLCFGR_PLLSRC;
  printf("reserved=%08x\nwait_states=%u\n", static_cast<unsigned>(RCC->PLLCFGR & ~kFields),
         static_cast<unsigned>(FLASH->ACR & FLASH_ACR_LATENCY));
}
