// The clock tree that STM32L4 and L4+ share. Sections are those of RM0351; RM0432 has the same
// registers.
#pragma once

#include "port/stm32/common/stm32.h"

namespace stm32::l4 {

// 4 MHz times `multiplier` from the internal 16 MHz oscillator, no crystal needed; its 1 % is well
// within what a UART bears. `wait_states` of the flash are for the voltage range 1, the reset
// value.
void run_at(uint32_t multiplier, uint32_t wait_states);

constexpr char kSource[] = "HSI16";

}  // namespace stm32::l4
