#include "common/crc32.h"

namespace common {

uint32_t crc32(uint32_t crc, const uint8_t* from, size_t n) {
  // Remainders of the 16 nibbles for the reflected polynomial 0xEDB88320: 64 bytes of flash instead
  // of 1 KiB.
  static const uint32_t kNibble[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                       0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                       0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                       0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
  crc = ~crc;
  for (size_t i = 0; i < n; ++i) {
    crc ^= from[i];
    crc = (crc >> 4) ^ kNibble[crc & 15];
    crc = (crc >> 4) ^ kNibble[crc & 15];
  }
  return ~crc;
}

}  // namespace common
