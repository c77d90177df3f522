#include "plan_check.h"

#include <algorithm>
#include <cstring>

#include "frame.h"

namespace plan {
namespace {

constexpr uint32_t kInt8 = 9;                 // TFLite's TensorType_INT8
constexpr uint32_t kMaxExtent = 32767;        // CMSIS-NN keeps positions of convolutions in int16
constexpr uint64_t kMaxColumn = 65535;        // and the length of an im2col column in uint16
constexpr uint64_t kMaxMeanCount = 1u << 23;  // 255 times as much still fits into int32
constexpr uint32_t kMaxSoftmaxRow = 4095;     // its sum of Q12.19 exponentials still fits into int32
constexpr int32_t kAddLeftShift = 20;         // TFLite's for int8; CMSIS-NN's packed path needs 16..22
constexpr uint64_t kTooMuch = uint64_t{1} << 32;

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

bool zero_point(int64_t value) { return value >= -128 && value <= 127; }
bool scaling(int32_t multiplier, int32_t shift) { return multiplier >= 0 && shift >= -31 && shift <= 30; }

// Keeps the first reason; later checks may rely on earlier ones only through ok().
class Check {
 public:
  Check(const uint8_t* plan, const Head& head) : plan_(plan), head_(head) { memcpy(&header_, plan, sizeof header_); }

  bool ok() const { return !reason_; }
  Reason reason() const { return reason_; }

  void require(bool holds, Reason otherwise) {
    if (!holds && !reason_) reason_ = otherwise;
  }

  void output(uint64_t bytes) {
    require(bytes == head_.output_bytes, "output size");
    require(in_arena(head_.output, bytes), "output outside the arena");
  }

  // An input the kernel reads while it writes the output: apart from it, or where the kernel allows it, the same.
  void input(uint32_t offset, uint64_t bytes, bool in_place = false) {
    require(in_arena(offset, bytes), "input outside the arena");
    if (in_place && offset == head_.output && bytes == head_.output_bytes) return;
    require(!overlap(offset, bytes, head_.output, head_.output_bytes), "input and output overlap");
  }

  void constant(uint32_t offset, uint64_t bytes) {
    const uint64_t first = sizeof(PlanHeader) + uint64_t{header_.ops_bytes};
    require(offset % kConstantAlign == 0 && offset >= first && offset + bytes <= header_.total_bytes,
            "constant outside the plan");
  }

  void activation(int32_t low, int32_t high) { require(low >= -128 && low <= high && high <= 127, "activation range"); }

  // int32 tables of one entry per output channel.
  void channels(uint32_t count, uint32_t bias, uint32_t multiplier, uint32_t shift) {
    const uint64_t bytes = uint64_t{count} * 4;
    for (uint32_t offset : {bias, multiplier, shift}) constant(offset, bytes);
    for (uint32_t i = 0; ok() && i < count; ++i) require(scaling(entry(multiplier, i), entry(shift, i)), "scaling");
  }

 private:
  bool in_arena(uint64_t offset, uint64_t bytes) const {
    return offset % kArenaAlign == 0 && bytes > 0 && offset + bytes <= header_.arena_bytes;
  }

  int32_t entry(uint32_t offset, uint32_t i) const {
    int32_t value;
    memcpy(&value, plan_ + offset + size_t{i} * 4, sizeof value);
    return value;
  }

