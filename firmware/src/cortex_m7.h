// The Cortex-M7's L1 caches. Sections are those of DDI 0403E (Armv7-M Architecture Reference Manual).
#pragma once

#include "cortex_m.h"

namespace cortex {

// Invalidates both caches, whose contents are unknown after reset (B2.2.7), and enables them. Nothing here is a bus
// master but the core, so there is no coherence to keep.
inline void start_caches() {
  constexpr uintptr_t kConfiguration = 0xE000ED14, kCacheSize = 0xE000ED80, kCacheSelect = 0xE000ED84;  // B3.2.8, B4.8
  constexpr uintptr_t kInvalidateInstructions = 0xE000EF50, kInvalidateDataSetWay = 0xE000EF60;         // B2.2.7
  constexpr uint32_t kDataCache = 1u << 16, kInstructionCache = 1u << 17;
  reg(kInvalidateInstructions) = 0;
  reg(kCacheSelect) = 0;  // level 1, data
  asm volatile("dsb" ::: "memory");
  const uint32_t size = reg(kCacheSize);
  const uint32_t last_set = size >> 13 & 0x7FFF;
  const uint32_t last_way = size >> 3 & 0x3FF;
  for (uint32_t set = 0; set <= last_set; ++set) {
    // 32-byte lines and four ways (DDI 0489F, 5.3): the set from bit 5, the way from bit 30.
    for (uint32_t way = 0; way <= last_way; ++way) reg(kInvalidateDataSetWay) = way << 30 | set << 5;
  }
  asm volatile("dsb\n isb" ::: "memory");
  reg(kConfiguration) = reg(kConfiguration) | kDataCache | kInstructionCache;
  asm volatile("dsb\n isb" ::: "memory");
}

}  // namespace cortex
