// Nucleo-F746ZG: STM32F746ZG, Cortex-M7 at 216 MHz. Sections are those of RM0385 and of UM1974 (the board).
#include "cortex_m7.h"
#include "port_stm32.h"

namespace stm32 {
namespace {

constexpr uintptr_t kPwr = 0x40007000, kGpioD = 0x40020C00, kRcc = 0x40023800, kFlash = 0x40023C00;  // 2.2.2
constexpr uintptr_t kControl = kRcc + 0x00, kPll = kRcc + 0x04, kConfiguration = kRcc + 0x08;        // 5.3.1 to 5.3.3
constexpr uintptr_t kAhb1Enable = kRcc + 0x30, kApb1Enable = kRcc + 0x40, kKernelClocks2 = kRcc + 0x94;
constexpr uint32_t kHseOn = 1u << 16, kHseReady = 1u << 17, kHseBypass = 1u << 18;        // RCC_CR
constexpr uint32_t kPllOn = 1u << 24, kPllReady = 1u << 25;                               // RCC_CR
constexpr uint32_t kOverdrive = 1u << 16, kOverdriveSwitch = 1u << 17;                    // PWR_CR1, and ready in CSR1
constexpr uint32_t kSevenWaitStates = 7, kPrefetch = 1u << 8, kAccelerator = 1u << 9;     // FLASH_ACR, 3.7.1
constexpr uint32_t kPllSelected = 2u << 0, kPllInUse = 2u << 2, kSwitchStatus = 3u << 2;  // RCC_CFGR
constexpr uint32_t kApb1By4 = 5u << 10, kApb2By2 = 4u << 13;                              // RCC_CFGR

}  // namespace

const Chip kChip = {
    216000000,
    0x40004800,  // USART3 (2.2.2), the ST-LINK's virtual COM port (UM1974, 6.9)
    39,          // 10.1.2, table 43
    216000000,   // SYSCLK, chosen below
    1,
    {kGpioD, 8, 7},  // PD8 USART3_TX, PD9 USART3_RX: AF7 (datasheet DS10916, table 12)
    {kGpioD, 9, 7},
    0x1FF0F420,  // 41.1
    0x40003000,  // 2.2.2
};

void start_clocks() {
  // 8 MHz from the ST-LINK's MCO, no crystal: bypass (UM1974 6.8.1, RM0385 5.2.1).
  enable(kControl, kHseBypass | kHseOn);
  wait_for([] { return reg(kControl) & kHseReady; });

  // Voltage scale 1 and over-drive are what 216 MHz asks for; over-drive is entered with the PLL on, before the system
  // clock uses it (4.1.4).
  enable(kApb1Enable, 1u << 28);  // PWREN (5.3.13)
  enable(kPwr, 3u << 14);         // VOS: scale 1 (4.4.1)

  // 8 MHz / 4 = 2 MHz into the PLL, which limits its jitter; * 216 = 432 MHz; / 2 = 216 MHz; / 9 = 48 MHz (5.3.2).
  reg(kPll) = 4u << 0 | 216u << 6 | 0u << 16 | 1u << 22 | 9u << 24;
  enable(kControl, kPllOn);
  enable(kPwr, kOverdrive);
  wait_for([] { return reg(kPwr + 4) & kOverdrive; });
  enable(kPwr, kOverdriveSwitch);
  wait_for([] { return reg(kPwr + 4) & kOverdriveSwitch; });
  wait_for([] { return reg(kControl) & kPllReady; });

  // Seven wait states at 216 MHz and 2.7..3.6 V (3.3.2, table 7), read back before the clock goes up. Prefetch and
  // accelerator serve only the ITCM alias of the flash (3.3.3); this image runs from the AXI address, with L1 caches.
  put(kFlash, kSevenWaitStates | kPrefetch | kAccelerator);

  // AHB 216 MHz, APB1 54 MHz, APB2 108 MHz: the most each may have (5.2, 5.3.3).
  reg(kConfiguration) = kApb1By4 | kApb2By2 | kPllSelected;
  wait_for([] { return (reg(kConfiguration) & kSwitchStatus) == kPllInUse; });
  cortex::start_caches();

  enable(kAhb1Enable, 1u << 3);              // GPIODEN (5.3.10)
  modify(kKernelClocks2, 3u << 4, 1u << 4);  // USART3SEL: SYSCLK, whose divider hits 2 Mbaud exactly (5.3.26)
  enable(kApb1Enable, 1u << 18);             // USART3EN (5.3.13)
}

}  // namespace stm32
