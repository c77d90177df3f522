// What every Armv7-M core has: interrupts, sleep, reset, cycle counter. Sections are those of DDI
// 0403E, the Armv7-M Architecture Reference Manual.
#pragma once

#include <cstdint>

#include "port/cortex_m/registers/cortex.h"

namespace cortex {

inline volatile uint32_t& reg(uintptr_t address) {
  return *reinterpret_cast<volatile uint32_t*>(address);
}

inline void enable_interrupt(uint32_t number) {
  reg(NVIC_ISER + number / 32 * 4) = 1u << number % 32;
}

// Sleeps until an interrupt unless `ready`: with interrupts disabled a pending one still ends WFI
// (B1.5.19), so none can slip in between the question and the sleep.
template <typename Condition>
void sleep_unless(Condition ready) {
  asm volatile("cpsid i" ::: "memory");
  if (!ready()) asm volatile("dsb\n wfi" ::: "memory");
  asm volatile("cpsie i" ::: "memory");
}

// No interrupt comes in between what is done in the life of one.
struct Uninterrupted {
  Uninterrupted() { asm volatile("cpsid i" ::: "memory"); }
  ~Uninterrupted() { asm volatile("cpsie i" ::: "memory"); }
  Uninterrupted(const Uninterrupted&) = delete;
  Uninterrupted& operator=(const Uninterrupted&) = delete;
};

[[noreturn]] inline void restart() {
  asm volatile("dsb" ::: "memory");
  reg(SCB_AIRCR) = SCB_AIRCR_VECTKEY << SCB_AIRCR_VECTKEY_Pos | SCB_AIRCR_SYSRESETREQ_Msk;
  for (;;) {
  }
}

inline void start_cycle_counter() {
  reg(CoreDebug_DEMCR) = reg(CoreDebug_DEMCR) | CoreDebug_DEMCR_TRCENA_Msk;
  reg(DWT_LAR) = DWT_LAR_KEY;  // the Cortex-M7 locks its DWT
  reg(DWT_CYCCNT) = 0;
  reg(DWT_CTRL) = reg(DWT_CTRL) | DWT_CTRL_CYCCNTENA_Msk;
}

// Reads a word, or says that nothing answers at that address: not every emulator models every part
// of a chip. (startup.cc, where the fault that tells is handled.)
extern "C" bool read_if_there(uintptr_t address, uint32_t* value);

// Counts down from 2^24 - 1 at the core's clock, raising its interrupt at each wrap.
inline void start_systick() {
  reg(SysTick_LOAD) = SysTick_LOAD_RELOAD_Msk;
  reg(SysTick_VAL) = 0;
  reg(SysTick_CTRL) =
      SysTick_CTRL_ENABLE_Msk | SysTick_CTRL_TICKINT_Msk | SysTick_CTRL_CLKSOURCE_Msk;
}

// Its next wrap is a whole period away: any write to the value starts it over (B3.3.5).
inline void restart_systick() { reg(SysTick_VAL) = 0; }

}  // namespace cortex
