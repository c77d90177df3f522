// STM32L4R5, by ST's names. RM0432, by chapter and register name.
#pragma once

#include "port/stm32/registers/l4.h"

namespace stm32 {

// memory map
constexpr uintptr_t LPUART1_BASE = 0x40008000;
constexpr uintptr_t GPIOG_BASE = 0x48001800;
constexpr uint32_t LPUART1_IRQn = 70;  // NVIC, interrupt vectors

constexpr uintptr_t RCC_APB1ENR1 = RCC_BASE + 0x58;
constexpr uintptr_t RCC_APB1ENR2 = RCC_BASE + 0x5C;
constexpr uint32_t RCC_AHB2ENR_GPIOGEN = 1u << 6;
constexpr uint32_t RCC_APB1ENR1_PWREN = 1u << 28;
constexpr uint32_t RCC_APB1ENR2_LPUART1EN = 1u << 0;
// _0 alone: SYSCLK
constexpr uint32_t RCC_CCIPR_LPUART1SEL = 3u << 10;
constexpr uint32_t RCC_CCIPR_LPUART1SEL_0 = 1u << 10;

constexpr uintptr_t PWR_CR2 = PWR_BASE + 0x04;
constexpr uintptr_t PWR_CR5 = PWR_BASE + 0x80;
constexpr uint32_t PWR_CR2_IOSV = 1u << 9;
constexpr uint32_t PWR_CR5_R1MODE = 1u << 8;

constexpr uint32_t FLASH_ACR_LATENCY_5WS = 5;

}  // namespace stm32
