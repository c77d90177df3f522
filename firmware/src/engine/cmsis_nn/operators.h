// What each kind of record runs: a CMSIS-NN kernel, or one of ours where CMSIS-NN has none or
// another rounding.
#pragma once

#include <cstdint>

#include "plan.gen.h"

namespace operators {

// Where a loaded plan's bytes are.
struct Memory {
  const uint8_t* plan;  // nullptr: no model
  uint8_t* arena;
  uint8_t* scratch;
  int32_t scratch_bytes;
};

struct Operator {
  plan::Kind kind;
  int32_t (*scratch_bytes)(
      const plan::Head* head);  // asked on this very core: it depends on DSP and MVE
  bool (*run)(const plan::Head* head, const Memory& memory);
};

// nullptr for a kind this engine does not run.
const Operator* find(uint16_t kind);

}  // namespace operators
