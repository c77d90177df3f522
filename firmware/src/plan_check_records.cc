// The checks of each kind of record. What a kernel relies on is listed here and nowhere else.
#include <algorithm>
#include <cstring>
#include <limits>

#include "plan_check.h"

namespace plan {
namespace {

constexpr uint64_t kTooMuch = uint64_t{1} << 32;

// Bounds that depend on the type of the activations. int16 ones are symmetric: their zero point is 0.
template <typename T>
struct Limits;

template <>
struct Limits<int8_t> {
  static constexpr int64_t kLowestZero = -128, kHighestZero = 127;
  static constexpr uint64_t kMeanCount = kMaxMeanCount, kPoolCount = kTooMuch;
  static constexpr int32_t kAddLeftShift = 20;  // TFLite's; CMSIS-NN's packed path needs 16..22
  static constexpr int32_t kSumShift = 30;
  static constexpr uint32_t kBiasBytes = 4;
};

template <>
struct Limits<int16_t> {
  static constexpr int64_t kLowestZero = 0, kHighestZero = 0;
  static constexpr uint64_t kMeanCount = kMaxCountS16, kPoolCount = kMaxCountS16;
  static constexpr int32_t kAddLeftShift = 15;
  static constexpr int32_t kSumShift = kMaxShiftS16;
  static constexpr uint32_t kBiasBytes = 8;
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

uint64_t elements(const uint32_t (&dims)[4]) { return product(dims[0], dims[1], dims[2], dims[3]); }

bool overlap(uint64_t a, uint64_t a_bytes, uint64_t b, uint64_t b_bytes) { return a < b + b_bytes && b < a + a_bytes; }

// One axis of a sliding window: TFLite's VALID (no padding) or SAME, nothing between.
bool window_fits(uint32_t in, uint32_t out, uint32_t kernel, uint32_t stride, uint32_t dilation, uint32_t pad) {
  for (uint32_t n : {in, out, kernel, stride, dilation}) {
    if (n == 0 || n > kMaxExtent) return false;
  }
  const int64_t reach = (int64_t{kernel} - 1) * dilation + 1;
  if (reach > kMaxExtent) return false;
  if (pad == 0 && reach <= in && out == (in - reach) / stride + 1) return true;
  const int64_t padding = std::max<int64_t>(0, (int64_t{out} - 1) * stride + reach - in);
  return out == (int64_t{in} + stride - 1) / stride && pad == padding / 2;
}

template <typename T>
bool zero_point(int64_t value) {
  return value >= Limits<T>::kLowestZero && value <= Limits<T>::kHighestZero;
}

bool scaling(int32_t multiplier, int32_t shift, int32_t longest = 30) {
  return multiplier >= 0 && shift >= -31 && shift <= longest;
}

// Keeps the first reason; later checks may rely on earlier ones only through ok(). T is the type of the activations;
// tensors are given in elements.
template <typename T>
class Check {
 public:
  Check(const uint8_t* plan, const Head& head) : plan_(plan), head_(head) { memcpy(&header_, plan, sizeof header_); }

  bool ok() const { return !reason_; }
  Reason reason() const { return reason_; }

  void require(bool holds, Reason otherwise) {
    if (!holds && !reason_) reason_ = otherwise;
  }

  void output(uint64_t elements) {
    const uint64_t bytes = elements * sizeof(T);
    require(bytes == head_.output_bytes, "output size");
    require(in_arena(head_.output, bytes), "output outside the arena");
  }

  // An input the kernel reads while it writes the output: apart from it, or where the kernel allows it, the same.
  void input(uint32_t offset, uint64_t elements, bool in_place = false) {
    const uint64_t bytes = elements * sizeof(T);
    require(in_arena(offset, bytes), "input outside the arena");
    if (in_place && offset == head_.output && bytes == head_.output_bytes) return;
    require(!overlap(offset, bytes, head_.output, head_.output_bytes), "input and output overlap");
  }

  void constant(uint32_t offset, uint64_t bytes) {
    const uint64_t first = sizeof(PlanHeader) + uint64_t{header_.ops_bytes};
    require(offset % kConstantAlign == 0 && offset >= first && offset + bytes <= header_.total_bytes,
            "constant outside the plan");
  }

  void activation(int32_t low, int32_t high) {
    require(low >= std::numeric_limits<T>::min() && low <= high && high <= std::numeric_limits<T>::max(),
            "activation range");
  }

  // Tables of one entry per output channel: int32 multipliers and shifts, biases of `bias_bytes`.
  void channels(uint32_t count, uint32_t bias, uint32_t bias_bytes, uint32_t multiplier, uint32_t shift,
                int32_t longest) {
    constant(bias, uint64_t{count} * bias_bytes);
    for (uint32_t offset : {multiplier, shift}) constant(offset, uint64_t{count} * 4);
    for (uint32_t i = 0; ok() && i < count; ++i) {
      require(scaling(entry<int32_t>(multiplier, i), entry<int32_t>(shift, i), longest), "scaling");
    }
  }

