// Nucleo-H743ZI: STM32H743ZI, Cortex-M7 at 400 MHz, what every revision of the chip runs at. RM0433, by chapter (FLASH,
// PWR, RCC) and register name; UM2407 is the board.
#include "cortex_m7.h"
#include "port_stm32.h"

namespace stm32 {
namespace {

constexpr uintptr_t kFlash = 0x52002000, kGpioD = 0x58020C00, kRcc = 0x58024400, kPwr = 0x58024800;  // memory map
constexpr uintptr_t kControl = kRcc + 0x00, kConfiguration = kRcc + 0x10, kDomain1 = kRcc + 0x18,
                    kDomain2 = kRcc + 0x1C, kDomain3 = kRcc + 0x20, kPllSource = kRcc + 0x28,
                    kPllConfiguration = kRcc + 0x2C, kPllDividers = kRcc + 0x30, kAhb4Enable = kRcc + 0xE0,
                    kApb1Enable = kRcc + 0xE8;                                                   // RCC registers
constexpr uintptr_t kSupply = kPwr + 0x0C, kSupplyStatus = kPwr + 0x04, kVoltage = kPwr + 0x18;  // CR3, CSR1, D3CR
constexpr uint32_t kHseOn = 1u << 16, kHseReady = 1u << 17, kHseBypass = 1u << 18;               // RCC_CR
constexpr uint32_t kPllOn = 1u << 24, kPllReady = 1u << 25;                                      // RCC_CR
constexpr uint32_t kVoltageReady = 1u << 13, kScale1 = 3u << 14;  // PWR_CSR1.ACTVOSRDY, PWR_D3CR.VOSRDY, VOS
constexpr uint32_t kSwitch = 7u << 0, kPllSelected = 3u << 0, kSwitchStatus = 7u << 3, kPllInUse = 3u << 3;  // RCC_CFGR

}  // namespace

const Chip kChip = {
    400000000,
    0x40004800,  // USART3, the ST-LINK's virtual COM port (UM2407)
    39,          // NVIC, interrupt vectors
    100000000,   // APB1, the kernel clock after reset (RCC_D2CCIP2R.USART28SEL)
    1,
    {kGpioD, 8, 7},  // PD8 USART3_TX, PD9 USART3_RX: AF7 (datasheet DS12110, alternate functions)
    {kGpioD, 9, 7},
    0x1FF1E800,  // device electronic signature
    0x58004800,  // IWDG1, memory map
};

void start_clocks() {
  // Supplied by the LDO; must be said once before the voltage can be raised (PWR_CR3). Then scale 1 (PWR_D3CR).
  modify(kSupply, 7u, 1u << 1);
  wait_for([] { return reg(kSupplyStatus) & kVoltageReady; });
  modify(kVoltage, kScale1, kScale1);
  wait_for([] { return reg(kVoltage) & kVoltageReady; });

  // 8 MHz from the ST-LINK's MCO, no crystal: bypass (UM2407; RCC, HSE oscillator).
  enable(kControl, kHseBypass | kHseOn);
  wait_for([] { return reg(kControl) & kHseReady; });

  // 8 MHz / 4 = 2 MHz into PLL1, * 400 = 800 MHz, / 2 = 400 MHz: source HSE, wide VCO, input range 2 to 4 MHz, output P
  // enabled (RCC_PLLCKSELR, PLLCFGR, PLL1DIVR).
  modify(kPllSource, 3u << 0 | 0x3Fu << 4, 2u << 0 | 4u << 4);
  modify(kPllConfiguration, 0xFu << 0 | 7u << 16, 1u << 2 | 1u << 16);
  reg(kPllDividers) = (400u - 1) << 0 | (2u - 1) << 9 | (2u - 1) << 16 | (2u - 1) << 24;
  enable(kControl, kPllOn);
  wait_for([] { return reg(kControl) & kPllReady; });

  // Two wait states and the programming delay for an AXI clock of 200 MHz at scale 1 (FLASH, read
  // latency), read back first.
  put(kFlash, 2u << 0 | 2u << 4);

  // CPU 400 MHz, AXI and AHB 200 MHz, every APB 100 MHz: the most each may have (RCC_D1CFGR, D2CFGR, D3CFGR).
  reg(kDomain1) = 8u << 0 | 4u << 4 | 0u << 8;
  reg(kDomain2) = 4u << 4 | 4u << 8;
  reg(kDomain3) = 4u << 4;
  modify(kConfiguration, kSwitch, kPllSelected);
  wait_for([] { return (reg(kConfiguration) & kSwitchStatus) == kPllInUse; });
  cortex::start_caches();

  enable(kAhb4Enable, 1u << 3);   // RCC_AHB4ENR.GPIODEN
  enable(kApb1Enable, 1u << 18);  // RCC_APB1LENR.USART3EN
}

}  // namespace stm32
