// Everything that must hold before a kernel may run on a plan. Plans come over the wire: nothing in them is trusted.
#pragma once

#include <cstddef>
#include <cstdint>

#include "plan.gen.h"

namespace plan {

// Why a plan or record was refused; nullptr where it was not. Always a string literal.
using Reason = const char*;

// Magic, layout, sizes, checksum, edge tensors, and that the records fill their part. `bytes` are what is really
// there; `plan` is 16-byte aligned.
Reason check_header(const uint8_t* plan, size_t bytes);

// One record of a plan whose header was accepted: its constants lie in the plan, its tensors in the arena, its shapes
// are those of TFLite's SAME or VALID, its numbers in the range that the kernels are defined for.
Reason check_record(const uint8_t* plan, const Head* head);

const char* name(Kind kind);

// Bytes of an edge tensor, saturated beyond 32 bits.
uint64_t edge_bytes(const wire::Tensor& tensor);

}  // namespace plan
