// Which bytes of the arena an operator may read: those of one tensor, as they were written.
#include <cstring>

#include "engine/cmsis_nn/plan_check/plan_check.h"

namespace plan {
namespace {

const uint8_t* first_record(const uint8_t* plan) { return plan + sizeof(PlanHeader); }

}  // namespace

bool overlap(uint64_t a, uint64_t a_bytes, uint64_t b, uint64_t b_bytes) {
  return a < b + b_bytes && b < a + a_bytes;
}

bool holds_tensor(const uint8_t* plan, const uint8_t* before, uint32_t offset, uint64_t bytes) {
  PlanHeader header;
  memcpy(&header, plan, sizeof header);
  bool whole = offset == header.input_offset && bytes == edge_bytes(header.input);
  Head head;
  for (const uint8_t* at = first_record(plan); at < before; at += head.bytes) {
    memcpy(&head, at, sizeof head);
    if (!overlap(offset, bytes, head.output, head.output_bytes)) continue;
    whole = offset == head.output && bytes == head.output_bytes;
  }
  return whole;
}

Reason check_output(const uint8_t* plan) {
  PlanHeader header;
  memcpy(&header, plan, sizeof header);
  const uint8_t* const end = first_record(plan) + header.ops_bytes;
  const uint64_t bytes = edge_bytes(header.output);
  if (!holds_tensor(plan, end, header.output_offset, bytes))
    return "output not written, or written over";
  return nullptr;
}

}  // namespace plan
