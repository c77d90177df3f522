// The clock tree that STM32L4 and L4+ share. Sections are those of RM0351; RM0432 has the same registers.
#pragma once

#include "port_stm32.h"

namespace stm32::l4 {

constexpr uintptr_t kPwr = 0x40007000, kRcc = 0x40021000, kFlash = 0x40022000, kGpio = 0x48000000;  // 2.2.2
constexpr uintptr_t kAhb2Enable = kRcc + 0x4C, kApb1Enable1 = kRcc + 0x58, kApb1Enable2 = kRcc + 0x5C,
                    kApb2Enable = kRcc + 0x60, kKernelClocks = kRcc + 0x88;  // 6.4: CCIPR is the last one

// 4 MHz times `multiplier` from the internal 16 MHz oscillator, no crystal needed; its 1 % is well within what a UART
// bears. `wait_states` of the flash are for the voltage range 1, the reset value.
void run_at(uint32_t multiplier, uint32_t wait_states);

}  // namespace stm32::l4
