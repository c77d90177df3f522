#pragma once

#include <cstddef>
#include <cstdint>

namespace common {

// CRC-32 of IEEE 802.3 as zlib.crc32 computes it; `crc` is 0 or the result over the bytes before.
uint32_t crc32(uint32_t crc, const uint8_t* from, size_t n);

}  // namespace common