  // A table of SOFTMAX_S16. With exponentials above 0, and half at least for the largest element, a row's sum cannot
  // vanish.
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

// What CONV_2D and DEPTHWISE_CONV_2D share.
template <typename T, typename Record>
void check_sliding(Check<T>* check, const Record& r, uint32_t bias_bytes, int32_t longest) {
  check->require(r.in_c > 0 && r.in_c <= kMaxExtent && r.out_c > 0 && r.out_c <= kMaxExtent, "channels");
  check->require(window_fits(r.in_h, r.out_h, r.k_h, r.stride_h, r.dilation_h, r.pad_h), "vertical geometry");
  check->require(window_fits(r.in_w, r.out_w, r.k_w, r.stride_w, r.dilation_w, r.pad_w), "horizontal geometry");
  check->output(product(r.out_h, r.out_w, r.out_c));
  check->input(r.input, product(r.in_h, r.in_w, r.in_c));
  check->require(zero_point<T>(-int64_t{r.input_offset}) && zero_point<T>(r.output_offset), "zero point");
  check->activation(r.act_min, r.act_max);
  if (check->ok()) check->channels(r.out_c, r.bias, bias_bytes, r.multiplier, r.shift, longest);
}

template <typename T>
void check(Check<T>* check, const Conv& r) {
  const bool int32_sums = r.head.kind == static_cast<uint16_t>(Kind::kConv2dS16B32);
  check_sliding(check, r, int32_sums ? 4 : Limits<T>::kBiasBytes, int32_sums ? 30 : Limits<T>::kSumShift);
  check->require(product(r.k_h, r.k_w, r.in_c) <= kMaxColumn, "kernel too large");
  check->constant(r.weights, product(r.out_c, r.k_h, r.k_w, r.in_c));
}

template <typename T>
void check(Check<T>* check, const DepthwiseConv& r) {
  check_sliding(check, r, Limits<T>::kBiasBytes, Limits<T>::kSumShift);
  check->require(product(r.in_c, r.ch_mult) == r.out_c, "channel multiplier");
  check->constant(r.weights, product(r.k_h, r.k_w, r.out_c));
}

template <typename T>
void check(Check<T>* check, const FullyConnected& r) {
  check->require(r.depth > 0 && r.depth <= kMaxDim && r.out_c > 0 && r.out_c <= kMaxDim, "channels");
  check->output(r.out_c);
  check->input(r.input, r.depth);
  check->require(zero_point<T>(-int64_t{r.input_offset}) && zero_point<T>(r.output_offset), "zero point");
  check->require(scaling(r.multiplier, r.shift, Limits<T>::kSumShift), "scaling");
  check->activation(r.act_min, r.act_max);
  check->constant(r.weights, product(r.out_c, r.depth));
  check->constant(r.bias, uint64_t{r.out_c} * Limits<T>::kBiasBytes);
}

template <typename T>
void check(Check<T>* check, const Add& r) {
  check->output(r.count);
  check->input(r.input1, r.count, true);
  check->input(r.input2, r.count, true);
  check->require(r.left_shift == Limits<T>::kAddLeftShift, "left shift");
  check->require(zero_point<T>(-int64_t{r.input1_offset}) && zero_point<T>(-int64_t{r.input2_offset}), "zero point");
  check->require(zero_point<T>(r.output_offset), "zero point");
  check->require(scaling(r.input1_multiplier, r.input1_shift) && scaling(r.input2_multiplier, r.input2_shift) &&
                     scaling(r.output_multiplier, r.output_shift),
                 "scaling");
  check->activation(r.act_min, r.act_max);
}

template <typename T>
void check(Check<T>* check, const Pool& r) {
  check->require(r.channels > 0 && r.channels <= kMaxExtent, "channels");
  check->require(window_fits(r.in_h, r.out_h, r.k_h, r.stride_h, 1, r.pad_h), "vertical geometry");
  check->require(window_fits(r.in_w, r.out_w, r.k_w, r.stride_w, 1, r.pad_w), "horizontal geometry");
  check->require(product(r.k_h, r.k_w) <= Limits<T>::kPoolCount, "window too large");
  check->output(product(r.out_h, r.out_w, r.channels));
  check->input(r.input, product(r.in_h, r.in_w, r.channels));
  check->activation(r.act_min, r.act_max);
}

template <typename T>
void check(Check<T>* check, const Mean& r) {
  check->require(product(r.in_h, r.in_w) <= Limits<T>::kMeanCount, "too many elements");
  check->output(r.channels);
  check->input(r.input, product(r.in_h, r.in_w, r.channels));
  check->require(zero_point<T>(r.input_zero_point) && zero_point<T>(r.output_zero_point), "zero point");
  check->require(scaling(r.multiplier, r.shift), "scaling");
}

template <typename T>
void check(Check<T>* check, const Pad& r) {
  check->require(r.in_dims[0] == 1 && r.before[0] == 0 && r.after[0] == 0, "batch");
  uint64_t padded = 1;
  for (int axis = 1; axis < 4; ++axis) {
    check->require(r.in_dims[axis] > 0 && r.in_dims[axis] <= kMaxDim, "dimension");
    check->require(r.before[axis] <= kMaxDim && r.after[axis] <= kMaxDim, "padding");
    padded = product(padded, uint64_t{r.in_dims[axis]} + r.before[axis] + r.after[axis]);
  }
  check->output(padded);
  check->input(r.input, elements(r.in_dims));
  check->require(zero_point<T>(r.value), "padding value");
}

template <typename T>
void check(Check<T>* check, const Reshape& r) {
  check->output(r.head.output_bytes);
  check->input(r.input, r.head.output_bytes, true);
}

template <typename T>
void check(Check<T>* check, const Softmax& r) {
  check->require(r.row_size > 0 && r.row_size <= kMaxSoftmaxRow, "row size");
  check->output(product(r.rows, r.row_size));
  check->input(r.input, product(r.rows, r.row_size), true);
  check->require(r.multiplier >= 0 && r.shift >= 0 && r.shift <= 30, "scaling");
  // Differences from diff_min on are shifted left by `shift`: they must stay in int32.
  check->require(r.diff_min <= 0 && check->ok() && (-int64_t{r.diff_min} << r.shift) <= (int64_t{1} << 31),
                 "difference range");
}

template <typename T>
void check(Check<T>* check, const SoftmaxTable& r) {
  check->require(r.row_size > 0 && r.row_size <= kMaxDim, "row size");
  check->output(product(r.rows, r.row_size));
  check->input(r.input, product(r.rows, r.row_size), true);
  check->require(scaling(r.multiplier, r.shift, kMaxTableShift), "scaling");
  check->exponentials(r.exponential);
  check->constant(r.reciprocal, kTableEntries * sizeof(int16_t));
}

template <typename T>
void check(Check<T>* check, const Quantize& r) {
  check->output(r.count);
  check->input(r.input, r.count, true);
  check->require(zero_point<T>(r.input_zero_point) && zero_point<T>(r.output_zero_point), "zero point");
  check->require(scaling(r.multiplier, r.shift), "scaling");
}

template <typename Record, typename T = int8_t>
Reason check_as(const uint8_t* plan, const Head* head) {
  Check<T> result(plan, *head);
  check(&result, *reinterpret_cast<const Record*>(head));
  return result.reason();
}

struct Entry {
  Kind kind;
  const char* name;
  Reason (*check)(const uint8_t* plan, const Head* head);
};

constexpr Entry kKinds[] = {
    {Kind::kConv2dS8, "CONV_2D", check_as<Conv>},
    {Kind::kDepthwiseConv2dS8, "DEPTHWISE_CONV_2D", check_as<DepthwiseConv>},
    {Kind::kFullyConnectedS8, "FULLY_CONNECTED", check_as<FullyConnected>},
    {Kind::kAddS8, "ADD", check_as<Add>},
    {Kind::kAveragePool2dS8, "AVERAGE_POOL_2D", check_as<Pool>},
    {Kind::kMaxPool2dS8, "MAX_POOL_2D", check_as<Pool>},
    {Kind::kMeanS8, "MEAN", check_as<Mean>},
    {Kind::kPadS8, "PAD", check_as<Pad>},
    {Kind::kReshape, "RESHAPE", check_as<Reshape>},
    {Kind::kSoftmaxS8, "SOFTMAX", check_as<Softmax>},
    {Kind::kQuantizeS8, "QUANTIZE", check_as<Quantize>},
    {Kind::kConv2dS16, "CONV_2D", check_as<Conv, int16_t>},
    {Kind::kDepthwiseConv2dS16, "DEPTHWISE_CONV_2D", check_as<DepthwiseConv, int16_t>},
    {Kind::kFullyConnectedS16, "FULLY_CONNECTED", check_as<FullyConnected, int16_t>},
    {Kind::kAddS16, "ADD", check_as<Add, int16_t>},
    {Kind::kAveragePool2dS16, "AVERAGE_POOL_2D", check_as<Pool, int16_t>},
    {Kind::kMaxPool2dS16, "MAX_POOL_2D", check_as<Pool, int16_t>},
    {Kind::kMeanS16, "MEAN", check_as<Mean, int16_t>},
    {Kind::kPadS16, "PAD", check_as<Pad, int16_t>},
    {Kind::kSoftmaxS16, "SOFTMAX", check_as<SoftmaxTable, int16_t>},
    {Kind::kQuantizeS16, "QUANTIZE", check_as<Quantize, int16_t>},
    {Kind::kConv2dS16B32, "CONV_2D", check_as<Conv, int16_t>},
};

const Entry* find(Kind kind) {
  for (const Entry& entry : kKinds) {
    if (entry.kind == kind) return &entry;
  }
  return nullptr;
}

}  // namespace

const char* name(Kind kind) {
  const Entry* entry = find(kind);
  return entry ? entry->name : "unknown operator";
}

Reason check_record(const uint8_t* plan, const Head* head) {
  const Entry* entry = find(static_cast<Kind>(head->kind));
  if (!entry) return "kind";
  if (head->bytes != record_bytes(entry->kind)) return "record size";
  return entry->check(plan, head);
}

}  // namespace plan
