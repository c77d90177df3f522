// One operator record under its checks: what the kinds of records have in common.
#pragma once

#include <algorithm>
#include <cstring>

#include "engine/cmsis_nn/plan_check/plan_check.h"

namespace plan {

inline constexpr uint64_t kTooMuch = uint64_t{1} << 32;

// What depends on the type of the activations. int16 ones are symmetric: their zero point is 0.
struct Activations {
  uint32_t bytes;
  int32_t lowest, highest;
  int32_t lowest_zero, highest_zero;
  uint64_t mean_count, pool_count;
  int32_t add_left_shift;  // TFLite's; CMSIS-NN's packed path for int8 needs 16..22
  int32_t sum_shift;       // largest left shift of the kernels with weights
  uint32_t bias_bytes;
};

// Saturates at kTooMuch, which exceeds every size that is compared with it.
template <typename... Factor>
uint64_t product(Factor... factor) {
  uint64_t out = 1;
  for (uint64_t next : {uint64_t{factor}...}) {
    if (next >= kTooMuch) return kTooMuch;
    out = std::min(out * next, kTooMuch);
  }
  return out;
}

inline uint64_t elements(const uint32_t (&dims)[4]) {
  return product(dims[0], dims[1], dims[2], dims[3]);
}

// One axis of a sliding window: TFLite's VALID (no padding) or SAME, nothing between.
inline bool window_fits(uint32_t in, uint32_t out, uint32_t kernel, uint32_t stride,
                        uint32_t dilation, uint32_t pad) {
  for (uint32_t n : {in, out, kernel, stride, dilation}) {
    if (n == 0 || n > kMaxExtent) return false;
  }
  const int64_t reach = (int64_t{kernel} - 1) * dilation + 1;
  if (reach > kMaxExtent) return false;
  if (pad == 0 && reach <= in && out == (in - reach) / stride + 1) return true;
  const int64_t padding = std::max<int64_t>(0, (int64_t{out} - 1) * stride + reach - in);
  return out == (int64_t{in} + stride - 1) / stride && pad == padding / 2;
}

inline bool scaling(int32_t multiplier, int32_t shift, int32_t longest = 30) {
  return multiplier >= 0 && shift >= -31 && shift <= longest;
}

// Keeps the first reason; later checks may rely on earlier ones only through ok(). Tensors are
// given in elements.
class Check {
 public:
  Check(const uint8_t* plan, const Head& head, const Activations& activations)
      : type(activations), plan_(plan), head_(head) {
    memcpy(&header_, plan, sizeof header_);
  }

  const Activations& type;

  bool ok() const { return !reason_; }
  Reason reason() const { return reason_; }

  void require(bool holds, Reason otherwise) {
    if (!holds && !reason_) reason_ = otherwise;
  }

  void output(uint64_t elements) {
    const uint64_t bytes = elements * type.bytes;
    require(bytes == head_.output_bytes, "output size");
    require(in_arena(head_.output, bytes), "output outside the arena");
  }

  // A tensor that stands in the arena by now. The kernel reads it while it writes the output: apart
  // from it, or where the kernel allows it, the same.
  void input(uint32_t offset, uint64_t elements, bool in_place = false) {
    const uint64_t bytes = elements * type.bytes;
    require(in_arena(offset, bytes), "input outside the arena");
    require(holds_tensor(plan_, reinterpret_cast<const uint8_t*>(&head_), offset, bytes),
            "input not written before, or written over");
    if (in_place && offset == head_.output && bytes == head_.output_bytes) return;
    require(!overlap(offset, bytes, head_.output, head_.output_bytes), "input and output overlap");
  }

  void constant(uint32_t offset, uint64_t bytes) {
    const uint64_t first = sizeof(PlanHeader) + uint64_t{header_.ops_bytes};
    require(
        offset % kConstantAlign == 0 && offset >= first && offset + bytes <= header_.total_bytes,
        "constant outside the plan");
  }

  void activation(int32_t low, int32_t high) {
    require(low >= type.lowest && low <= high && high <= type.highest, "activation range");
  }

  void zero_point(int64_t value) {
    require(value >= type.lowest_zero && value <= type.highest_zero, "zero point");
  }

  // Tables of one entry per output channel: int32 multipliers and shifts, biases of `bias_bytes`.
  void channels(uint32_t count, uint32_t bias, uint32_t bias_bytes, uint32_t multiplier,
                uint32_t shift, int32_t longest) {
    constant(bias, uint64_t{count} * bias_bytes);
    for (uint32_t offset : {multiplier, shift}) constant(offset, uint64_t{count} * 4);
    for (uint32_t i = 0; ok() && i < count; ++i) {
      require(scaling(entry<int32_t>(multiplier, i), entry<int32_t>(shift, i), longest), "scaling");
    }
  }

  // A table of SOFTMAX_S16. With exponentials above 0, and half at least for the largest element, a
  // row's sum cannot vanish.
  void exponentials(uint32_t offset) {
    constant(offset, kTableEntries * sizeof(int16_t));
    for (uint32_t i = 0; ok() && i < kTableEntries; ++i) {
      require(entry<int16_t>(offset, i) >= (i + 2 < kTableEntries ? 1 : 1 << 14), "exponentials");
    }
  }

 private:
  bool in_arena(uint64_t offset, uint64_t bytes) const {
    return offset % kArenaAlign == 0 && bytes > 0 && offset + bytes <= header_.arena_bytes;
  }

  template <typename Entry>
  Entry entry(uint32_t offset, uint32_t i) const {
    Entry value;
    memcpy(&value, plan_ + offset + size_t{i} * sizeof value, sizeof value);
    return value;
  }

  const uint8_t* plan_;
  const Head& head_;
  PlanHeader header_;
  Reason reason_ = nullptr;
};

}  // namespace plan
