// The external clock of the chips that run from one (F7, H7).
#include "port/stm32/common/stm32.h"

namespace stm32 {

bool start_external_clock(uintptr_t control) {
  constexpr uint32_t kHalfASecond = 1000000;  // questions, at the clock after reset
  enable(control, RCC_CR_HSEBYP);             // may only be said while the oscillator is off
  enable(control, RCC_CR_HSEON);
  if (wait_for([control] { return reg(control) & RCC_CR_HSERDY; }, kHalfASecond)) return true;
  modify(control, RCC_CR_HSEON, 0);
  return false;
}

}  // namespace stm32
