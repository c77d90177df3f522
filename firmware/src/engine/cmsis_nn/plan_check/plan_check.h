// Everything that must hold before a kernel may run on a plan. Plans come over the wire: nothing in
// them is trusted.
#pragma once

#include <cstddef>
#include <cstdint>

#include "plan.gen.h"

namespace plan {

// Why a plan or record was refused; nullptr where it was not. Always a string literal.
using Reason = const char*;

// Magic, layout, sizes, checksum, edge tensors, and that the records fill their part. `bytes` are
// what is really there; `plan` is 16-byte aligned.
Reason check_header(const uint8_t* plan, size_t bytes);

// One record of a plan whose header and earlier records were accepted: its constants lie in the
// plan, its tensors in the arena, its inputs are tensors that stand there by then, its shapes are
// those of TFLite's SAME or VALID, its numbers in the range that the kernels are defined for.
Reason check_record(const uint8_t* plan, const Head* head);

// That the model's output stands in the arena after the last record of a plan whose records were
// all accepted.
Reason check_output(const uint8_t* plan);

// Whether these bytes of the arena are one whole tensor when the record at `before` begins: the
// model's input, or an earlier record's output, with nothing written over any of it since. Looks at
// every earlier record once and needs no memory: a plan of n records takes n * (n + 1) looks at
// most.
bool holds_tensor(const uint8_t* plan, const uint8_t* before, uint32_t offset, uint64_t bytes);

// Whether two ranges share a byte.
bool overlap(uint64_t a, uint64_t a_bytes, uint64_t b, uint64_t b_bytes);

const char* name(Kind kind);

// Bytes of an edge tensor, saturated beyond 32 bits.
uint64_t edge_bytes(const wire::Tensor& tensor);

}  // namespace plan
