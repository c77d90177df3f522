// A plan linked into flash: the file that emits one defines both symbols; without one they are
// empty.
#pragma once

#include <cstdint>

extern const uint8_t g_builtin_plan[];  // 16-byte aligned
extern const uint32_t g_builtin_plan_size;
