// What TensorFlow Lite Micro leaves to its user. Without its headers: the arguments of DebugLog
// have changed over the years, and none of them is looked at.
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>

// It may not print here: the port speaks the protocol.
extern "C" void DebugLog(const char*) {}

extern "C" int DebugVsnprintf(char* to, size_t n, const char* format, va_list values) {
  return vsnprintf(to, n, format, values);
}

// The loop over the operators is compiled with error strings (tflm.txt), and nothing else.
void MicroPrintf(const char*, ...) {}

// Destructors that are never run, and abort(), refer to newlib's heap. A board has none: whoever
// asks is refused.
extern "C" void* _sbrk(ptrdiff_t) { return reinterpret_cast<void*>(-1); }

namespace tflite {

void InitializeTarget() {}

uint32_t ticks_per_second() { return 0; }

uint32_t GetCurrentTimeTicks() { return 0; }

}  // namespace tflite
