// What a board must provide. The folders beside this file implement it, each for one kind of board;
// nothing else knows a hardware address.
#pragma once

#include <cstddef>
#include <cstdint>

#include "wire.gen.h"

namespace port {

struct Identity {
  const char* board;         // as in host/boards/boards.toml
  uint32_t cpuid;            // SCB->CPUID, 0 on the host
  uint32_t clock_hz;         // core clock, 0 on the host
  const char* clock_source;  // the oscillator it is made from, empty where that is no question
  wire::TickUnit tick_unit;  // what ticks() counts
  uint32_t rx_ring;          // bytes buffered while the engine runs
  uint32_t max_baud;         // highest rate of the line, 0 where it has none
  uint8_t uid[12];           // unique id of the chip, zero where there is none
};

// Clocks, pins, interrupts. Called once, before anything else.
void init();

const Identity& identity();

// Blocks (sleeping, never polling hot where it can be helped) until a byte is there; writes up to
// `max` bytes to `to`, 1 at least, and returns how many. Returns 0 only at the end of the stream,
// after which the firmware ends (host and emulators).
size_t read(uint8_t* to, size_t max);

// Blocks until all n bytes are accepted.
void write(const uint8_t* from, size_t n);

// Called after each answer: pushes out what the port buffers.
void flush();

// Free-running counter in identity().tick_unit; the caller takes differences. Never runs port I/O
// in between.
uint64_t ticks();

// The RAM that plan, arena, scratch and receive buffer share; 16-byte aligned.
uint8_t* pool(size_t* bytes);

// Bits per second of the line now, and what it would run at if asked for `wanted`: `wanted` itself
// or what it runs at. 0 where the line has no rate.
uint32_t baud();
uint32_t accepted_baud(uint32_t wanted);

// Once all that was written has left: from here on at `baud`, as accepted.
void use_baud(uint32_t baud);

// Told of each frame whether it was intact. A line whose rate was raised falls back to its first
// one when all it hears is damaged: the two sides no longer agree.
void heard(bool intact);

// Bytes of the stack, and how many of them were ever used; 0 on the host.
struct Stack {
  uint32_t bytes;
  uint32_t used;
};
constexpr uint32_t kStackPaint = 0xC5C5C5C5;  // what the startup code fills the stack with
Stack stack();

// The GNU build id of the running image (ld --build-id=sha1), all zero where it has none.
void build_id(uint8_t (&to)[20]);

// Said where the program gets on, before each inference: a board with a watchdog is restarted 20 s
// after the last time.
void alive();

// Ends the program with a status (host and emulators), or restarts the chip (real boards).
[[noreturn]] void exit(int status);

}  // namespace port
