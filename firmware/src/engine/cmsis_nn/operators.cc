#include "engine/cmsis_nn/operators.h"

#include <cstring>

#include "engine/cmsis_nn/cmsis_nn.h"
#include "engine/cmsis_nn/kernels.h"

namespace operators {
namespace {

using cmsis_nn::i32;
using cmsis_nn::Kernels;
using cmsis_nn::nhwc;
using cmsis_nn::tile;

template <typename Record>
const Record& as(const plan::Head* head) {
  return *reinterpret_cast<const Record*>(head);
}

template <typename T>
T* tensor(const Memory& m, uint32_t offset) {
  return reinterpret_cast<T*>(m.arena + offset);
}

template <typename T>
const T* constant(const Memory& m, uint32_t offset) {
  return reinterpret_cast<const T*>(m.plan + offset);
}

cmsis_nn_context context(const Memory& m) { return {m.scratch, m.scratch_bytes}; }

// CMSIS-NN declares the tables it only reads without const.
template <typename Record>
cmsis_nn_per_channel_quant_params scaling(const Memory& m, const Record& r) {
  return {const_cast<int32_t*>(constant<int32_t>(m, r.multiplier)),
          const_cast<int32_t*>(constant<int32_t>(m, r.shift))};
}

// What a record's convolution is called with; `Record` is its kind of record.
struct ConvCall {
  using Record = plan::Conv;

  explicit ConvCall(const plan::Conv& r)
      : params{r.input_offset,
               r.output_offset,
               tile(r.stride_h, r.stride_w),
               tile(r.pad_h, r.pad_w),
               tile(r.dilation_h, r.dilation_w),
               {r.act_min, r.act_max}},
        input(nhwc(1, r.in_h, r.in_w, r.in_c)),
        filter(nhwc(r.out_c, r.k_h, r.k_w, r.in_c)),
        bias(nhwc(1, 1, 1, r.out_c)),
        output(nhwc(1, r.out_h, r.out_w, r.out_c)) {}

  cmsis_nn_conv_params params;
  cmsis_nn_dims input, filter, bias, output;
};

struct DepthwiseCall {
  using Record = plan::DepthwiseConv;

  explicit DepthwiseCall(const plan::DepthwiseConv& r)
      : params{r.input_offset,         r.output_offset,
               i32(r.ch_mult),         tile(r.stride_h, r.stride_w),
               tile(r.pad_h, r.pad_w), tile(r.dilation_h, r.dilation_w),
               {r.act_min, r.act_max}},
        input(nhwc(1, r.in_h, r.in_w, r.in_c)),
        filter(nhwc(1, r.k_h, r.k_w, r.out_c)),
        bias(nhwc(1, 1, 1, r.out_c)),
        output(nhwc(1, r.out_h, r.out_w, r.out_c)) {}

