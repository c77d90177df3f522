#include "app/tinyrobust/greeting.h"

#include <cstring>

#include "port/port.h"

namespace {

void say(const char* text) { port::write(reinterpret_cast<const uint8_t*>(text), strlen(text)); }

void say(uint32_t value) {
  char digits[11];
  char* at = digits + sizeof digits - 1;
  *at = '\0';
  do {
    *--at = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value > 0);
  say(at);
}

}  // namespace

void greet() {
  if (port::baud() == 0) return;
  const port::Identity& board = port::identity();
  constexpr uint8_t kDelimiter = 0;
  port::write(&kDelimiter, 1);
  say("\r\ntinyrobust ");
  say(board.board);
  say(": ");
  say(board.clock_hz / 1000000);
  say(" MHz from ");
  say(board.clock_source);
  say("; ");
  say(port::baud());
  say(" baud\r\n");
  port::write(&kDelimiter, 1);
  port::flush();
}
