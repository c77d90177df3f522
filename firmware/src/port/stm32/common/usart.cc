// The line of an STM32 board: an interrupt-driven receive ring and a rate the host may raise.
// Chapters GPIO, USART and LPUART of RM0351 (L4), RM0432 (L4+), RM0385 (F7) and RM0433 (H7).
#include "port/port.h"
#include "port/ring.h"
#include "port/stm32/common/stm32.h"

namespace {

using stm32::kChip;
using stm32::reg;

constexpr uint32_t kDeaf = stm32::USART_CR1_UE | stm32::USART_CR1_RE | stm32::USART_CR1_TE;
constexpr uint32_t kListening = kDeaf | stm32::USART_CR1_RXNEIE;
constexpr uint32_t kErrors =
    stm32::USART_ICR_PECF | stm32::USART_ICR_FECF | stm32::USART_ICR_NECF | stm32::USART_ICR_ORECF;

constexpr uint32_t kComplaints = 16;  // errors in a row before a raised rate counts as a mistake

Ring<stm32::kRingBytes> g_ring;
uint32_t g_baud;
volatile uint32_t g_complaints;

uint32_t divider(uint32_t baud) {
  const uint64_t hz = uint64_t{kChip.brr_unit} * kChip.usart_hz;
  return static_cast<uint32_t>((hz + baud / 2) / baud);
}

void set_rate(uint32_t baud) {
  reg(kChip.usart + stm32::USART_CR1) = 0;  // BRR may only be written while the USART is off
  reg(kChip.usart + stm32::USART_BRR) = divider(baud);
  g_baud = baud;
  g_complaints = 0;
  reg(kChip.usart + stm32::USART_CR1) = kListening;
}

// Chapter GPIO: alternate function, pulled up or not, an output fast enough for the steep edges of
// 2 Mbaud (25 MHz into 50 pF; the speed after reset may be as little as 2 MHz: the datasheets' I/O
// AC characteristics).
void connect(const stm32::Pin& pin, bool pull_up) {
  constexpr uint32_t kAlternate = 2, kPullUp = 1, kMediumSpeed = 1;
  const uint32_t at = pin.number * 2;
  const uint32_t function_at = pin.number % 8 * 4;
  stm32::modify(pin.gpio + stm32::GPIO_AFR + pin.number / 8 * 4, 15u << function_at,
                pin.function << function_at);
  stm32::modify(pin.gpio + stm32::GPIO_OSPEEDR, 3u << at, kMediumSpeed << at);
  stm32::modify(pin.gpio + stm32::GPIO_PUPDR, 3u << at, (pull_up ? kPullUp : 0) << at);
  stm32::modify(pin.gpio + stm32::GPIO_MODER, 3u << at, kAlternate << at);
}

// Takes what the USART holds. With the ring full the interrupt is masked instead: an emulator then
// holds its sender back; on silicon the next byte is an overrun, its frame fails the CRC and is
// sent again. The window in INFO avoids both.
void drain() {
  while (reg(kChip.usart + stm32::USART_ISR) & stm32::USART_ISR_RXNE) {
    if (g_ring.full()) {
      reg(kChip.usart + stm32::USART_CR1) = kDeaf;
      return;
    }
    g_ring.put(static_cast<uint8_t>(reg(kChip.usart + stm32::USART_RDR)));
  }
}

}  // namespace

extern "C" void usart_handler() {
  if (reg(kChip.usart + stm32::USART_ISR) & stm32::USART_ISR_FE) g_complaints = g_complaints + 1;
  reg(kChip.usart + stm32::USART_ICR) = kErrors;  // an overrun that is not cleared raises for ever
  drain();
}

namespace stm32 {

void start_usart() {
  connect(kChip.tx, false);
  connect(kChip.rx, true);  // an unconnected line idles high
  set_rate(wire::kFirstBaud);
  cortex::enable_interrupt(kChip.interrupt);
}

}  // namespace stm32

namespace port {

size_t read(uint8_t* to, size_t max) {
  size_t n;
  while ((n = g_ring.take(to, max)) == 0) {
    if (g_baud != wire::kFirstBaud && g_complaints >= kComplaints) set_rate(wire::kFirstBaud);
    alive();
    cortex::sleep_unless([] { return !g_ring.empty(); });
  }
  if (!(reg(kChip.usart + stm32::USART_CR1) & stm32::USART_CR1_RXNEIE))
    reg(kChip.usart + stm32::USART_CR1) = kListening;
  return n;
}

void write(const uint8_t* from, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    stm32::wait_for([] { return reg(kChip.usart + stm32::USART_ISR) & stm32::USART_ISR_TXE; });
    reg(kChip.usart + stm32::USART_TDR) = from[i];
  }
}

void flush() {}

uint32_t baud() { return g_baud; }

// A rate that the divider misses by more than 1 % would leave too little of a UART's 4 % for the
// other side.
uint32_t accepted_baud(uint32_t wanted) {
  if (wanted < wire::kFirstBaud || wanted > stm32::kMaxBaud) return g_baud;
  const uint64_t hz = uint64_t{kChip.brr_unit} * kChip.usart_hz;
  const uint64_t made = uint64_t{wanted} * divider(wanted);
  return (made > hz ? made - hz : hz - made) * 100 <= hz ? wanted : g_baud;
}

void use_baud(uint32_t baud) {
  if (baud == g_baud) return;
  stm32::wait_for([] { return reg(kChip.usart + stm32::USART_ISR) & stm32::USART_ISR_TC; });
  set_rate(baud);
}

void heard(bool intact) { g_complaints = intact ? 0 : g_complaints + 1; }

}  // namespace port
