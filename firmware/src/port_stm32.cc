// Nucleo-F746ZG: STM32F746 at 216 MHz, USART3 on the ST-LINK's virtual COM port. Sections are those of RM0385 (the
// reference manual) and UM1974 (the board) unless said; register names are the device header's.
#include <cstring>

#include "port.h"
#include "ring.h"
#include "stm32f746xx.h"

extern "C" char __pool_start[], __pool_end[];

namespace {

constexpr uint32_t kClockHz = 216000000;
constexpr uint32_t kBaud = 921600;
constexpr uint32_t kRingBytes = 8192;

port::Identity g_identity;
Ring<kRingBytes> g_ring;
uint32_t g_low;
uint32_t g_high;

template <typename Condition>
void wait_until(Condition condition) {
  while (!condition()) {
  }
}

void init_clock() {
  // 8 MHz from the ST-LINK's MCO, no crystal: bypass (UM1974 6.8.1, RM0385 5.2.1).
  RCC->CR |= RCC_CR_HSEBYP | RCC_CR_HSEON;
  wait_until([] { return RCC->CR & RCC_CR_HSERDY; });

  // Voltage scale 1 and over-drive are what 216 MHz asks for; over-drive is entered with the PLL on, before the system
  // clock uses it (4.1.4).
  RCC->APB1ENR |= RCC_APB1ENR_PWREN;
  (void)RCC->APB1ENR;  // two peripheral clock cycles between enabling and use (5.2.12)
  PWR->CR1 |= PWR_CR1_VOS_0 | PWR_CR1_VOS_1;

  // 8 MHz / 4 = 2 MHz into the PLL, which limits its jitter; * 216 = 432 MHz; / 2 = 216 MHz; / 9 = 48 MHz (5.3.2).
  RCC->PLLCFGR = (4u << RCC_PLLCFGR_PLLM_Pos) | (216u << RCC_PLLCFGR_PLLN_Pos) | (0u << RCC_PLLCFGR_PLLP_Pos) |
                 RCC_PLLCFGR_PLLSRC_HSE | (9u << RCC_PLLCFGR_PLLQ_Pos);
  RCC->CR |= RCC_CR_PLLON;
  PWR->CR1 |= PWR_CR1_ODEN;
  wait_until([] { return PWR->CSR1 & PWR_CSR1_ODRDY; });
  PWR->CR1 |= PWR_CR1_ODSWEN;
  wait_until([] { return PWR->CSR1 & PWR_CSR1_ODSWRDY; });
  wait_until([] { return RCC->CR & RCC_CR_PLLRDY; });

  // Seven wait states at 216 MHz and 2.7..3.6 V (3.3.2, table 7). Prefetch and ART serve only the ITCM alias of the
  // flash (3.3.3); this image runs from the AXI address, where the L1 caches do that work.
  FLASH->ACR = FLASH_ACR_LATENCY_7WS | FLASH_ACR_PRFTEN | FLASH_ACR_ARTEN;
  wait_until([] { return (FLASH->ACR & FLASH_ACR_LATENCY) == FLASH_ACR_LATENCY_7WS; });

  // AHB 216 MHz, APB1 54 MHz, APB2 108 MHz: the most each may have (5.2, 5.3.3).
  RCC->CFGR = RCC_CFGR_HPRE_DIV1 | RCC_CFGR_PPRE1_DIV4 | RCC_CFGR_PPRE2_DIV2 | RCC_CFGR_SW_PLL;
  wait_until([] { return (RCC->CFGR & RCC_CFGR_SWS) == RCC_CFGR_SWS_PLL; });

  SCB_EnableICache();
  SCB_EnableDCache();  // nothing here is a bus master but the core, so there is no coherence to keep
}

void init_uart() {
  RCC->AHB1ENR |= RCC_AHB1ENR_GPIODEN;
  // Clocked by SYSCLK: 216 MHz / 921600 = 234.4, +0.16 %; APB1's 54 MHz would be off by 0.7 % (5.3.26).
  RCC->DCKCFGR2 = (RCC->DCKCFGR2 & ~RCC_DCKCFGR2_USART3SEL) | RCC_DCKCFGR2_USART3SEL_0;
  RCC->APB1ENR |= RCC_APB1ENR_USART3EN;
  (void)RCC->APB1ENR;

  // PD8 is TX and PD9 RX of USART3, alternate function 7 (UM1974 6.9; datasheet DS10916, table 12;
  // RM0385 6.4.1, 6.4.10).
  GPIOD->AFR[1] = (GPIOD->AFR[1] & ~(GPIO_AFRH_AFRH0 | GPIO_AFRH_AFRH1)) | (7u << GPIO_AFRH_AFRH0_Pos) |
                  (7u << GPIO_AFRH_AFRH1_Pos);
  GPIOD->PUPDR = (GPIOD->PUPDR & ~GPIO_PUPDR_PUPDR9) | GPIO_PUPDR_PUPDR9_0;  // an unconnected RX idles high (6.4.4)
  GPIOD->MODER = (GPIOD->MODER & ~(GPIO_MODER_MODER8 | GPIO_MODER_MODER9)) | GPIO_MODER_MODER8_1 | GPIO_MODER_MODER9_1;

  USART3->BRR = (kClockHz + kBaud / 2) / kBaud;                                 // oversampling by 16 (31.5.4)
  USART3->CR1 = USART_CR1_UE | USART_CR1_TE | USART_CR1_RE | USART_CR1_RXNEIE;  // 8N1 (31.8.1)
  NVIC_EnableIRQ(USART3_IRQn);
}

void init_cycle_counter() {
  CoreDebug->DEMCR |= CoreDebug_DEMCR_TRCENA_Msk;  // Armv7-M ARM (DDI 0403E) C1.6.5
  DWT->LAR = 0xC5ACCE55;  // the Cortex-M7 locks its DWT (CoreSight lock access, DDI 0403E D1.1)
  DWT->CYCCNT = 0;
  DWT->CTRL |= DWT_CTRL_CYCCNTENA_Msk;  // DDI 0403E C1.8.7
}

}  // namespace

