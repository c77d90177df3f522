// The independent watchdog restarts an image that hangs: after 32 s of its 32 kHz oscillator, 22 s
// where that is as fast as a datasheet allows (47 kHz, F7). The host has given an inference up by
// then. Once started nothing stops it, sleep least of all. Registers, keys and the order are those
// of chapter IWDG in RM0351 (L4), RM0432 (L4+), RM0385 (F7) and RM0433 (H7).
#include "port/port.h"
#include "port/stm32/common/stm32.h"

namespace {

using stm32::kChip;
using stm32::reg;

constexpr uint32_t kBusy = stm32::IWDG_SR_PVU | stm32::IWDG_SR_RVU | stm32::IWDG_SR_WVU;

}  // namespace

namespace stm32 {

void start_watchdog() {
  reg(kChip.watchdog + stm32::IWDG_KR) = stm32::IWDG_KR_START;
  reg(kChip.watchdog + stm32::IWDG_KR) = stm32::IWDG_KR_UNLOCK;
  reg(kChip.watchdog + stm32::IWDG_PR) = stm32::IWDG_PR_DIV256;
  reg(kChip.watchdog + stm32::IWDG_RLR) = stm32::IWDG_RLR_RL;
  wait_for([] { return !(reg(kChip.watchdog + stm32::IWDG_SR) & kBusy); });
  port::alive();
}

}  // namespace stm32

namespace port {

void alive() { reg(kChip.watchdog + stm32::IWDG_KR) = stm32::IWDG_KR_REFRESH; }

}  // namespace port
