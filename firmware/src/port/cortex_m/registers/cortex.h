// Registers of every Armv7-M core, by the names that Arm's CMSIS headers give them. Sections are
// those of DDI 0403E, the Armv7-M Architecture Reference Manual. All that stands in this folder is
// compared with the vendors' own headers (tests/firmware/port/test_registers.py).
#pragma once

#include <cstdint>

namespace cortex {

// B3.3.2
constexpr uintptr_t SysTick_CTRL = 0xE000E010;
constexpr uintptr_t SysTick_LOAD = 0xE000E014;
constexpr uintptr_t SysTick_VAL = 0xE000E018;
constexpr uint32_t SysTick_CTRL_ENABLE_Msk = 1u << 0;
constexpr uint32_t SysTick_CTRL_TICKINT_Msk = 1u << 1;
constexpr uint32_t SysTick_CTRL_CLKSOURCE_Msk = 1u << 2;
constexpr uint32_t SysTick_LOAD_RELOAD_Msk = 0xFFFFFF;
constexpr uintptr_t NVIC_ISER = 0xE000E100;  // B3.4.3
// B3.2.3, B3.2.6
constexpr uintptr_t SCB_CPUID = 0xE000ED00;
constexpr uintptr_t SCB_AIRCR = 0xE000ED0C;
constexpr uint32_t SCB_AIRCR_VECTKEY_Pos = 16;
constexpr uint32_t SCB_AIRCR_SYSRESETREQ_Msk = 1u << 2;
// B3.2.6: any other value leaves the register as it is
constexpr uint32_t SCB_AIRCR_VECTKEY = 0x05FA;
constexpr uintptr_t CoreDebug_DEMCR = 0xE000EDFC;  // C1.6.5
constexpr uint32_t CoreDebug_DEMCR_TRCENA_Msk = 1u << 24;
// C1.8, D1.1
constexpr uintptr_t DWT_CTRL = 0xE0001000;
constexpr uintptr_t DWT_CYCCNT = 0xE0001004;
constexpr uintptr_t DWT_LAR = 0xE0001FB0;
constexpr uint32_t DWT_CTRL_CYCCNTENA_Msk = 1u << 0;
constexpr uint32_t DWT_LAR_KEY = 0xC5ACCE55;  // D1.1

}  // namespace cortex
