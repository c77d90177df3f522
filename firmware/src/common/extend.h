// A 32-bit counter that wraps, as a count of 64 bits.
#pragma once

#include <cstdint>

// The count whose low 32 bits a counter shows as `now`, given any count `last` that is less than
// 2^31 away from it, before or after: whoever looks at the counter that often loses none of its
// wraps.
constexpr uint64_t extend(uint64_t last, uint32_t now) {
  const uint32_t ahead = now - static_cast<uint32_t>(last);
  return last + static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(ahead)));
}
