// The independent watchdog restarts an image that hangs: after 32 s of its 32 kHz oscillator, 22 s where that is as
// fast as a datasheet allows (47 kHz, F7). The host has given an inference up by then. Once started nothing stops it,
// sleep least of all. Registers, keys and the order are those of chapter IWDG in RM0351 (L4), RM0432 (L4+), RM0385 (F7)
// and RM0433 (H7).
#include "port.h"
#include "port_stm32.h"

namespace {

using stm32::kChip;
using stm32::reg;

constexpr uintptr_t kKey = 0x00, kPrescaler = 0x04, kReload = 0x08, kStatus = 0x0C;  // KR, PR, RLR, SR
constexpr uint32_t kStart = 0xCCCC, kUnlock = 0x5555, kRefresh = 0xAAAA;             // KR
constexpr uint32_t kBy256 = 6, kMost = 0xFFF;                                        // PR, RLR
constexpr uint32_t kBusy = 0x7;                                                      // SR: PVU, RVU, WVU

}  // namespace

namespace stm32 {

void start_watchdog() {
  reg(kChip.watchdog + kKey) = kStart;
  reg(kChip.watchdog + kKey) = kUnlock;
  reg(kChip.watchdog + kPrescaler) = kBy256;
  reg(kChip.watchdog + kReload) = kMost;
  wait_for([] { return !(reg(kChip.watchdog + kStatus) & kBusy); });
  port::alive();
}

}  // namespace stm32

namespace port {

void alive() { reg(kChip.watchdog + kKey) = kRefresh; }

}  // namespace port
