#include "port_stm32_l4.h"

namespace stm32::l4 {
namespace {

constexpr uintptr_t kControl = kRcc + 0x00, kConfiguration = kRcc + 0x08, kPll = kRcc + 0x0C;        // 6.4.1, .3, .4
constexpr uint32_t kHsiOn = 1u << 8, kHsiReady = 1u << 10, kPllOn = 1u << 24, kPllReady = 1u << 25;  // CR
constexpr uint32_t kHalfSpeed = 8u << 4, kPllSelected = 3u << 0, kPllInUse = 3u << 2;  // CFGR: HPRE, SW, SWS
constexpr uint32_t kPrefetch = 1u << 8, kCaches = 3u << 9;                             // FLASH_ACR, 3.7.1

}  // namespace

void run_at(uint32_t multiplier, uint32_t wait_states) {
  enable(kControl, kHsiOn);
  wait_for([] { return reg(kControl) & kHsiReady; });

  // 16 MHz / 2 = 8 MHz into the PLL, * multiplier, / 2; source HSI16, output R enabled (6.4.4).
  reg(kPll) = 2u << 0 | (2u - 1) << 4 | multiplier << 8 | 1u << 24 | 0u << 25;
  enable(kControl, kPllOn);
  wait_for([] { return reg(kControl) & kPllReady; });

  // Read back before the clock goes up (3.3.3).
  put(kFlash, wait_states | kPrefetch | kCaches);

  // Above 80 MHz the AHB has to pass through half the speed for a microsecond (RM0432, RCC, system clock selection);
  // below it does no harm.
  reg(kConfiguration) = kHalfSpeed | kPllSelected;
  wait_for([] { return (reg(kConfiguration) & kPllInUse) == kPllInUse; });
  for (volatile int i = 0; i < 64; i = i + 1) {
  }
  reg(kConfiguration) = kPllSelected;  // AHB, APB1 and APB2 undivided
}

}  // namespace stm32::l4
