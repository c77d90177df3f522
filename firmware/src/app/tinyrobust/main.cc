// The superloop: bytes in, frames to the dispatcher, answers out.
#include "app/tinyrobust/dispatch.h"
#include "app/tinyrobust/frame.h"
#include "app/tinyrobust/greeting.h"
#include "port/port.h"

int main() {
  static uint8_t chunk[512];
  port::init();
  greet();
  frame::Decoder decoder;
  dispatch::start(&decoder);
  while (const size_t got = port::read(chunk, sizeof chunk)) {
    for (size_t used = 0; used < got;) {
      frame::Event event;
      used += decoder.feed(chunk + used, got - used, &event);
      if (event != frame::Event::kNone) dispatch::handle(event);
    }
  }
  port::exit(0);
}