  const uint8_t* plan_;
  const Head& head_;
  PlanHeader header_;
  Reason reason_ = nullptr;
};

// What CONV_2D and DEPTHWISE_CONV_2D share.
template <typename Record>
void check_sliding(Check* check, const Record& r) {
  check->require(r.in_c > 0 && r.in_c <= kMaxExtent && r.out_c > 0 && r.out_c <= kMaxExtent, "channels");
  check->require(window_fits(r.in_h, r.out_h, r.k_h, r.stride_h, r.dilation_h, r.pad_h), "vertical geometry");
  check->require(window_fits(r.in_w, r.out_w, r.k_w, r.stride_w, r.dilation_w, r.pad_w), "horizontal geometry");
  check->output(product(r.out_h, r.out_w, r.out_c));
  check->input(r.input, product(r.in_h, r.in_w, r.in_c));
  check->require(zero_point(-int64_t{r.input_offset}) && zero_point(r.output_offset), "zero point");
  check->activation(r.act_min, r.act_max);
  if (check->ok()) check->channels(r.out_c, r.bias, r.multiplier, r.shift);
}

void check(Check* check, const Conv& r) {
  check_sliding(check, r);
  check->require(product(r.k_h, r.k_w, r.in_c) <= kMaxColumn, "kernel too large");
  check->constant(r.weights, product(r.out_c, r.k_h, r.k_w, r.in_c));
}

void check(Check* check, const DepthwiseConv& r) {
  check_sliding(check, r);
  check->require(product(r.in_c, r.ch_mult) == r.out_c, "channel multiplier");
  check->constant(r.weights, product(r.k_h, r.k_w, r.out_c));
}

void check(Check* check, const FullyConnected& r) {
  check->require(r.depth > 0 && r.depth <= kMaxDim && r.out_c > 0 && r.out_c <= kMaxDim, "channels");
  check->output(r.out_c);
  check->input(r.input, r.depth);
  check->require(zero_point(-int64_t{r.input_offset}) && zero_point(r.output_offset), "zero point");
  check->require(scaling(r.multiplier, r.shift), "scaling");
  check->activation(r.act_min, r.act_max);
  check->constant(r.weights, product(r.out_c, r.depth));
  check->constant(r.bias, uint64_t{r.out_c} * 4);
}

void check(Check* check, const Add& r) {
  check->output(r.count);
  check->input(r.input1, r.count, true);
  check->input(r.input2, r.count, true);
  check->require(r.left_shift == kAddLeftShift, "left shift");
  check->require(zero_point(-int64_t{r.input1_offset}) && zero_point(-int64_t{r.input2_offset}), "zero point");
  check->require(zero_point(r.output_offset), "zero point");
  check->require(scaling(r.input1_multiplier, r.input1_shift) && scaling(r.input2_multiplier, r.input2_shift) &&
                     scaling(r.output_multiplier, r.output_shift),
                 "scaling");
  check->activation(r.act_min, r.act_max);
}

void check(Check* check, const Pool& r) {
  check->require(r.channels > 0 && r.channels <= kMaxExtent, "channels");
  check->require(window_fits(r.in_h, r.out_h, r.k_h, r.stride_h, 1, r.pad_h), "vertical geometry");
  check->require(window_fits(r.in_w, r.out_w, r.k_w, r.stride_w, 1, r.pad_w), "horizontal geometry");
  check->output(product(r.out_h, r.out_w, r.channels));
  check->input(r.input, product(r.in_h, r.in_w, r.channels));
  check->activation(r.act_min, r.act_max);
}

void check(Check* check, const Mean& r) {
  check->require(product(r.in_h, r.in_w) <= kMaxMeanCount, "too many elements");
  check->output(r.channels);
  check->input(r.input, product(r.in_h, r.in_w, r.channels));
  check->require(zero_point(r.input_zero_point) && zero_point(r.output_zero_point), "zero point");
  check->require(scaling(r.multiplier, r.shift), "scaling");
}

void check(Check* check, const Pad& r) {
  check->require(r.in_dims[0] == 1 && r.before[0] == 0 && r.after[0] == 0, "batch");
  uint64_t padded = 1;
  for (int axis = 1; axis < 4; ++axis) {
    check->require(r.in_dims[axis] > 0 && r.in_dims[axis] <= kMaxDim, "dimension");
    check->require(r.before[axis] <= kMaxDim && r.after[axis] <= kMaxDim, "padding");
    padded = product(padded, uint64_t{r.in_dims[axis]} + r.before[axis] + r.after[axis]);
  }
  check->output(padded);
  check->input(r.input, elements(r.in_dims));
  check->require(r.value >= -128 && r.value <= 127, "padding value");
}

void check(Check* check, const Reshape& r) {
  check->output(r.head.output_bytes);
  check->input(r.input, r.head.output_bytes, true);
}

void check(Check* check, const Softmax& r) {
  check->require(r.row_size > 0 && r.row_size <= kMaxSoftmaxRow, "row size");
  check->output(product(r.rows, r.row_size));
  check->input(r.input, product(r.rows, r.row_size), true);
  check->require(r.multiplier >= 0 && r.shift >= 0 && r.shift <= 30, "scaling");
  // Differences from diff_min on are shifted left by `shift`: they must stay in int32.
  check->require(r.diff_min <= 0 && check->ok() && (-int64_t{r.diff_min} << r.shift) <= (int64_t{1} << 31),
                 "difference range");
}

void check(Check* check, const Quantize& r) {
  check->output(r.count);
  check->input(r.input, r.count, true);
  check->require(zero_point(r.input_zero_point) && zero_point(r.output_zero_point), "zero point");
  check->require(scaling(r.multiplier, r.shift), "scaling");
}

template <typename Record>
Reason check_as(const uint8_t* plan, const Head* head) {
  Check result(plan, *head);
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
};

const Entry* find(Kind kind) {
  for (const Entry& entry : kKinds) {
    if (entry.kind == kind) return &entry;
  }
  return nullptr;
}

Reason check_edge(const wire::Tensor& tensor, uint32_t offset, uint32_t arena_bytes) {
  const uint64_t bytes = elements(tensor.dims);
  if (tensor.dtype != kInt8) return "edge tensor is not int8";
  if (bytes == 0 || bytes > wire::kMaxTensor) return "edge tensor's size";
  if (offset % kArenaAlign != 0 || offset + bytes > arena_bytes) return "edge tensor outside the arena";
  return nullptr;
}

}  // namespace

const char* name(Kind kind) {
  const Entry* entry = find(kind);
  return entry ? entry->name : "unknown operator";
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
  if (header.crc != frame::crc32(0, plan + kAfterCrc, bytes - kAfterCrc)) return "checksum";
  if (header.n_ops == 0 || header.n_ops > kMaxOps) return "number of records";
  if (header.ops_bytes % 4 != 0 || header.ops_bytes > bytes - sizeof header) return "size of the records";
  if (header.arena_bytes > INT32_MAX) return "arena size";
  uint64_t at = 0;
  for (uint32_t i = 0; i < header.n_ops; ++i) {
    if (header.ops_bytes - at < sizeof(Head)) return "records cut short";
    Head head;
    memcpy(&head, plan + sizeof header + at, sizeof head);
    if (head.bytes < sizeof head || head.bytes % 4 != 0 || head.bytes > header.ops_bytes - at) return "record size";
    at += head.bytes;
  }
  if (at != header.ops_bytes) return "bytes after the last record";
  if (Reason reason = check_edge(header.input, header.input_offset, header.arena_bytes)) return reason;
  return check_edge(header.output, header.output_offset, header.arena_bytes);
}

Reason check_record(const uint8_t* plan, const Head* head) {
  const Entry* entry = find(static_cast<Kind>(head->kind));
  if (!entry) return "kind";
  if (head->bytes != record_bytes(entry->kind)) return "record size";
  return entry->check(plan, head);
}

}  // namespace plan
