// What every Armv7-M core has: interrupts, sleep, reset, cycle counter. Sections are those of DDI 0403E, the Armv7-M
// Architecture Reference Manual.
#pragma once

#include <cstdint>

namespace cortex {

inline volatile uint32_t& reg(uintptr_t address) { return *reinterpret_cast<volatile uint32_t*>(address); }

constexpr uintptr_t kSystickControl = 0xE000E010, kSystickReload = 0xE000E014, kSystickValue = 0xE000E018;  // B3.3.2
constexpr uint32_t kSystickMask = 0xFFFFFF;
constexpr uintptr_t kNvicEnable = 0xE000E100;  // NVIC_ISER0, B3.4.3
constexpr uintptr_t kCpuid = 0xE000ED00;       // B3.2.3
constexpr uintptr_t kReset = 0xE000ED0C;       // AIRCR, B3.2.6
constexpr uintptr_t kDebugMonitor = 0xE000EDFC, kDwtControl = 0xE0001000, kDwtCycles = 0xE0001004;  // C1.6.5, C1.8
constexpr uintptr_t kDwtLock = 0xE0001FB0;                                                          // D1.1

inline void enable_interrupt(uint32_t number) { reg(kNvicEnable + number / 32 * 4) = 1u << number % 32; }

// Sleeps until an interrupt unless `ready`: with interrupts disabled a pending one still ends WFI (B1.5.19), so none
// can slip in between the question and the sleep.
template <typename Condition>
void sleep_unless(Condition ready) {
  asm volatile("cpsid i" ::: "memory");
  if (!ready()) asm volatile("dsb\n wfi" ::: "memory");
  asm volatile("cpsie i" ::: "memory");
}

[[noreturn]] inline void restart() {
  asm volatile("dsb" ::: "memory");
  reg(kReset) = 0x05FA0004;  // VECTKEY, SYSRESETREQ
  for (;;) {
  }
}

inline void start_cycle_counter() {
  reg(kDebugMonitor) = reg(kDebugMonitor) | 1u << 24;  // TRCENA
  reg(kDwtLock) = 0xC5ACCE55;                          // the Cortex-M7 locks its DWT
  reg(kDwtCycles) = 0;
  reg(kDwtControl) = reg(kDwtControl) | 1;  // CYCCNTENA
}

// Reads a word, or says that nothing answers at that address: not every emulator models every part of a chip.
// (startup.cc, where the fault that tells is handled.)
extern "C" bool read_if_there(uintptr_t address, uint32_t* value);

// Counts down from 2^24 - 1 at the core's clock, raising its interrupt at each wrap.
inline void start_systick() {
  reg(kSystickReload) = kSystickMask;
  reg(kSystickValue) = 0;
  reg(kSystickControl) = 7;  // ENABLE, TICKINT, CLKSOURCE
}

inline void stop_systick() { reg(kSystickControl) = 0; }

}  // namespace cortex
