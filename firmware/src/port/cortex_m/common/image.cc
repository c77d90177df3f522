// What the linker scripts of ld/ know: the pool, the stack, and which image this is.
#include <cstring>

#include "port/port.h"

extern "C" {
extern uint8_t __pool_start[], __pool_end[];
extern uint32_t __stack_bottom[], __stack_top[];
extern const uint8_t __build_id[];
}

namespace port {

uint8_t* pool(size_t* bytes) {
  *bytes = static_cast<size_t>(__pool_end - __pool_start);
  return __pool_start;
}

// The startup code painted the stack: what is still paint has never been used.
Stack stack() {
  const uint32_t* used = __stack_bottom;
  while (used < __stack_top && *used == kStackPaint) ++used;
  return {static_cast<uint32_t>(__stack_top - __stack_bottom) * 4,
          static_cast<uint32_t>(__stack_top - used) * 4};
}

// The ELF note: name size, descriptor size, type, "GNU\0", then the descriptor.
void build_id(uint8_t (&to)[20]) { std::memcpy(to, __build_id + 16, sizeof to); }

}  // namespace port
