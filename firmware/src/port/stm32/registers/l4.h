// What STM32L4 and L4+ share, by ST's names. Sections are those of RM0351; RM0432 has the same
// registers.
#pragma once

#include <cstdint>

namespace stm32 {

constexpr uintptr_t IWDG_BASE = 0x40003000;
constexpr uintptr_t PWR_BASE = 0x40007000;
constexpr uintptr_t RCC_BASE = 0x40021000;
constexpr uintptr_t FLASH_R_BASE = 0x40022000;
constexpr uintptr_t UID_BASE = 0x1FFF7590;  // device electronic signature

// 6.4.1, .3, .4
constexpr uintptr_t RCC_CR = RCC_BASE + 0x00;
constexpr uintptr_t RCC_CFGR = RCC_BASE + 0x08;
constexpr uintptr_t RCC_PLLCFGR = RCC_BASE + 0x0C;
// 6.4.17, 6.4.28
constexpr uintptr_t RCC_AHB2ENR = RCC_BASE + 0x4C;
constexpr uintptr_t RCC_CCIPR = RCC_BASE + 0x88;
constexpr uint32_t RCC_CR_HSION = 1u << 8;
constexpr uint32_t RCC_CR_HSIRDY = 1u << 10;
constexpr uint32_t RCC_CR_PLLON = 1u << 24;
constexpr uint32_t RCC_CR_PLLRDY = 1u << 25;
constexpr uint32_t RCC_CFGR_HPRE_DIV2 = 8u << 4;
constexpr uint32_t RCC_CFGR_SW_PLL = 3u << 0;
constexpr uint32_t RCC_CFGR_SWS = 3u << 2;
constexpr uint32_t RCC_CFGR_SWS_PLL = 3u << 2;
constexpr uint32_t RCC_PLLCFGR_PLLSRC_HSI = 2u << 0;
constexpr uint32_t RCC_PLLCFGR_PLLM_Pos = 4;
constexpr uint32_t RCC_PLLCFGR_PLLN_Pos = 8;
constexpr uint32_t RCC_PLLCFGR_PLLREN = 1u << 24;
constexpr uint32_t RCC_PLLCFGR_PLLR_Pos = 25;

constexpr uintptr_t FLASH_ACR = FLASH_R_BASE + 0x00;  // 3.7.1
constexpr uint32_t FLASH_ACR_LATENCY_4WS = 4;
constexpr uint32_t FLASH_ACR_PRFTEN = 1u << 8;
constexpr uint32_t FLASH_ACR_ICEN = 1u << 9;
constexpr uint32_t FLASH_ACR_DCEN = 1u << 10;

}  // namespace stm32
