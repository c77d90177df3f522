// The superloop of a firmware that speaks the MLPerf Tiny protocol instead of ours: bytes in,
// commands, answers out.
#include "app/mlperf_tiny/commands.h"
#include "app/mlperf_tiny/line.h"
#include "port/port.h"

int main() {
  static uint8_t chunk[64];
  port::init();
  mlperf::start();
  mlperf::Line line;
  while (const size_t got = port::read(chunk, sizeof chunk)) {
    for (size_t i = 0; i < got; ++i) {
      switch (line.feed(chunk[i])) {
        case mlperf::Event::kNone:
          break;
        case mlperf::Event::kCommand:
          mlperf::execute(line.text());
          break;
        case mlperf::Event::kTooLong:
          mlperf::refuse_long();
          break;
      }
    }
  }
  port::exit(0);
}
