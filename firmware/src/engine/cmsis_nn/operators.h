// What each kind of record runs: a CMSIS-NN kernel, or one of ours where CMSIS-NN has none or
// another rounding.
#pragma once

#include <cstdint>

#include "plan.gen.h"

namespace operators {

// Where a loaded plan's bytes are.
struct Memory {
  const uint8_t* plan;    // the whole plan, 16-byte aligned; nullptr: no model
  uint8_t* arena;         // the header's `arena_bytes`, 16-byte aligned: every tensor of the plan
  uint8_t* scratch;       // `scratch_bytes`, 16-byte aligned, for one kernel at a time
  int32_t scratch_bytes;  // the most that an operator of this plan asks for
};

// Both functions take a record of this kind that check_record() accepted (plan_check/plan_check.h).
struct Operator {
  plan::Kind kind;
  // Bytes that `run` needs at Memory::scratch, negative where CMSIS-NN cannot say. Asked on this
  // very core: it depends on DSP and MVE.
  int32_t (*scratch_bytes)(const plan::Head* head);
  // Reads the record's inputs in the arena and writes its output there. False where the kernel
  // refused its arguments.
  bool (*run)(const plan::Head* head, const Memory& memory);
};

// nullptr for a kind this engine does not run.
const Operator* find(uint16_t kind);

}  // namespace operators
