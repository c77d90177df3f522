// STM32 boards: identity, time, memory. The line is in usart.cc, the chip in
// the folder of its name.
#include "port/stm32/common/stm32.h"

#include <cstring>

#include "common/extend.h"
#include "port/port.h"

namespace {

using cortex::reg;

port::Identity g_identity;
bool g_counts_cycles;
uint64_t g_cycles;  // as of the last look at the cycle counter
volatile uint32_t g_wraps;

void look() { g_cycles = extend(g_cycles, reg(cortex::DWT_CYCCNT)); }

uint64_t cycles() {
  const cortex::Uninterrupted alone;
  look();
  cortex::restart_systick();
  return g_cycles;
}

uint64_t systick() {
  uint32_t wraps;
  uint32_t left;
  do {
    wraps = g_wraps;
    left = reg(cortex::SysTick_VAL);
  } while (wraps != g_wraps);
  constexpr uint64_t kPeriod = uint64_t{cortex::SysTick_LOAD_RELOAD_Msk} + 1;
  return wraps * kPeriod + (cortex::SysTick_LOAD_RELOAD_Msk - left);
}

// An emulator may leave the cycle counter at 0: the ticks are SysTick's there, and INFO says so.
// Another may advance it only now and then, so it is asked more than once.
wire::TickUnit start_ticks() {
  cortex::start_cycle_counter();
  const uint32_t before = reg(cortex::DWT_CYCCNT);
  g_counts_cycles = stm32::wait_for([before] { return reg(cortex::DWT_CYCCNT) != before; });
  cortex::start_systick();
  return g_counts_cycles ? wire::TickUnit::kCpuCycles : wire::TickUnit::kSystick;
}

}  // namespace

// The cycle counter wraps after 10.7 s at 400 MHz, in the middle of a long operator, where nobody
// asks for ticks. SysTick looks at it every 2^24 cycles, which takes about fifty of them; it starts
// over whenever ticks are asked for, so that nothing shorter than that is interrupted. It also
// wakes who sleeps.
extern "C" void systick_handler() {
  if (g_counts_cycles) {
    look();
  } else {
    g_wraps = g_wraps + 1;
  }
}

namespace port {

void init() {
  const char* const source = stm32::start_clocks();
  const wire::TickUnit unit = start_ticks();
  g_identity = {TINYROBUST_BOARD,
                reg(cortex::SCB_CPUID),
                stm32::kChip.clock_hz,
                source,
                unit,
                stm32::kRingBytes,
                stm32::kMaxBaud,
                {}};
  uint32_t uid[3] = {};
  for (uint32_t i = 0; i < 3 && cortex::read_if_there(stm32::kChip.uid + 4 * i, uid + i); ++i) {
  }
  std::memcpy(g_identity.uid, uid, sizeof g_identity.uid);
  stm32::start_usart();
  stm32::start_watchdog();
}

const Identity& identity() { return g_identity; }

uint64_t ticks() { return g_counts_cycles ? cycles() : systick(); }

void exit(int) { cortex::restart(); }

}  // namespace port
