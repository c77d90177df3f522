#include "engine/builtin/builtin_plan.h"

// Weak, so that an image built around a plan just links its own definitions. They are only read at
// run time through these symbols: the attribute also keeps the compiler from folding the empty
// values in.
alignas(16) __attribute__((weak)) extern const uint8_t g_builtin_plan[] = {0};
__attribute__((weak)) extern const uint32_t g_builtin_plan_size = 0;
