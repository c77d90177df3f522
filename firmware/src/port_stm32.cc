// STM32 boards: identity, time, memory. The line is in port_stm32_usart.cc, the chip in port_stm32_<chip>.cc.
#include "port_stm32.h"

#include <cstring>

#include "port.h"

namespace {

using cortex::reg;

port::Identity g_identity;
bool g_counts_cycles;
uint32_t g_low;
uint32_t g_high;
volatile uint32_t g_wraps;

// The cycle counter wraps every 2^32 cycles (53 s at 80 MHz): right as long as no single inference takes longer.
uint64_t cycles() {
  const uint32_t now = reg(cortex::kDwtCycles);
  if (now < g_low) ++g_high;
  g_low = now;
  return uint64_t{g_high} << 32 | now;
}

uint64_t systick() {
  uint32_t wraps;
  uint32_t left;
  do {
    wraps = g_wraps;
    left = reg(cortex::kSystickValue);
  } while (wraps != g_wraps);
  return (uint64_t{wraps} << 24) + (cortex::kSystickMask - left);
}

// An emulator may leave the cycle counter at 0: the ticks are SysTick's there, and INFO says so. Another may advance it
// only now and then, so it is asked more than once.
wire::TickUnit start_ticks() {
  cortex::start_cycle_counter();
  const uint32_t before = reg(cortex::kDwtCycles);
  stm32::wait_for([before] { return reg(cortex::kDwtCycles) != before; });
  g_counts_cycles = reg(cortex::kDwtCycles) != before;
  if (g_counts_cycles) return wire::TickUnit::kCpuCycles;
  cortex::start_systick();
  return wire::TickUnit::kSystick;
}

}  // namespace

extern "C" void systick_handler() { g_wraps = g_wraps + 1; }

namespace stm32 {

// Where SysTick is what counts it runs all the time.
void doze(bool on) {
  if (!g_counts_cycles) return;
  if (on) {
    cortex::start_systick();
  } else {
    cortex::stop_systick();
  }
}

}  // namespace stm32

namespace port {

void init() {
  stm32::start_clocks();
  const wire::TickUnit unit = start_ticks();
  g_identity = {
      TINYROBUST_BOARD, reg(cortex::kCpuid), stm32::kChip.clock_hz, unit, stm32::kRingBytes, stm32::kMaxBaud, {}};
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
