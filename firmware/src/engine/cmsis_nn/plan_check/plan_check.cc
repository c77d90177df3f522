#include "engine/cmsis_nn/plan_check/plan_check.h"

#include <algorithm>
#include <cstring>

#include "common/crc32.h"

namespace plan {
namespace {

constexpr uint32_t kInt8 = 9, kInt16 = 7;  // TFLite's TensorType
constexpr uint64_t kTooMuch = uint64_t{1} << 32;

Reason check_edge(const wire::Tensor& tensor, uint32_t offset, uint32_t arena_bytes) {
  const uint64_t bytes = edge_bytes(tensor);
  if (tensor.dtype != kInt8 && tensor.dtype != kInt16)
    return "edge tensor is neither int8 nor int16";
  if (bytes == 0 || bytes > wire::kMaxTensor) return "edge tensor's size";
  if (offset % kArenaAlign != 0 || offset + bytes > arena_bytes)
    return "edge tensor outside the arena";
  return nullptr;
}

}  // namespace

uint64_t edge_bytes(const wire::Tensor& tensor) {
  uint64_t bytes = tensor.dtype == kInt16 ? 2 : 1;
  for (uint32_t n : tensor.dims)
    bytes = std::min<uint64_t>(bytes * std::min<uint64_t>(n, kTooMuch), kTooMuch);
  return bytes;
}

Reason check_header(const uint8_t* plan, size_t bytes) {
  PlanHeader header;
  if (reinterpret_cast<uintptr_t>(plan) % kConstantAlign != 0) return "plan not aligned";
  if (bytes < sizeof header) return "shorter than its header";
  memcpy(&header, plan, sizeof header);
  if (memcmp(header.magic, kMagic, sizeof kMagic) != 0) return "not a plan";
  if (header.layout != kLayout) return "plan of another layout version";
  if (header.total_bytes != bytes) return "total size";
  constexpr size_t kAfterCrc = offsetof(PlanHeader, crc) + sizeof header.crc;
  if (header.crc != common::crc32(0, plan + kAfterCrc, bytes - kAfterCrc)) return "checksum";
  if (header.n_ops == 0 || header.n_ops > kMaxOps) return "number of records";
  if (header.ops_bytes % 4 != 0 || header.ops_bytes > bytes - sizeof header)
    return "size of the records";
  if (header.arena_bytes > INT32_MAX) return "arena size";
  uint64_t at = 0;
  for (uint32_t i = 0; i < header.n_ops; ++i) {
    if (header.ops_bytes - at < sizeof(Head)) return "records cut short";
    Head head;
    memcpy(&head, plan + sizeof header + at, sizeof head);
    if (head.bytes < sizeof head || head.bytes % 4 != 0 || head.bytes > header.ops_bytes - at)
      return "record size";
    at += head.bytes;
  }
  if (at != header.ops_bytes) return "bytes after the last record";
  if (Reason reason = check_edge(header.input, header.input_offset, header.arena_bytes))
    return reason;
  return check_edge(header.output, header.output_offset, header.arena_bytes);
}

}  // namespace plan
