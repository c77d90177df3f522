// Runs a plan on Arm's CMSIS-NN kernels: checks everything once, then a short loop over the records.
#include <algorithm>
#include <cstring>

#include "arm_nnfunctions.h"
#include "engine.h"
#include "kernels.h"
#include "plan.gen.h"
#include "plan_check.h"

namespace engine {
namespace {

struct Loaded {
  const uint8_t* plan;  // nullptr: no model
  plan::PlanHeader header;
  uint8_t* arena;
  uint8_t* scratch;
  int32_t scratch_bytes;
};

Loaded g_loaded;

const plan::Head* first_record(const uint8_t* plan) {
  return reinterpret_cast<const plan::Head*>(plan + sizeof(plan::PlanHeader));
}

const plan::Head* next_record(const plan::Head* head) {
  return reinterpret_cast<const plan::Head*>(reinterpret_cast<const uint8_t*>(head) + head->bytes);
}

template <typename Record>
const Record& as(const plan::Head* head) {
  return *reinterpret_cast<const Record*>(head);
}

int8_t* tensor(uint32_t offset) { return reinterpret_cast<int8_t*>(g_loaded.arena + offset); }

template <typename T>
const T* constant(uint32_t offset) {
  return reinterpret_cast<const T*>(g_loaded.plan + offset);
}

cmsis_nn_context context() { return {g_loaded.scratch, g_loaded.scratch_bytes}; }

int32_t i32(uint32_t value) { return static_cast<int32_t>(value); }
cmsis_nn_dims nhwc(uint32_t n, uint32_t h, uint32_t w, uint32_t c) { return {i32(n), i32(h), i32(w), i32(c)}; }
cmsis_nn_tile tile(uint32_t h, uint32_t w) { return {i32(w), i32(h)}; }  // CMSIS-NN puts the width first

// CMSIS-NN declares the tables it only reads without const.
template <typename Record>
cmsis_nn_per_channel_quant_params scaling(const Record& r) {
  return {const_cast<int32_t*>(constant<int32_t>(r.multiplier)), const_cast<int32_t*>(constant<int32_t>(r.shift))};
}

struct ConvCall {
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

int32_t conv_scratch(const plan::Head* head) {
  const ConvCall call(as<plan::Conv>(head));
  return arm_convolve_wrapper_s8_get_buffer_size(&call.params, &call.input, &call.filter, &call.output);
}

bool conv(const plan::Head* head) {
  const auto& r = as<plan::Conv>(head);
  const ConvCall call(r);
  const cmsis_nn_context scratch = context();
  const cmsis_nn_per_channel_quant_params quant = scaling(r);
  return arm_convolve_wrapper_s8(&scratch, &call.params, &quant, &call.input, tensor(r.input), &call.filter,
                                 constant<int8_t>(r.weights), &call.bias, constant<int32_t>(r.bias), &call.output,
                                 tensor(head->output)) == ARM_CMSIS_NN_SUCCESS;
}

struct DepthwiseCall {
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

int32_t depthwise_scratch(const plan::Head* head) {
  const DepthwiseCall call(as<plan::DepthwiseConv>(head));
  return arm_depthwise_conv_wrapper_s8_get_buffer_size(&call.params, &call.input, &call.filter, &call.output);
}

bool depthwise(const plan::Head* head) {
  const auto& r = as<plan::DepthwiseConv>(head);
  const DepthwiseCall call(r);
  const cmsis_nn_context scratch = context();
  const cmsis_nn_per_channel_quant_params quant = scaling(r);
  return arm_depthwise_conv_wrapper_s8(&scratch, &call.params, &quant, &call.input, tensor(r.input), &call.filter,
                                       constant<int8_t>(r.weights), &call.bias, constant<int32_t>(r.bias), &call.output,
                                       tensor(head->output)) == ARM_CMSIS_NN_SUCCESS;
}

cmsis_nn_dims fully_connected_filter(const plan::FullyConnected& r) { return nhwc(r.depth, 1, 1, r.out_c); }

int32_t fully_connected_scratch(const plan::Head* head) {
  const cmsis_nn_dims filter = fully_connected_filter(as<plan::FullyConnected>(head));
  return arm_fully_connected_s8_get_buffer_size(&filter);
}

bool fully_connected(const plan::Head* head) {
  const auto& r = as<plan::FullyConnected>(head);
  const cmsis_nn_context scratch = context();
  const cmsis_nn_fc_params params = {r.input_offset, 0, r.output_offset, {r.act_min, r.act_max}};
  const cmsis_nn_per_tensor_quant_params quant = {r.multiplier, r.shift};
  const cmsis_nn_dims input = nhwc(1, 1, 1, r.depth);
  const cmsis_nn_dims filter = fully_connected_filter(r);
  const cmsis_nn_dims bias = nhwc(1, 1, 1, r.out_c);
  const int8_t* weights = constant<int8_t>(r.weights);
  // Cores with MVE want the rows' sums in the scratch; the others ask for none.
  if (fully_connected_scratch(head) > 0) {
    int32_t* sums = reinterpret_cast<int32_t*>(g_loaded.scratch);
    if (arm_vector_sum_s8(sums, i32(r.depth), i32(r.out_c), weights) != ARM_CMSIS_NN_SUCCESS) return false;
  }
  return arm_fully_connected_s8(&scratch, &params, &quant, &input, tensor(r.input), &filter, weights, &bias,
                                constant<int32_t>(r.bias), &bias, tensor(head->output)) == ARM_CMSIS_NN_SUCCESS;
}

bool add(const plan::Head* head) {
  const auto& r = as<plan::Add>(head);
  return arm_elementwise_add_s8(tensor(r.input1), tensor(r.input2), r.input1_offset, r.input1_multiplier,
                                r.input1_shift, r.input2_offset, r.input2_multiplier, r.input2_shift, r.left_shift,
                                tensor(head->output), r.output_offset, r.output_multiplier, r.output_shift, r.act_min,
                                r.act_max, i32(r.count)) == ARM_CMSIS_NN_SUCCESS;
}

using PoolKernel = decltype(&arm_avgpool_s8);

bool pool(const plan::Pool& r, PoolKernel kernel) {
  const cmsis_nn_context scratch = context();
  const cmsis_nn_pool_params params = {tile(r.stride_h, r.stride_w), tile(r.pad_h, r.pad_w), {r.act_min, r.act_max}};
  const cmsis_nn_dims input = nhwc(1, r.in_h, r.in_w, r.channels);
  const cmsis_nn_dims filter = nhwc(1, r.k_h, r.k_w, 1);
  const cmsis_nn_dims output = nhwc(1, r.out_h, r.out_w, r.channels);
  return kernel(&scratch, &params, &input, tensor(r.input), &filter, &output, tensor(r.head.output)) ==
         ARM_CMSIS_NN_SUCCESS;
}

int32_t average_pool_scratch(const plan::Head* head) {
  const auto& r = as<plan::Pool>(head);
  return arm_avgpool_s8_get_buffer_size(i32(r.out_w), i32(r.channels));
}

bool average_pool(const plan::Head* head) { return pool(as<plan::Pool>(head), arm_avgpool_s8); }
bool max_pool(const plan::Head* head) { return pool(as<plan::Pool>(head), arm_max_pool_s8); }

bool mean(const plan::Head* head) {
  const auto& r = as<plan::Mean>(head);
  kernels::mean_s8(r, tensor(r.input), tensor(head->output));
  return true;
}

bool pad(const plan::Head* head) {
  const auto& r = as<plan::Pad>(head);
  kernels::pad_s8(r, tensor(r.input), tensor(head->output));
  return true;
}

bool reshape(const plan::Head* head) {
  const auto& r = as<plan::Reshape>(head);
  if (r.input != head->output) memcpy(tensor(head->output), tensor(r.input), head->output_bytes);
  return true;
}

bool softmax(const plan::Head* head) {
  const auto& r = as<plan::Softmax>(head);
  arm_softmax_s8(tensor(r.input), i32(r.rows), i32(r.row_size), r.multiplier, r.shift, r.diff_min,
                 tensor(head->output));
  return true;
}

bool quantize(const plan::Head* head) {
  const auto& r = as<plan::Quantize>(head);
  kernels::quantize_s8(r, tensor(r.input), tensor(head->output));
  return true;
}

int32_t no_scratch(const plan::Head*) { return 0; }

// One row per kind; int16x8 kinds are further rows.
struct Operator {
  plan::Kind kind;
  int32_t (*scratch_bytes)(const plan::Head* head);  // asked on this very core: it depends on DSP and MVE
  bool (*run)(const plan::Head* head);
};

constexpr Operator kOperators[] = {
    {plan::Kind::kConv2dS8, conv_scratch, conv},
    {plan::Kind::kDepthwiseConv2dS8, depthwise_scratch, depthwise},
    {plan::Kind::kFullyConnectedS8, fully_connected_scratch, fully_connected},
    {plan::Kind::kAddS8, no_scratch, add},
    {plan::Kind::kAveragePool2dS8, average_pool_scratch, average_pool},
    {plan::Kind::kMaxPool2dS8, no_scratch, max_pool},
    {plan::Kind::kMeanS8, no_scratch, mean},
    {plan::Kind::kPadS8, no_scratch, pad},
    {plan::Kind::kReshape, no_scratch, reshape},
    {plan::Kind::kSoftmaxS8, no_scratch, softmax},
    {plan::Kind::kQuantizeS8, no_scratch, quantize},
};

const Operator* find(uint16_t kind) {
  for (const Operator& op : kOperators) {
    if (static_cast<uint16_t>(op.kind) == kind) return &op;
  }
  return nullptr;
}

constexpr Status kOk = {wire::Error::kBadFrame, 0, "", true};

// "CONV_2D: output outside the arena", kept until the next refusal.
Status refuse(wire::Error code, uint32_t record, const char* name, const char* reason) {
  static char text[wire::kMaxText];
  constexpr size_t kRoom = sizeof text - 1;
  const size_t n = std::min(strlen(name), kRoom);
  memcpy(text, name, n);
  size_t used = n;
  for (const char* part : {": ", reason}) {
    const size_t more = std::min(strlen(part), kRoom - used);
    memcpy(text + used, part, more);
    used += more;
  }
  text[used] = '\0';
  return {code, record, text, false};
}

constexpr uint64_t align(uint64_t n) { return (n + plan::kArenaAlign - 1) / plan::kArenaAlign * plan::kArenaAlign; }

}  // namespace

const char* name() { return "CMSIS-NN 12.5.1"; }

Status load(const uint8_t* plan, size_t plan_bytes, uint8_t* arena, size_t arena_bytes, Model* model) {
  unload();
  if (plan::Reason reason = plan::check_header(plan, plan_bytes)) {
    return refuse(wire::Error::kPlanRejected, 0, "header", reason);
  }
  plan::PlanHeader header;
  memcpy(&header, plan, sizeof header);
  int32_t scratch_bytes = 0;
  const plan::Head* head = first_record(plan);
  for (uint32_t i = 0; i < header.n_ops; ++i, head = next_record(head)) {
    const Operator* op = find(head->kind);
    plan::Reason reason = plan::check_record(plan, head);
    if (!reason && !op) reason = "not in this engine";
    const int32_t scratch = reason ? 0 : op->scratch_bytes(head);
    if (!reason && scratch < 0) reason = "scratch size";
    if (reason) {
      return refuse(wire::Error::kPlanRejected, i, plan::name(static_cast<plan::Kind>(head->kind)), reason);
    }
    scratch_bytes = std::max(scratch_bytes, scratch);
  }
  const uint64_t tensors = align(header.arena_bytes);
  const uint64_t needed = tensors + align(static_cast<uint32_t>(scratch_bytes));
  if (needed > arena_bytes) {
    return {wire::Error::kPlanTooLarge, static_cast<uint32_t>(std::min<uint64_t>(needed, UINT32_MAX)),
            "bytes of RAM needed", false};
  }
  // What a plan reads before it writes is the same on every board.
  memset(arena, 0, static_cast<size_t>(needed));
  g_loaded = {plan, header, arena, arena + tensors, scratch_bytes};
  *model = {};
  model->input = header.input;
  model->output = header.output;
  const auto elements = [](const uint32_t(&dims)[4]) { return dims[0] * dims[1] * dims[2] * dims[3]; };
  model->input_bytes = elements(header.input.dims);
  model->output_bytes = elements(header.output.dims);
  model->arena_bytes = static_cast<uint32_t>(tensors);
  model->scratch_bytes = static_cast<uint32_t>(needed - tensors);
  model->n_ops = header.n_ops;
  model->crc = header.crc;
  memcpy(model->plan_id, header.plan_id, sizeof model->plan_id);
  return kOk;
}

Status run_to(const uint8_t* input, uint32_t op, const uint8_t** output, uint32_t* output_bytes) {
  if (!g_loaded.plan) return {wire::Error::kNoPlan, 0, "no plan is loaded", false};
  const plan::PlanHeader& header = g_loaded.header;
  const uint32_t* dims = header.input.dims;
  memcpy(g_loaded.arena + header.input_offset, input, size_t{dims[0]} * dims[1] * dims[2] * dims[3]);
  const plan::Head* head = first_record(g_loaded.plan);
  for (uint32_t i = 0;; ++i, head = next_record(head)) {
    if (!find(head->kind)->run(head)) {
      return refuse(wire::Error::kEngineFailed, i, plan::name(static_cast<plan::Kind>(head->kind)), "kernel failed");
    }
    if (i == op) break;
  }
  *output = g_loaded.arena + head->output;
  *output_bytes = head->output_bytes;
  return kOk;
}

Status run(const uint8_t* input, const uint8_t** output) {
  uint32_t bytes;
  const uint32_t n_ops = g_loaded.plan ? g_loaded.header.n_ops : 1;
  const Status status = run_to(input, n_ops - 1, output, &bytes);
  if (status.ok) *output = g_loaded.arena + g_loaded.header.output_offset;
  return status;
}

void unload() { g_loaded = {}; }

}  // namespace engine