  cmsis_nn_dw_conv_params params;
  cmsis_nn_dims input, filter, bias, output;
};

template <typename Call, typename Kernel>
int32_t convolution_scratch(const plan::Head* head, Kernel kernel) {
  const Call call(as<typename Call::Record>(head));
  return kernel(&call.params, &call.input, &call.filter, &call.output);
}

template <typename T, typename Call, typename Kernel>
bool convolution(const plan::Head* head, const Memory& m, Kernel kernel) {
  const auto& r = as<typename Call::Record>(head);
  const Call call(r);
  const cmsis_nn_context scratch = context(m);
  const cmsis_nn_per_channel_quant_params quant = scaling(m, r);
  return kernel(&scratch, &call.params, &quant, &call.input, tensor<T>(m, r.input), &call.filter,
                constant<int8_t>(m, r.weights), &call.bias,
                constant<typename Kernels<T>::Bias>(m, r.bias), &call.output,
                tensor<T>(m, head->output)) == ARM_CMSIS_NN_SUCCESS;
}

template <typename T>
int32_t conv_scratch(const plan::Head* head) {
  return convolution_scratch<ConvCall>(head, Kernels<T>::convolve_scratch);
}

template <typename T>
bool conv(const plan::Head* head, const Memory& m) {
  return convolution<T, ConvCall>(head, m, Kernels<T>::convolve);
}

template <typename T>
int32_t depthwise_scratch(const plan::Head* head) {
  return convolution_scratch<DepthwiseCall>(head, Kernels<T>::depthwise_scratch);
}

template <typename T>
bool depthwise(const plan::Head* head, const Memory& m) {
  return convolution<T, DepthwiseCall>(head, m, Kernels<T>::depthwise);
}

bool conv_s16_b32(const plan::Head* head, const Memory& m) {
  const auto& r = as<plan::Conv>(head);
  kernels::conv_s16_b32(r, tensor<int16_t>(m, r.input),
                        {constant<int8_t>(m, r.weights), constant<int32_t>(m, r.bias),
                         constant<int32_t>(m, r.multiplier), constant<int32_t>(m, r.shift)},
                        tensor<int16_t>(m, head->output));
  return true;
}

cmsis_nn_dims fully_connected_filter(const plan::FullyConnected& r) {
  return nhwc(r.depth, 1, 1, r.out_c);
}

template <typename T>
int32_t fully_connected_scratch(const plan::Head* head) {
  const cmsis_nn_dims filter = fully_connected_filter(as<plan::FullyConnected>(head));
  return Kernels<T>::fully_connected_scratch(&filter);
}

template <typename T>
bool fully_connected(const plan::Head* head, const Memory& m) {
  const auto& r = as<plan::FullyConnected>(head);
  const cmsis_nn_context scratch = context(m);
  const cmsis_nn_fc_params params = {r.input_offset, 0, r.output_offset, {r.act_min, r.act_max}};
  const cmsis_nn_per_tensor_quant_params quant = {r.multiplier, r.shift};
  const cmsis_nn_dims input = nhwc(1, 1, 1, r.depth);
  const cmsis_nn_dims filter = fully_connected_filter(r);
  const cmsis_nn_dims bias = nhwc(1, 1, 1, r.out_c);
  const int8_t* weights = constant<int8_t>(m, r.weights);
  // Cores with MVE want the rows' sums in the scratch; the others, and int16, ask for none.
  if (fully_connected_scratch<T>(head) > 0) {
    int32_t* sums = reinterpret_cast<int32_t*>(m.scratch);
    if (arm_vector_sum_s8(sums, i32(r.depth), i32(r.out_c), weights) != ARM_CMSIS_NN_SUCCESS)
      return false;
  }
  return Kernels<T>::fully_connected(&scratch, &params, &quant, &input, tensor<T>(m, r.input),
                                     &filter, weights, &bias,
                                     constant<typename Kernels<T>::Bias>(m, r.bias), &bias,
                                     tensor<T>(m, head->output)) == ARM_CMSIS_NN_SUCCESS;
}

template <typename T>
bool add(const plan::Head* head, const Memory& m) {
  const auto& r = as<plan::Add>(head);
  return Kernels<T>::add(tensor<T>(m, r.input1), tensor<T>(m, r.input2), r.input1_offset,
                         r.input1_multiplier, r.input1_shift, r.input2_offset, r.input2_multiplier,
                         r.input2_shift, r.left_shift, tensor<T>(m, head->output), r.output_offset,
                         r.output_multiplier, r.output_shift, r.act_min, r.act_max,
                         i32(r.count)) == ARM_CMSIS_NN_SUCCESS;
}

template <typename T, typename Kernel>
bool pool(const plan::Pool& r, const Memory& m, Kernel kernel) {
  const cmsis_nn_context scratch = context(m);
  const cmsis_nn_pool_params params = {
      tile(r.stride_h, r.stride_w), tile(r.pad_h, r.pad_w), {r.act_min, r.act_max}};
  const cmsis_nn_dims input = nhwc(1, r.in_h, r.in_w, r.channels);
  const cmsis_nn_dims filter = nhwc(1, r.k_h, r.k_w, 1);
  const cmsis_nn_dims output = nhwc(1, r.out_h, r.out_w, r.channels);
  return kernel(&scratch, &params, &input, tensor<T>(m, r.input), &filter, &output,
                tensor<T>(m, r.head.output)) == ARM_CMSIS_NN_SUCCESS;
}

template <typename T>
int32_t average_pool_scratch(const plan::Head* head) {
  const auto& r = as<plan::Pool>(head);
  return Kernels<T>::average_pool_scratch(i32(r.out_w), i32(r.channels));
}

template <typename T>
bool average_pool(const plan::Head* head, const Memory& m) {
  return pool<T>(as<plan::Pool>(head), m, Kernels<T>::average_pool);
}

template <typename T>
bool max_pool(const plan::Head* head, const Memory& m) {
  return pool<T>(as<plan::Pool>(head), m, Kernels<T>::max_pool);
}

// One of our own kernels that take no more than a record, its input and its output.
template <typename T, typename Record, void (*kKernel)(const Record&, const T*, T*)>
bool plain(const plan::Head* head, const Memory& m) {
  const auto& r = as<Record>(head);
  kKernel(r, tensor<T>(m, r.input), tensor<T>(m, head->output));
  return true;
}

bool reshape(const plan::Head* head, const Memory& m) {
  const auto& r = as<plan::Reshape>(head);
  if (r.input != head->output)
    memcpy(m.arena + head->output, m.arena + r.input, head->output_bytes);
  return true;
}

bool softmax_s8(const plan::Head* head, const Memory& m) {
  const auto& r = as<plan::Softmax>(head);
  arm_softmax_s8(tensor<int8_t>(m, r.input), i32(r.rows), i32(r.row_size), r.multiplier, r.shift,
                 r.diff_min, tensor<int8_t>(m, head->output));
  return true;
}

bool softmax_s16(const plan::Head* head, const Memory& m) {
  const auto& r = as<plan::SoftmaxTable>(head);
  kernels::softmax_s16(r, tensor<int16_t>(m, r.input), constant<int16_t>(m, r.exponential),
                       constant<int16_t>(m, r.reciprocal), tensor<int16_t>(m, head->output));
  return true;
}

int32_t no_scratch(const plan::Head*) { return 0; }

constexpr Operator kOperators[] = {
    {plan::Kind::kConv2dS8, conv_scratch<int8_t>, conv<int8_t>},
    {plan::Kind::kDepthwiseConv2dS8, depthwise_scratch<int8_t>, depthwise<int8_t>},
    {plan::Kind::kFullyConnectedS8, fully_connected_scratch<int8_t>, fully_connected<int8_t>},
    {plan::Kind::kAddS8, no_scratch, add<int8_t>},
    {plan::Kind::kAveragePool2dS8, average_pool_scratch<int8_t>, average_pool<int8_t>},
    {plan::Kind::kMaxPool2dS8, no_scratch, max_pool<int8_t>},
    {plan::Kind::kMeanS8, no_scratch, plain<int8_t, plan::Mean, kernels::mean>},
    {plan::Kind::kPadS8, no_scratch, plain<int8_t, plan::Pad, kernels::pad>},
    {plan::Kind::kReshape, no_scratch, reshape},
    {plan::Kind::kSoftmaxS8, no_scratch, softmax_s8},
    {plan::Kind::kQuantizeS8, no_scratch, plain<int8_t, plan::Quantize, kernels::quantize>},
    {plan::Kind::kConv2dS16, conv_scratch<int16_t>, conv<int16_t>},
    {plan::Kind::kDepthwiseConv2dS16, depthwise_scratch<int16_t>, depthwise<int16_t>},
    {plan::Kind::kFullyConnectedS16, fully_connected_scratch<int16_t>, fully_connected<int16_t>},
    {plan::Kind::kAddS16, no_scratch, add<int16_t>},
    {plan::Kind::kAveragePool2dS16, average_pool_scratch<int16_t>, average_pool<int16_t>},
    {plan::Kind::kMaxPool2dS16, no_scratch, max_pool<int16_t>},
    {plan::Kind::kMeanS16, no_scratch, plain<int16_t, plan::Mean, kernels::mean>},
    {plan::Kind::kPadS16, no_scratch, plain<int16_t, plan::Pad, kernels::pad>},
    {plan::Kind::kSoftmaxS16, no_scratch, softmax_s16},
    {plan::Kind::kQuantizeS16, no_scratch, plain<int16_t, plan::Quantize, kernels::quantize>},
    {plan::Kind::kConv2dS16B32, no_scratch, conv_s16_b32},
};

}  // namespace

const Operator* find(uint16_t kind) {
  for (const Operator& op : kOperators) {
    if (static_cast<uint16_t>(op.kind) == kind) return &op;
  }
  return nullptr;
}

}  // namespace operators
