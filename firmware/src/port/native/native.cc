// The host as a board: frames on stdin and stdout, a process that ends with its input.
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "port/port.h"

namespace port {
namespace {

// As much as the smallest pipe of the systems we run on holds (macOS; Linux: 64 KiB).
constexpr uint32_t kPipeBytes = 16 * 1024;
constexpr size_t kPoolBytes = 8u << 20;
alignas(16) uint8_t g_pool[kPoolBytes];

}  // namespace

void init() {}

const Identity& identity() {
  static const Identity kIdentity = {"native",   0, 0, "", wire::TickUnit::kHostNs,
                                     kPipeBytes, 0, {}};
  return kIdentity;
}

size_t read(uint8_t* to, size_t max) {
  ssize_t got;
  do {
    got = ::read(STDIN_FILENO, to, max);
  } while (got < 0 && errno == EINTR);
  return got > 0 ? static_cast<size_t>(got) : 0;
}

void write(const uint8_t* from, size_t n) {
  if (fwrite(from, 1, n, stdout) != n) exit(EXIT_FAILURE);
}

void flush() {
  if (fflush(stdout) != 0) exit(EXIT_FAILURE);
}

uint64_t ticks() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}

uint8_t* pool(size_t* bytes) {
  *bytes = kPoolBytes;
  return g_pool;
}

// The host names the file it starts, and its stack is the system's.
Stack stack() { return {}; }

void build_id(uint8_t (&to)[20]) { memset(to, 0, sizeof to); }

void exit(int status) { std::exit(status); }

}  // namespace port
