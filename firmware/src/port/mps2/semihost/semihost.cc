// Emulated boards, fast: Arm semihosting (IHI 0100) on two files, named FIFOs as a rule. Their
// names are the two words of the semihosting command line: first the one to read, then the one to
// write.
#include <cstring>

#include "port/mps2/common/mps2.h"

namespace {

constexpr uint32_t kSysOpen = 0x01;
constexpr uint32_t kSysWrite = 0x05;
constexpr uint32_t kSysRead = 0x06;
constexpr uint32_t kSysGetCmdline = 0x15;
constexpr uint32_t kModeReadBinary = 1;   // "rb"
constexpr uint32_t kModeWriteBinary = 5;  // "wb"
constexpr int kNoPort = 71;  // exit status: no command line, or a file that does not open

int32_t g_rx;
int32_t g_tx;
uint8_t g_out[4096];
size_t g_pending;

int32_t open(const char* path, uint32_t mode) {
  const uint32_t block[3] = {reinterpret_cast<uintptr_t>(path), mode,
                             static_cast<uint32_t>(std::strlen(path))};
  const int32_t handle = mps2::semihost(kSysOpen, block);
  if (handle < 0) port::exit(kNoPort);
  return handle;
}

// All n bytes, or the end of the program: SYS_WRITE returns how many bytes it did not take.
void write_out(const uint8_t* from, size_t n) {
  while (n > 0) {
    const uint32_t block[3] = {static_cast<uint32_t>(g_tx), reinterpret_cast<uintptr_t>(from), n};
    const int32_t left = mps2::semihost(kSysWrite, block);
    if (left < 0 || static_cast<size_t>(left) >= n) port::exit(kNoPort);
    from += n - static_cast<size_t>(left);
    n = static_cast<size_t>(left);
  }
}

}  // namespace

namespace port {

void init() {
  mps2::init(0);
  static char line[256];
  const uint32_t block[2] = {reinterpret_cast<uintptr_t>(line), sizeof line};
  if (mps2::semihost(kSysGetCmdline, block) != 0) exit(kNoPort);
  char* second = std::strchr(line, ' ');
  if (second == nullptr) exit(kNoPort);
  *second++ = '\0';
  // Written first: the host opens its reading end before it can open the other one without waiting.
  g_tx = open(second, kModeWriteBinary);
  g_rx = open(line, kModeReadBinary);
}

// SYS_READ returns how many of the bytes asked for it did not read; all of them at the end of the
// file.
size_t read(uint8_t* to, size_t max) {
  const uint32_t block[3] = {static_cast<uint32_t>(g_rx), reinterpret_cast<uintptr_t>(to), max};
  const int32_t left = mps2::semihost(kSysRead, block);
  return left < 0 || static_cast<size_t>(left) > max ? 0 : max - static_cast<size_t>(left);
}

// Gathered, because a call costs the emulator more than the bytes it carries.
void write(const uint8_t* from, size_t n) {
  if (g_pending + n > sizeof g_out) flush();
  if (n > sizeof g_out) return write_out(from, n);
  std::memcpy(g_out + g_pending, from, n);
  g_pending += n;
}

void flush() {
  write_out(g_out, g_pending);
  g_pending = 0;
}

}  // namespace port
