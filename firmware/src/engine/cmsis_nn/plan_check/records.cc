// The checks of each kind of record. What a kernel relies on is listed here and nowhere else.
#include "engine/cmsis_nn/plan_check/record_check.h"

namespace plan {
namespace {

constexpr Activations kInt8 = {1, -128, 127, -128, 127, kMaxMeanCount, kTooMuch, 20, 30, 4};
constexpr Activations kInt16 = {2,  -32768,       32767, 0, 0, kMaxCountS16, kMaxCountS16,
                                15, kMaxShiftS16, 8};

// What CONV_2D and DEPTHWISE_CONV_2D share.
template <typename Record>
void check_sliding(Check* check, const Record& r, uint32_t bias_bytes, int32_t longest) {
  check->require(r.in_c > 0 && r.in_c <= kMaxExtent && r.out_c > 0 && r.out_c <= kMaxExtent,
                 "channels");
  check->require(window_fits(r.in_h, r.out_h, r.k_h, r.stride_h, r.dilation_h, r.pad_h),
                 "vertical geometry");
  check->require(window_fits(r.in_w, r.out_w, r.k_w, r.stride_w, r.dilation_w, r.pad_w),
                 "horizontal geometry");
  check->output(product(r.out_h, r.out_w, r.out_c));
  check->input(r.input, product(r.in_h, r.in_w, r.in_c));
  check->zero_point(-int64_t{r.input_offset});
  check->zero_point(r.output_offset);
  check->activation(r.act_min, r.act_max);
  if (check->ok()) check->channels(r.out_c, r.bias, bias_bytes, r.multiplier, r.shift, longest);
}

void check(Check* check, const Conv& r) {
  const bool int32_sums = r.head.kind == static_cast<uint16_t>(Kind::kConv2dS16B32);
  check_sliding(check, r, int32_sums ? 4 : check->type.bias_bytes,
                int32_sums ? 30 : check->type.sum_shift);
  check->require(product(r.k_h, r.k_w, r.in_c) <= kMaxColumn, "kernel too large");
  check->constant(r.weights, product(r.out_c, r.k_h, r.k_w, r.in_c));
}

void check(Check* check, const DepthwiseConv& r) {
  check_sliding(check, r, check->type.bias_bytes, check->type.sum_shift);
  check->require(product(r.in_c, r.ch_mult) == r.out_c, "channel multiplier");
  check->constant(r.weights, product(r.k_h, r.k_w, r.out_c));
}

void check(Check* check, const FullyConnected& r) {
  check->require(r.depth > 0 && r.depth <= kMaxDim && r.out_c > 0 && r.out_c <= kMaxDim,
                 "channels");
  check->output(r.out_c);
  check->input(r.input, r.depth);
  check->zero_point(-int64_t{r.input_offset});
  check->zero_point(r.output_offset);
  check->require(scaling(r.multiplier, r.shift, check->type.sum_shift), "scaling");
  check->activation(r.act_min, r.act_max);
  check->constant(r.weights, product(r.out_c, r.depth));
  check->constant(r.bias, uint64_t{r.out_c} * check->type.bias_bytes);
}

void check(Check* check, const Add& r) {
  check->output(r.count);
  check->input(r.input1, r.count, true);
  check->input(r.input2, r.count, true);
  check->require(r.left_shift == check->type.add_left_shift, "left shift");
  check->zero_point(-int64_t{r.input1_offset});
  check->zero_point(-int64_t{r.input2_offset});
  check->zero_point(r.output_offset);
  check->require(scaling(r.input1_multiplier, r.input1_shift) &&
                     scaling(r.input2_multiplier, r.input2_shift) &&
                     scaling(r.output_multiplier, r.output_shift),
                 "scaling");
  check->activation(r.act_min, r.act_max);
}

void check(Check* check, const Pool& r) {
  check->require(r.channels > 0 && r.channels <= kMaxExtent, "channels");
  check->require(window_fits(r.in_h, r.out_h, r.k_h, r.stride_h, 1, r.pad_h), "vertical geometry");
  check->require(window_fits(r.in_w, r.out_w, r.k_w, r.stride_w, 1, r.pad_w),
                 "horizontal geometry");
  check->require(product(r.k_h, r.k_w) <= check->type.pool_count, "window too large");
  check->output(product(r.out_h, r.out_w, r.channels));
  check->input(r.input, product(r.in_h, r.in_w, r.channels));
  check->activation(r.act_min, r.act_max);
}

void check(Check* check, const Mean& r) {
  check->require(product(r.in_h, r.in_w) <= check->type.mean_count, "too many elements");
  check->output(r.channels);
  check->input(r.input, product(r.in_h, r.in_w, r.channels));
  check->zero_point(r.input_zero_point);
  check->zero_point(r.output_zero_point);
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
  check->require(r.value >= check->type.lowest_zero && r.value <= check->type.highest_zero,
                 "padding value");
}

void check(Check* check, const Reshape& r) {
  check->output(r.head.output_bytes);
  check->input(r.input, r.head.output_bytes, true);
}

void check(Check* check, const Softmax& r) {
  check->require(r.row_size > 0, "row size");
  check->require(r.row_size <= kMaxSoftmaxRow, "row longer than 511");
  check->output(product(r.rows, r.row_size));
  check->input(r.input, product(r.rows, r.row_size), true);
  check->require(r.multiplier >= 0 && r.shift >= 0 && r.shift <= 30, "scaling");
  // Differences from diff_min on are shifted left by `shift`: they must stay in int32.
  check->require(
      r.diff_min <= 0 && check->ok() && (-int64_t{r.diff_min} << r.shift) <= (int64_t{1} << 31),
      "difference range");
}

void check(Check* check, const SoftmaxTable& r) {
  check->require(r.row_size > 0 && r.row_size <= kMaxDim, "row size");
  check->output(product(r.rows, r.row_size));
  check->input(r.input, product(r.rows, r.row_size), true);
  check->require(scaling(r.multiplier, r.shift, kMaxTableShift), "scaling");
  check->exponentials(r.exponential);
  check->constant(r.reciprocal, kTableEntries * sizeof(int16_t));
}

void check(Check* check, const Quantize& r) {
  check->output(r.count);
  check->input(r.input, r.count, true);
  check->zero_point(r.input_zero_point);
  check->zero_point(r.output_zero_point);
  check->require(scaling(r.multiplier, r.shift), "scaling");
}

template <typename Record>
Reason check_as(const uint8_t* plan, const Head* head, const Activations& type) {
  Check result(plan, *head, type);
  check(&result, *reinterpret_cast<const Record*>(head));
  return result.reason();
}

struct Entry {
  Kind kind;
  const char* name;
  const Activations& type;
  Reason (*check)(const uint8_t* plan, const Head* head, const Activations& type);
};

constexpr Entry kKinds[] = {
    {Kind::kConv2dS8, "CONV_2D", kInt8, check_as<Conv>},
    {Kind::kDepthwiseConv2dS8, "DEPTHWISE_CONV_2D", kInt8, check_as<DepthwiseConv>},
    {Kind::kFullyConnectedS8, "FULLY_CONNECTED", kInt8, check_as<FullyConnected>},
    {Kind::kAddS8, "ADD", kInt8, check_as<Add>},
    {Kind::kAveragePool2dS8, "AVERAGE_POOL_2D", kInt8, check_as<Pool>},
    {Kind::kMaxPool2dS8, "MAX_POOL_2D", kInt8, check_as<Pool>},
    {Kind::kMeanS8, "MEAN", kInt8, check_as<Mean>},
    {Kind::kPadS8, "PAD", kInt8, check_as<Pad>},
    {Kind::kReshape, "RESHAPE", kInt8, check_as<Reshape>},
    {Kind::kSoftmaxS8, "SOFTMAX", kInt8, check_as<Softmax>},
    {Kind::kQuantizeS8, "QUANTIZE", kInt8, check_as<Quantize>},
    {Kind::kConv2dS16, "CONV_2D", kInt16, check_as<Conv>},
    {Kind::kDepthwiseConv2dS16, "DEPTHWISE_CONV_2D", kInt16, check_as<DepthwiseConv>},
    {Kind::kFullyConnectedS16, "FULLY_CONNECTED", kInt16, check_as<FullyConnected>},
    {Kind::kAddS16, "ADD", kInt16, check_as<Add>},
    {Kind::kAveragePool2dS16, "AVERAGE_POOL_2D", kInt16, check_as<Pool>},
    {Kind::kMaxPool2dS16, "MAX_POOL_2D", kInt16, check_as<Pool>},
    {Kind::kMeanS16, "MEAN", kInt16, check_as<Mean>},
    {Kind::kPadS16, "PAD", kInt16, check_as<Pad>},
    {Kind::kSoftmaxS16, "SOFTMAX", kInt16, check_as<SoftmaxTable>},
    {Kind::kQuantizeS16, "QUANTIZE", kInt16, check_as<Quantize>},
    {Kind::kConv2dS16B32, "CONV_2D", kInt16, check_as<Conv>},
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
  return entry->check(plan, head, entry->type);
}

}  // namespace plan
