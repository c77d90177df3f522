// STM32H743, by ST's names. RM0433, by chapter and register name.
#pragma once

#include <cstdint>

namespace stm32 {

// memory map
constexpr uintptr_t USART3_BASE = 0x40004800;
constexpr uintptr_t FLASH_R_BASE = 0x52002000;
constexpr uintptr_t GPIOD_BASE = 0x58020C00;
constexpr uintptr_t RCC_BASE = 0x58024400;
constexpr uintptr_t PWR_BASE = 0x58024800;
constexpr uintptr_t IWDG1_BASE = 0x58004800;
constexpr uintptr_t DBGMCU_BASE = 0x5C001000;
constexpr uintptr_t UID_BASE = 0x1FF1E800;  // device electronic signature
constexpr uint32_t USART3_IRQn = 39;        // NVIC, interrupt vectors

constexpr uintptr_t RCC_CR = RCC_BASE + 0x00;
constexpr uintptr_t RCC_CFGR = RCC_BASE + 0x10;
constexpr uintptr_t RCC_D1CFGR = RCC_BASE + 0x18;
constexpr uintptr_t RCC_D2CFGR = RCC_BASE + 0x1C;
constexpr uintptr_t RCC_D3CFGR = RCC_BASE + 0x20;
constexpr uintptr_t RCC_PLLCKSELR = RCC_BASE + 0x28;
constexpr uintptr_t RCC_PLLCFGR = RCC_BASE + 0x2C;
constexpr uintptr_t RCC_PLL1DIVR = RCC_BASE + 0x30;
constexpr uintptr_t RCC_AHB4ENR = RCC_BASE + 0xE0;
constexpr uintptr_t RCC_APB1LENR = RCC_BASE + 0xE8;
constexpr uint32_t RCC_CR_HSION = 1u << 0;
constexpr uint32_t RCC_CR_HSIRDY = 1u << 2;
constexpr uint32_t RCC_CR_PLL1ON = 1u << 24;
constexpr uint32_t RCC_CR_PLL1RDY = 1u << 25;
constexpr uint32_t RCC_CFGR_SW = 7u << 0;
constexpr uint32_t RCC_CFGR_SW_PLL1 = 3u << 0;
constexpr uint32_t RCC_CFGR_SWS = 7u << 3;
constexpr uint32_t RCC_CFGR_SWS_PLL1 = 3u << 3;
constexpr uint32_t RCC_D1CFGR_HPRE_DIV2 = 8u << 0;
constexpr uint32_t RCC_D1CFGR_D1PPRE_DIV2 = 4u << 4;
constexpr uint32_t RCC_D1CFGR_D1CPRE_DIV1 = 0;
constexpr uint32_t RCC_D2CFGR_D2PPRE1_DIV2 = 4u << 4;
constexpr uint32_t RCC_D2CFGR_D2PPRE2_DIV2 = 4u << 8;
constexpr uint32_t RCC_D3CFGR_D3PPRE_DIV2 = 4u << 4;
constexpr uint32_t RCC_PLLCKSELR_PLLSRC = 3u << 0;
constexpr uint32_t RCC_PLLCKSELR_PLLSRC_HSI = 0;
constexpr uint32_t RCC_PLLCKSELR_PLLSRC_HSE = 2u << 0;
constexpr uint32_t RCC_PLLCKSELR_DIVM1_Pos = 4;
constexpr uint32_t RCC_PLLCKSELR_DIVM1 = 0x3Fu << 4;
// RGE_1: an input of 2 to 4 MHz
constexpr uint32_t RCC_PLLCFGR_PLL1FRACEN = 1u << 0;
constexpr uint32_t RCC_PLLCFGR_PLL1VCOSEL = 1u << 1;
constexpr uint32_t RCC_PLLCFGR_PLL1RGE = 3u << 2;
constexpr uint32_t RCC_PLLCFGR_PLL1RGE_1 = 1u << 2;
constexpr uint32_t RCC_PLLCFGR_DIVP1EN = 1u << 16;
constexpr uint32_t RCC_PLLCFGR_DIVQ1EN = 1u << 17;
constexpr uint32_t RCC_PLLCFGR_DIVR1EN = 1u << 18;
constexpr uint32_t RCC_PLL1DIVR_N1_Pos = 0;
constexpr uint32_t RCC_PLL1DIVR_P1_Pos = 9;
constexpr uint32_t RCC_PLL1DIVR_Q1_Pos = 16;
constexpr uint32_t RCC_PLL1DIVR_R1_Pos = 24;
constexpr uint32_t RCC_AHB4ENR_GPIODEN = 1u << 3;
constexpr uint32_t RCC_APB1LENR_USART3EN = 1u << 18;

constexpr uintptr_t PWR_CSR1 = PWR_BASE + 0x04;
constexpr uintptr_t PWR_CR3 = PWR_BASE + 0x0C;
constexpr uintptr_t PWR_D3CR = PWR_BASE + 0x18;
constexpr uint32_t PWR_CSR1_ACTVOSRDY = 1u << 13;
constexpr uint32_t PWR_CR3_BYPASS = 1u << 0;
constexpr uint32_t PWR_CR3_LDOEN = 1u << 1;
constexpr uint32_t PWR_CR3_SCUEN = 1u << 2;
constexpr uint32_t PWR_D3CR_VOSRDY = 1u << 13;
constexpr uint32_t PWR_D3CR_VOS = 3u << 14;

constexpr uintptr_t FLASH_ACR = FLASH_R_BASE + 0x00;
constexpr uint32_t FLASH_ACR_LATENCY_2WS = 2u << 0;
constexpr uint32_t FLASH_ACR_WRHIGHFREQ_1 = 2u << 4;

constexpr uintptr_t DBGMCU_IDCODE = DBGMCU_BASE + 0x00;  // DBGMCU_IDC in RM0433
constexpr uint32_t DBGMCU_IDCODE_REV_ID_Pos = 16;
constexpr uint32_t DBGMCU_IDCODE_REV_ID_X = 0x2001;  // Z and Y are below, V is above
constexpr uintptr_t AXI_TARG7_FN_MOD = 0x51008108;   // AXI interconnect, target 7: the AXI SRAM
constexpr uint32_t AXI_TARG7_FN_MOD_READ_ISS_OVERRIDE = 1u << 0;

}  // namespace stm32
