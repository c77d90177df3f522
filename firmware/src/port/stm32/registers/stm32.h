// What every STM32 of this firmware has: offsets of the USART, GPIO and IWDG registers and their
// bits, by ST's names, the same in RM0351 (L4), RM0432 (L4+), RM0385 (F7) and RM0433 (H7). The
// chips' own registers are in the other headers here.
#pragma once

#include <cstdint>

namespace stm32 {

// Chapters USART and LPUART.
constexpr uintptr_t USART_CR1 = 0x00;
constexpr uintptr_t USART_BRR = 0x0C;
constexpr uintptr_t USART_ISR = 0x1C;
constexpr uintptr_t USART_ICR = 0x20;
constexpr uintptr_t USART_RDR = 0x24;
constexpr uintptr_t USART_TDR = 0x28;
constexpr uint32_t USART_CR1_UE = 1u << 0;
constexpr uint32_t USART_CR1_RE = 1u << 2;
constexpr uint32_t USART_CR1_TE = 1u << 3;
constexpr uint32_t USART_CR1_RXNEIE = 1u << 5;
constexpr uint32_t USART_ISR_FE = 1u << 1;
constexpr uint32_t USART_ISR_RXNE = 1u << 5;
constexpr uint32_t USART_ISR_TC = 1u << 6;
constexpr uint32_t USART_ISR_TXE = 1u << 7;
constexpr uint32_t USART_ICR_PECF = 1u << 0;
constexpr uint32_t USART_ICR_FECF = 1u << 1;
constexpr uint32_t USART_ICR_NECF = 1u << 2;
constexpr uint32_t USART_ICR_ORECF = 1u << 3;

// Chapter GPIO. AFR are two registers, of eight pins each.
constexpr uintptr_t GPIO_MODER = 0x00;
constexpr uintptr_t GPIO_OSPEEDR = 0x08;
constexpr uintptr_t GPIO_PUPDR = 0x0C;
constexpr uintptr_t GPIO_AFR = 0x20;

// Chapter IWDG.
constexpr uintptr_t IWDG_KR = 0x00;
constexpr uintptr_t IWDG_PR = 0x04;
constexpr uintptr_t IWDG_RLR = 0x08;
constexpr uintptr_t IWDG_SR = 0x0C;
constexpr uint32_t IWDG_KR_START = 0xCCCC;
constexpr uint32_t IWDG_KR_UNLOCK = 0x5555;
constexpr uint32_t IWDG_KR_REFRESH = 0xAAAA;
constexpr uint32_t IWDG_PR_DIV256 = 6;
constexpr uint32_t IWDG_RLR_RL = 0xFFF;
constexpr uint32_t IWDG_SR_PVU = 1u << 0;
constexpr uint32_t IWDG_SR_RVU = 1u << 1;
constexpr uint32_t IWDG_SR_WVU = 1u << 2;

// RCC_CR, the oscillator that an external clock stands in for.
constexpr uint32_t RCC_CR_HSEON = 1u << 16;
constexpr uint32_t RCC_CR_HSERDY = 1u << 17;
constexpr uint32_t RCC_CR_HSEBYP = 1u << 18;

}  // namespace stm32