// A full ring drops the byte, and so does an overrun: the frame's CRC fails and the host asks again. The window in INFO
// keeps both from happening.
extern "C" void usart3_handler() {
  USART3->ICR =
      USART_ICR_ORECF | USART_ICR_FECF | USART_ICR_NCF | USART_ICR_PECF;  // an uncleared ORE raises for ever (31.8.9)
  while (USART3->ISR & USART_ISR_RXNE) {
    const auto byte = static_cast<uint8_t>(USART3->RDR);
    if (!g_ring.full()) g_ring.put(byte);
  }
}

namespace port {

void init() {
  init_clock();
  init_cycle_counter();
  g_identity = {TINYROBUST_BOARD, SCB->CPUID, kClockHz, wire::TickUnit::kCpuCycles, kRingBytes, {}};
  std::memcpy(g_identity.uid, reinterpret_cast<const void*>(UID_BASE), sizeof g_identity.uid);  // 41.1
  init_uart();
}

const Identity& identity() { return g_identity; }

size_t read(uint8_t* to, size_t max) {
  size_t n;
  while ((n = g_ring.take(to, max)) == 0) {
    // With interrupts disabled a pending one still ends WFI, so none can slip in between the question and the sleep.
    __disable_irq();
    if (g_ring.empty()) __WFI();
    __enable_irq();
  }
  return n;
}

void write(const uint8_t* from, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    wait_until([] { return USART3->ISR & USART_ISR_TXE; });
    USART3->TDR = from[i];
  }
}

void flush() {}

// The counter wraps every 2^32 cycles, 19.9 s: extended here to 64 bits, right as long as no single inference takes
// longer than that.
uint64_t ticks() {
  const uint32_t now = DWT->CYCCNT;
  if (now < g_low) ++g_high;
  g_low = now;
  return (static_cast<uint64_t>(g_high) << 32) | now;
}

uint8_t* pool(size_t* bytes) {
  *bytes = static_cast<size_t>(__pool_end - __pool_start);
  return reinterpret_cast<uint8_t*>(__pool_start);
}

void exit(int) { NVIC_SystemReset(); }

}  // namespace port
