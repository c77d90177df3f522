// STM32L475, by ST's names. Sections are those of RM0351.
#pragma once

#include "port/stm32/registers/l4.h"

namespace stm32 {

// 2.2.2
constexpr uintptr_t USART1_BASE = 0x40013800;
constexpr uintptr_t GPIOB_BASE = 0x48000400;
constexpr uint32_t USART1_IRQn = 37;  // NVIC, interrupt vectors

constexpr uintptr_t RCC_APB2ENR = RCC_BASE + 0x60;  // 6.4.21
constexpr uint32_t RCC_APB2ENR_USART1EN = 1u << 14;
constexpr uint32_t RCC_AHB2ENR_GPIOBEN = 1u << 1;
// _0 alone: SYSCLK
constexpr uint32_t RCC_CCIPR_USART1SEL = 3u << 0;
constexpr uint32_t RCC_CCIPR_USART1SEL_0 = 1u << 0;

}  // namespace stm32
