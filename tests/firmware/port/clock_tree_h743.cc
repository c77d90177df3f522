// start_clocks() of the H743 on simulated registers, and the clocks that follow from what it left
// there: by ST's header and RM0433, chapter RCC, not by the firmware's own constants. Usage:
// clock_tree_h743 hse|none REVISION (DBGMCU_IDC.REV_ID)
#include <cstring>

#include "port/stm32/common/stm32.h"
#include "simulated_registers.h"
#include "stm32h743xx.h"

namespace cortex {
void start_caches() {}
}  // namespace cortex

namespace {

// 1 where the top bit of a 3-bit prescaler is clear, else 2 to 16.
uint32_t divider(uint32_t prescaler) { return prescaler & 4 ? 2u << (prescaler & 3) : 1; }

uint64_t pll_clock() {
  const uint32_t source = RCC->PLLCKSELR & RCC_PLLCKSELR_PLLSRC;
  if (source == RCC_PLLCKSELR_PLLSRC_HSE && !(RCC->CR & RCC_CR_HSEON)) return 0;
  if (!(RCC->CR & RCC_CR_PLL1ON) || !(RCC->PLLCFGR & RCC_PLLCFGR_DIVP1EN)) return 0;
  const uint64_t input = source == RCC_PLLCKSELR_PLLSRC_HSE   ? 8000000
                         : source == RCC_PLLCKSELR_PLLSRC_HSI ? 64000000
                                                              : 0;
  const uint32_t m = (RCC->PLLCKSELR & RCC_PLLCKSELR_DIVM1) >> RCC_PLLCKSELR_DIVM1_Pos;
  const uint32_t n = ((RCC->PLL1DIVR & RCC_PLL1DIVR_N1) >> RCC_PLL1DIVR_N1_Pos) + 1;
  const uint32_t p = ((RCC->PLL1DIVR & RCC_PLL1DIVR_P1) >> RCC_PLL1DIVR_P1_Pos) + 1;
  return input / m * n / p;
}

uint64_t core_clock() {
  if ((RCC->CFGR & RCC_CFGR_SW) != RCC_CFGR_SW_PLL1) return 64000000;
  return (RCC->D1CFGR & RCC_D1CFGR_D1CPRE) == RCC_D1CFGR_D1CPRE_DIV1 ? pll_clock() : 0;
}

uint64_t usart3_clock() {
  if (!(RCC->APB1LENR & RCC_APB1LENR_USART3EN) || !(RCC->AHB4ENR & RCC_AHB4ENR_GPIODEN)) return 0;
  if ((RCC->D2CCIP2R & RCC_D2CCIP2R_USART28SEL) != 0) return 0;
  const bool half = (RCC->D1CFGR & RCC_D1CFGR_HPRE) == RCC_D1CFGR_HPRE_DIV2;
  const uint64_t ahb = core_clock() / (half ? 2 : 1);
  return ahb / divider((RCC->D2CFGR & RCC_D2CFGR_D2PPRE1) >> RCC_D2CFGR_D2PPRE1_Pos);
}

}  // namespace

int main(int, char** argv) {
  map_registers(0x51008000, 0x51009000);
  map_registers(0x52000000, 0x52003000);
  map_registers(0x58020000, 0x58028000);
  map_registers(0x5C001000, 0x5C002000);
  // As after reset; HSERDY where a clock comes in.
  RCC->CR = 0x25 | (strcmp(argv[1], "hse") == 0 ? RCC_CR_HSERDY : 0);
  RCC->PLLCKSELR = 0x02020200;
  RCC->PLLCFGR = 0x01FF0000;
  const uint32_t revision = static_cast<uint32_t>(strtoul(argv[2], nullptr, 16));
  DBGMCU->IDCODE = revision << DBGMCU_IDCODE_REV_ID_Pos | 0x450;
  const char* const source = stm32::start_clocks();
  printf("external_on=%u\n", (RCC->CR & RCC_CR_HSEON) != 0);
  tell(source, stm32::kChip.usart_hz, stm32::kChip.clock_hz, usart3_clock(), core_clock());
  printf("input_range=%u\nread_issue_override=%u\n",
         static_cast<unsigned>((RCC->PLLCFGR & RCC_PLLCFGR_PLL1RGE) >> RCC_PLLCFGR_PLL1RGE_Pos),
         *reinterpret_cast<volatile uint32_t*>(0x51008108));
}
