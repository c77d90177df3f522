// STM32F746, by ST's names. Sections are those of RM0385.
#pragma once

#include <cstdint>

namespace stm32 {

// 2.2.2
constexpr uintptr_t IWDG_BASE = 0x40003000;
constexpr uintptr_t USART3_BASE = 0x40004800;
constexpr uintptr_t PWR_BASE = 0x40007000;
constexpr uintptr_t GPIOD_BASE = 0x40020C00;
constexpr uintptr_t RCC_BASE = 0x40023800;
constexpr uintptr_t FLASH_R_BASE = 0x40023C00;
constexpr uintptr_t UID_BASE = 0x1FF0F420;  // 41.1
constexpr uint32_t USART3_IRQn = 39;        // 10.1.2, table 43

// 5.3.1 to .3
constexpr uintptr_t RCC_CR = RCC_BASE + 0x00;
constexpr uintptr_t RCC_PLLCFGR = RCC_BASE + 0x04;
constexpr uintptr_t RCC_CFGR = RCC_BASE + 0x08;
// 5.3.10, 5.3.13
constexpr uintptr_t RCC_AHB1ENR = RCC_BASE + 0x30;
constexpr uintptr_t RCC_APB1ENR = RCC_BASE + 0x40;
constexpr uintptr_t RCC_DCKCFGR2 = RCC_BASE + 0x90;  // 5.3.26
constexpr uint32_t RCC_CR_HSION = 1u << 0;
constexpr uint32_t RCC_CR_HSIRDY = 1u << 1;
constexpr uint32_t RCC_CR_PLLON = 1u << 24;
constexpr uint32_t RCC_CR_PLLRDY = 1u << 25;
constexpr uint32_t RCC_PLLCFGR_PLLM_Pos = 0;
constexpr uint32_t RCC_PLLCFGR_PLLM = 0x3Fu << 0;
constexpr uint32_t RCC_PLLCFGR_PLLN_Pos = 6;
constexpr uint32_t RCC_PLLCFGR_PLLN = 0x1FFu << 6;
constexpr uint32_t RCC_PLLCFGR_PLLP = 3u << 16;
constexpr uint32_t RCC_PLLCFGR_PLLSRC = 1u << 22;
constexpr uint32_t RCC_PLLCFGR_PLLSRC_HSE = 1u << 22;
constexpr uint32_t RCC_PLLCFGR_PLLSRC_HSI = 0;
constexpr uint32_t RCC_PLLCFGR_PLLQ_Pos = 24;
constexpr uint32_t RCC_PLLCFGR_PLLQ = 0xFu << 24;
constexpr uint32_t RCC_CFGR_SW_PLL = 2u << 0;
constexpr uint32_t RCC_CFGR_SWS = 3u << 2;
constexpr uint32_t RCC_CFGR_SWS_PLL = 2u << 2;
constexpr uint32_t RCC_CFGR_PPRE1_DIV4 = 5u << 10;
constexpr uint32_t RCC_CFGR_PPRE2_DIV2 = 4u << 13;
constexpr uint32_t RCC_AHB1ENR_GPIODEN = 1u << 3;
constexpr uint32_t RCC_APB1ENR_USART3EN = 1u << 18;
constexpr uint32_t RCC_APB1ENR_PWREN = 1u << 28;
// _0 alone: SYSCLK
constexpr uint32_t RCC_DCKCFGR2_USART3SEL = 3u << 4;
constexpr uint32_t RCC_DCKCFGR2_USART3SEL_0 = 1u << 4;

// 4.4.1, 4.4.2
constexpr uintptr_t PWR_CR1 = PWR_BASE + 0x00;
constexpr uintptr_t PWR_CSR1 = PWR_BASE + 0x04;
constexpr uint32_t PWR_CR1_VOS = 3u << 14;
constexpr uint32_t PWR_CR1_ODEN = 1u << 16;
constexpr uint32_t PWR_CR1_ODSWEN = 1u << 17;
constexpr uint32_t PWR_CSR1_ODRDY = 1u << 16;
constexpr uint32_t PWR_CSR1_ODSWRDY = 1u << 17;

constexpr uintptr_t FLASH_ACR = FLASH_R_BASE + 0x00;  // 3.7.1
constexpr uint32_t FLASH_ACR_LATENCY_7WS = 7;
constexpr uint32_t FLASH_ACR_PRFTEN = 1u << 8;
constexpr uint32_t FLASH_ACR_ARTEN = 1u << 9;

}  // namespace stm32
