// Emulated boards over a UART: CMSDK UART0 of the MPS2 boards (DDI 0479 section 4.4; base and
// interrupt numbers: DAI 0500) with an interrupt-driven receive ring. Slow (about 10 kB/s in QEMU),
// and as a real board would do it.
#include "port/mps2/common/mps2.h"
#include "port/ring.h"

namespace {

constexpr uintptr_t kData = 0x40004000;
constexpr uintptr_t kState = 0x40004004;
constexpr uintptr_t kCtrl = 0x40004008;
constexpr uintptr_t kIntClear = 0x4000400C;
constexpr uintptr_t kBaudDiv = 0x40004010;
constexpr uint32_t kTxFull = 1, kRxFull = 2;                              // STATE
constexpr uint32_t kTxEnable = 1, kRxEnable = 2, kRxInterruptEnable = 8;  // CTRL
constexpr uint32_t kRxInterrupt = 2;                                      // INTCLEAR
constexpr uint32_t kListening = kTxEnable | kRxEnable | kRxInterruptEnable;
constexpr uint32_t kDeaf = kTxEnable | kRxEnable;
constexpr uint32_t kDivider = 25000000 / 921600;  // at least 16; QEMU does not time bytes by it

// NVIC_ISER0, Armv7-M ARM (DDI 0403E) B3.4.3; UART0 receive is interrupt 0.
constexpr uintptr_t kNvicIser0 = 0xE000E100;
constexpr uint32_t kUart0Rx = 1u << 0;

Ring<8192> g_ring;

// Takes what the UART holds. With the ring full the interrupt is masked instead: the byte stays in
// the UART, which holds the emulator's sender back, and nothing is lost.
void drain() {
  while (mps2::reg(kState) & kRxFull) {
    if (g_ring.full()) {
      mps2::reg(kCtrl) = kDeaf;
      return;
    }
    g_ring.put(static_cast<uint8_t>(mps2::reg(kData)));
  }
}

}  // namespace

extern "C" void uart0_rx_handler() {
  mps2::reg(kIntClear) = kRxInterrupt;
  drain();
}

namespace port {

void init() {
  mps2::init(8192);
  mps2::reg(kBaudDiv) = kDivider;
  mps2::reg(kCtrl) = kListening;
  // A byte that came before the interrupt was enabled raises none, and blocks those behind it.
  drain();
  mps2::reg(kNvicIser0) = kUart0Rx;
}

size_t read(uint8_t* to, size_t max) {
  size_t n;
  while ((n = g_ring.take(to, max)) == 0) {
    // With interrupts disabled a pending one still ends WFI, so none can slip in between the
    // question and the sleep.
    asm volatile("cpsid i" ::: "memory");
    if (g_ring.empty()) asm volatile("wfi");
    asm volatile("cpsie i" ::: "memory");
  }
  if (!(mps2::reg(kCtrl) & kRxInterruptEnable)) {
    asm volatile("cpsid i" ::: "memory");
    mps2::reg(kCtrl) = kListening;
    drain();
    asm volatile("cpsie i" ::: "memory");
  }
  return n;
}

void write(const uint8_t* from, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    while (mps2::reg(kState) & kTxFull) {
    }
    mps2::reg(kData) = from[i];
  }
}

void flush() {}

}  // namespace port
