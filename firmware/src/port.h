// What a board must provide. One file per kind of board implements it; nothing else includes a hardware header.
#pragma once

#include <cstddef>
#include <cstdint>

#include "wire.gen.h"

namespace port {

struct Identity {
  const char* board;         // as in host/boards.toml
  uint32_t cpuid;            // SCB->CPUID, 0 on the host
  uint32_t clock_hz;         // core clock, 0 on the host
  wire::TickUnit tick_unit;  // what ticks() counts
  uint32_t rx_ring;          // bytes buffered while the engine runs
  uint8_t uid[12];           // unique id of the chip, zero where there is none
};

// Clocks, pins, interrupts. Called once, before anything else.
void init();

const Identity& identity();

// Blocks (sleeping, never polling hot where it can be helped) until a byte is there; returns how many were read,
// 1..max. Returns 0 only at the end of the stream, after which the firmware ends (host and emulators).
size_t read(uint8_t* to, size_t max);

// Blocks until all n bytes are accepted.
void write(const uint8_t* from, size_t n);

// Called after each answer: pushes out what the port buffers.
void flush();

// Free-running counter in identity().tick_unit; the caller takes differences. Never runs port I/O in between.
uint64_t ticks();

// The RAM that plan, arena, scratch and receive buffer share; 16-byte aligned.
uint8_t* pool(size_t* bytes);

// Ends the program with a status (host and emulators), or restarts the chip (real boards).
[[noreturn]] void exit(int status);

}  // namespace port
