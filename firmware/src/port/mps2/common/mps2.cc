// The parts of a port that semihosting and UART firmware on MPS2 AN386 and AN500 have in common:
// identity, time, exit.
#include "port/mps2/common/mps2.h"

namespace {

// SYSCLK of the FPGA images (Arm DAI 0500), which TIMER0 counts.
constexpr uint32_t kClockHz = 25000000;
constexpr uintptr_t kCpuid = 0xE000ED00;  // Armv7-M ARM (DDI 0403E) B3.2.3

// CMSDK APB timer, DDI 0479 section 4.3; TIMER0's base is in the memory map of DAI 0500.
constexpr uintptr_t kTimerCtrl = 0x40000000;
constexpr uintptr_t kTimerValue = 0x40000004;
constexpr uintptr_t kTimerReload = 0x40000008;
constexpr uint32_t kTimerEnable = 1;

constexpr uint32_t kSysExitExtended = 0x20;     // IHI 0100, SYS_EXIT_EXTENDED
constexpr uint32_t kApplicationExit = 0x20026;  // ADP_Stopped_ApplicationExit

port::Identity g_identity;
uint32_t g_low;
uint32_t g_high;

}  // namespace

namespace mps2 {

void init(uint32_t rx_ring) {
  g_identity = {TINYROBUST_BOARD, reg(kCpuid), kClockHz, "", wire::TickUnit::kCmsdkTimer,
                rx_ring,          0,           {}};
  reg(kTimerCtrl) = 0;
  reg(kTimerReload) = 0xFFFFFFFF;
  reg(kTimerValue) = 0xFFFFFFFF;
  reg(kTimerCtrl) = kTimerEnable;
}

}  // namespace mps2

namespace port {

const Identity& identity() { return g_identity; }

// The counter runs down and wraps every 2^32 ticks (172 s of emulated time, 2.7 G instructions
// under icount shift=6): extended here to 64 bits, right as long as no single inference takes
// longer than that.
uint64_t ticks() {
  const uint32_t now = 0xFFFFFFFF - mps2::reg(kTimerValue);
  if (now < g_low) ++g_high;
  g_low = now;
  return (static_cast<uint64_t>(g_high) << 32) | now;
}

void exit(int status) {
  const uint32_t block[2] = {kApplicationExit, static_cast<uint32_t>(status)};
  for (;;) mps2::semihost(kSysExitExtended, block);
}

}  // namespace port
