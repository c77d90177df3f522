// What the ports of the emulated MPS2 boards share: timer, identity. Arm DAI 0500 and DDI 0479
// (CMSDK).
#pragma once

#include <cstddef>
#include <cstdint>

#include "port/port.h"

namespace mps2 {

// Starts the timer and fills in the identity.
void init(uint32_t rx_ring);

inline volatile uint32_t& reg(uintptr_t address) {
  return *reinterpret_cast<volatile uint32_t*>(address);
}

// Arm semihosting (Arm IHI 0100, "Semihosting for AArch32 and AArch64"): operation in r0, argument
// in r1.
inline int32_t semihost(uint32_t operation, const void* argument) {
  register uint32_t r0 asm("r0") = operation;
  register const void* r1 asm("r1") = argument;
  asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
  return static_cast<int32_t>(r0);
}

}  // namespace mps2
