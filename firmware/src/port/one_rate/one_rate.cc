// Lines without a rate of their own: pipes, FIFOs, an emulated UART that is as fast as its
// emulator. What is behind them has no watchdog either.
#include "port/port.h"

namespace port {

uint32_t baud() { return 0; }

uint32_t accepted_baud(uint32_t) { return 0; }

void use_baud(uint32_t) {}

void heard(bool) {}

void alive() {}

}  // namespace port
