// The line of an STM32 board: an interrupt-driven receive ring and a rate the host may raise. Register offsets and bits
// are the same in RM0351 (L4), RM0432 (L4+), RM0385 (F7) and RM0433 (H7), chapters USART and LPUART.
#include "port.h"
#include "port_stm32.h"
#include "ring.h"

namespace {

using stm32::kChip;
using stm32::reg;

constexpr uintptr_t kCr1 = 0x00, kBrr = 0x0C, kIsr = 0x1C, kIcr = 0x20, kRdr = 0x24, kTdr = 0x28;
constexpr uint32_t kEnable = 1u << 0, kReceive = 1u << 2, kTransmit = 1u << 3, kReceiveInterrupt = 1u << 5;  // CR1
constexpr uint32_t kFraming = 1u << 1, kErrors = 0xF;                      // ISR and ICR: PE, FE, NE, ORE
constexpr uint32_t kReceived = 1u << 5, kSent = 1u << 6, kRoom = 1u << 7;  // ISR: RXNE, TC, TXE
constexpr uint32_t kListening = kEnable | kReceive | kTransmit | kReceiveInterrupt;
constexpr uint32_t kDeaf = kEnable | kReceive | kTransmit;

constexpr uint32_t kComplaints = 16;  // errors in a row before a raised rate counts as a mistake

Ring<stm32::kRingBytes> g_ring;
uint32_t g_baud;
volatile uint32_t g_complaints;

uint32_t divider(uint32_t baud) {
  const uint64_t hz = uint64_t{kChip.brr_unit} * kChip.usart_hz;
  return static_cast<uint32_t>((hz + baud / 2) / baud);
}

void set_rate(uint32_t baud) {
  reg(kChip.usart + kCr1) = 0;  // BRR may only be written while the USART is off
  reg(kChip.usart + kBrr) = divider(baud);
  g_baud = baud;
  g_complaints = 0;
  reg(kChip.usart + kCr1) = kListening;
}

void connect(const stm32::Pin& pin, bool pull_up) {
  const uint32_t at = pin.number * 2;
  const uint32_t nibble = pin.number % 8 * 4;
  stm32::modify(pin.gpio + 0x20 + pin.number / 8 * 4, 0xFu << nibble, pin.function << nibble);  // AFRL, AFRH
  stm32::modify(pin.gpio + 0x0C, 3u << at, (pull_up ? 1u : 0u) << at);                          // PUPDR
  stm32::modify(pin.gpio + 0x00, 3u << at, 2u << at);                                           // MODER: alternate
}

// Takes what the USART holds. With the ring full the interrupt is masked instead: an emulator then holds its sender
// back; on silicon the next byte is an overrun, its frame fails the CRC and is sent again. The window in INFO avoids
// both.
void drain() {
  while (reg(kChip.usart + kIsr) & kReceived) {
    if (g_ring.full()) {
      reg(kChip.usart + kCr1) = kDeaf;
      return;
    }
    g_ring.put(static_cast<uint8_t>(reg(kChip.usart + kRdr)));
  }
}

}  // namespace

extern "C" void usart_handler() {
  if (reg(kChip.usart + kIsr) & kFraming) g_complaints = g_complaints + 1;
  reg(kChip.usart + kIcr) = kErrors;  // an overrun that is not cleared raises for ever
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
    stm32::doze(true);
    cortex::sleep_unless([] { return !g_ring.empty(); });
    stm32::doze(false);
  }
  if (!(reg(kChip.usart + kCr1) & kReceiveInterrupt)) reg(kChip.usart + kCr1) = kListening;
  return n;
}

void write(const uint8_t* from, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    stm32::wait_for([] { return reg(kChip.usart + kIsr) & kRoom; });
    reg(kChip.usart + kTdr) = from[i];
  }
}

void flush() {}

uint32_t baud() { return g_baud; }

// A rate that the divider misses by more than 1 % would leave too little of a UART's 4 % for the other side.
uint32_t accepted_baud(uint32_t wanted) {
  if (wanted < wire::kFirstBaud || wanted > stm32::kMaxBaud) return g_baud;
  const uint64_t hz = uint64_t{kChip.brr_unit} * kChip.usart_hz;
  const uint64_t made = uint64_t{wanted} * divider(wanted);
  return (made > hz ? made - hz : hz - made) * 100 <= hz ? wanted : g_baud;
}

void use_baud(uint32_t baud) {
  if (baud == g_baud) return;
  stm32::wait_for([] { return reg(kChip.usart + kIsr) & kSent; });
  set_rate(baud);
}

void heard(bool intact) { g_complaints = intact ? 0 : g_complaints + 1; }

}  // namespace port
