// What the port needs to know of an STM32 whose USART has ISR, RDR and TDR (F7, H7, L4). Each chip
// has a folder beside this one that defines kChip and start_clocks().
#pragma once

#include "port/cortex_m/common/cortex_m.h"
#include "port/stm32/registers/stm32.h"

namespace stm32 {

using cortex::reg;

// A pin of a GPIO port and its alternate function.
struct Pin {
  uintptr_t gpio;
  uint32_t number;
  uint32_t function;
};

struct Chip {
  uint32_t clock_hz;
  uintptr_t usart;     // the one behind the debug probe's virtual COM port
  uint32_t interrupt;  // its number
  uint32_t usart_hz;   // its kernel clock
  uint32_t brr_unit;   // BRR = brr_unit * usart_hz / baud: 1, or 256 for an LPUART
  Pin tx, rx;
  uintptr_t uid;       // 96 bits
  uintptr_t watchdog;  // IWDG
};

extern const Chip kChip;

// From reset to kChip.clock_hz, with the clocks of the USART and of its pins enabled. The
// oscillator that the clock is made from, for a person to read.
const char* start_clocks();

// Until the hardware says so, or for 100,000 questions, milliseconds: silicon answers within
// microseconds, emulators leave some flags unmodelled and would wait for ever. False where it never
// said so.
template <typename Condition>
bool wait_for(Condition condition, uint32_t questions = 100000) {
  for (uint32_t i = 0; i < questions; ++i) {
    if (condition()) return true;
  }
  return false;
}

// Writes and reads back, which lasts until the write has arrived: what a clock was enabled for may
// be used after that.
inline void put(uintptr_t address, uint32_t value) {
  reg(address) = value;
  [[maybe_unused]] const uint32_t arrived = reg(address);
}

inline void modify(uintptr_t address, uint32_t mask, uint32_t bits) {
  put(address, (reg(address) & ~mask) | bits);
}

inline void enable(uintptr_t address, uint32_t bits) { modify(address, 0, bits); }

// Whether an external clock comes in where a crystal might be, which RCC_CR at `control` then runs
// from. It is given half a second: the debug probe may be started together with the chip. Without
// one the oscillator is left off.
bool start_external_clock(uintptr_t control);

// Pins, rate and receive interrupt of kChip.usart.
void start_usart();

// From here on port::alive() has to be said.
void start_watchdog();

constexpr uint32_t kRingBytes = 8192;
constexpr uint32_t kMaxBaud = 2000000;  // what an ST-LINK/V2-1 carries

}  // namespace stm32
