// Registers of the Cortex-M7's caches, by the names of CMSIS. Sections are those of DDI 0403E.
#pragma once

#include <cstdint>

namespace cortex {

// B3.2.8, B4.8
constexpr uintptr_t SCB_CCR = 0xE000ED14;
constexpr uintptr_t SCB_CCSIDR = 0xE000ED80;
constexpr uintptr_t SCB_CSSELR = 0xE000ED84;
constexpr uint32_t SCB_CCR_DC_Msk = 1u << 16;
constexpr uint32_t SCB_CCR_IC_Msk = 1u << 17;
constexpr uint32_t SCB_CCSIDR_NUMSETS_Pos = 13;
constexpr uint32_t SCB_CCSIDR_NUMSETS_Msk = 0x7FFFu << 13;
constexpr uint32_t SCB_CCSIDR_ASSOCIATIVITY_Pos = 3;
constexpr uint32_t SCB_CCSIDR_ASSOCIATIVITY_Msk = 0x3FFu << 3;
// B2.2.7
constexpr uintptr_t SCB_ICIALLU = 0xE000EF50;
constexpr uintptr_t SCB_DCISW = 0xE000EF60;
// of 32-byte lines in four ways (DDI 0489F, 5.3)
constexpr uint32_t SCB_DCISW_WAY_Pos = 30;
constexpr uint32_t SCB_DCISW_SET_Pos = 5;

}  // namespace cortex
