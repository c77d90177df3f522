// Nucleo-H743ZI: STM32H743ZI, Cortex-M7 at 400 MHz, what every revision of the chip runs at.
// RM0433, by chapter (FLASH, PWR, RCC) and register name; UM2407 is the board.
#include "port/stm32/registers/h743.h"

#include "port/cortex_m/m7/m7.h"
#include "port/stm32/common/stm32.h"

namespace stm32 {
namespace {

// Up to revision Y, data read from the AXI SRAM may be corrupted where several reads are under way;
// ST's workaround lets it have one at a time (ES0392 2.2.9). That RAM is the pool, so this comes
// before anything else. Later revisions are mended and keep their speed.
void mend_axi_sram() {
  if (reg(DBGMCU_IDCODE) >> DBGMCU_IDCODE_REV_ID_Pos >= DBGMCU_IDCODE_REV_ID_X) return;
  put(AXI_TARG7_FN_MOD, AXI_TARG7_FN_MOD_READ_ISS_OVERRIDE);
}

}  // namespace

const Chip kChip = {
    400000000,
    USART3_BASE,  // the ST-LINK's virtual COM port (UM2407)
    USART3_IRQn,
    100000000,  // APB1, the kernel clock after reset (RCC_D2CCIP2R.USART28SEL)
    1,
    // PD8 USART3_TX, PD9 USART3_RX: AF7 (datasheet DS12110, alternate functions)
    {GPIOD_BASE, 8, 7},
    {GPIOD_BASE, 9, 7},
    UID_BASE,
    IWDG1_BASE,
};

const char* start_clocks() {
  mend_axi_sram();

  // Supplied by the LDO; must be said once before the voltage can be raised (PWR_CR3). Then scale 1
  // (PWR_D3CR).
  modify(PWR_CR3, PWR_CR3_BYPASS | PWR_CR3_LDOEN | PWR_CR3_SCUEN, PWR_CR3_LDOEN);
  wait_for([] { return reg(PWR_CSR1) & PWR_CSR1_ACTVOSRDY; });
  enable(PWR_D3CR, PWR_D3CR_VOS);
  wait_for([] { return reg(PWR_D3CR) & PWR_D3CR_VOSRDY; });

  // 8 MHz from the ST-LINK's MCO, no crystal: bypass (UM2407; RCC, HSE oscillator). A probe without
  // power or with other firmware gives none: the internal 64 MHz then, within 1 % at room
  // temperature, which a UART bears.
  const bool external = start_external_clock(RCC_CR);
  if (!external) {
    enable(RCC_CR, RCC_CR_HSION);
    wait_for([] { return reg(RCC_CR) & RCC_CR_HSIRDY; });
  }

  // 2 MHz into PLL1, * 400 = 800 MHz, / 2 = 400 MHz: wide VCO, input range 2 to 4 MHz, output P
  // enabled (RCC_PLLCKSELR, PLLCFGR, PLL1DIVR).
  modify(RCC_PLLCKSELR, RCC_PLLCKSELR_PLLSRC | RCC_PLLCKSELR_DIVM1,
         external ? RCC_PLLCKSELR_PLLSRC_HSE | 4u << RCC_PLLCKSELR_DIVM1_Pos
                  : RCC_PLLCKSELR_PLLSRC_HSI | 32u << RCC_PLLCKSELR_DIVM1_Pos);
  constexpr uint32_t kLoop = RCC_PLLCFGR_PLL1FRACEN | RCC_PLLCFGR_PLL1VCOSEL | RCC_PLLCFGR_PLL1RGE;
  modify(RCC_PLLCFGR, kLoop | RCC_PLLCFGR_DIVP1EN | RCC_PLLCFGR_DIVQ1EN | RCC_PLLCFGR_DIVR1EN,
         RCC_PLLCFGR_PLL1RGE_1 | RCC_PLLCFGR_DIVP1EN);
  reg(RCC_PLL1DIVR) = (400u - 1) << RCC_PLL1DIVR_N1_Pos | (2u - 1) << RCC_PLL1DIVR_P1_Pos |
                      (2u - 1) << RCC_PLL1DIVR_Q1_Pos | (2u - 1) << RCC_PLL1DIVR_R1_Pos;
  enable(RCC_CR, RCC_CR_PLL1ON);
  wait_for([] { return reg(RCC_CR) & RCC_CR_PLL1RDY; });

  // Two wait states and the programming delay for an AXI clock of 200 MHz at scale 1 (FLASH, read
  // latency), read back first.
  put(FLASH_ACR, FLASH_ACR_LATENCY_2WS | FLASH_ACR_WRHIGHFREQ_1);

  // CPU 400 MHz, AXI and AHB 200 MHz, every APB 100 MHz: the most each may have (RCC_D1CFGR,
  // D2CFGR, D3CFGR).
  reg(RCC_D1CFGR) = RCC_D1CFGR_HPRE_DIV2 | RCC_D1CFGR_D1PPRE_DIV2 | RCC_D1CFGR_D1CPRE_DIV1;
  reg(RCC_D2CFGR) = RCC_D2CFGR_D2PPRE1_DIV2 | RCC_D2CFGR_D2PPRE2_DIV2;
  reg(RCC_D3CFGR) = RCC_D3CFGR_D3PPRE_DIV2;
  modify(RCC_CFGR, RCC_CFGR_SW, RCC_CFGR_SW_PLL1);
  wait_for([] { return (reg(RCC_CFGR) & RCC_CFGR_SWS) == RCC_CFGR_SWS_PLL1; });
  cortex::start_caches();

  enable(RCC_AHB4ENR, RCC_AHB4ENR_GPIODEN);
  enable(RCC_APB1LENR, RCC_APB1LENR_USART3EN);
  return external ? "HSE" : "HSI, no clock from the ST-LINK";
}

}  // namespace stm32
