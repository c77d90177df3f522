// Generated from tinyrobust/core/abi/plan by tinyrobust/core/abi/headers.py; do not edit.
#pragma once

#include <cstddef>
#include <cstdint>

#include "wire.gen.h"

namespace plan {

constexpr uint8_t kMagic[4] = {0x54, 0x52, 0x50, 0x31};
constexpr uint32_t kLayout = 0x72ac0bec;
constexpr uint32_t kMaxOps = 512;
constexpr uint32_t kMaxDim = 65536;
constexpr uint32_t kMaxExtent = 32767;
constexpr uint32_t kMaxColumn = 65535;
constexpr uint32_t kMaxSoftmaxRow = 511;
constexpr uint32_t kMaxMeanCount = 8388608;
constexpr uint32_t kMaxCountS16 = 65535;
constexpr uint32_t kMaxShiftS16 = 7;
constexpr uint32_t kMaxTableShift = 15;
constexpr uint32_t kTableEntries = 513;
constexpr uint32_t kConstantAlign = 16;
constexpr uint32_t kArenaAlign = 16;

enum class Kind : uint16_t {
  kConv2dS8 = 1,
  kDepthwiseConv2dS8 = 2,
  kFullyConnectedS8 = 3,
  kAddS8 = 4,
  kAveragePool2dS8 = 5,
  kMaxPool2dS8 = 6,
  kMeanS8 = 7,
  kPadS8 = 8,
  kReshape = 9,
  kSoftmaxS8 = 10,
  kQuantizeS8 = 11,
  kConv2dS16 = 17,
  kDepthwiseConv2dS16 = 18,
  kFullyConnectedS16 = 19,
  kAddS16 = 20,
  kAveragePool2dS16 = 21,
  kMaxPool2dS16 = 22,
  kMeanS16 = 23,
  kPadS16 = 24,
  kSoftmaxS16 = 26,
  kQuantizeS16 = 27,
  kConv2dS16B32 = 28,
};

struct PlanHeader {
  uint8_t magic[4];
  uint32_t layout;
  uint32_t total_bytes;
  uint32_t crc;
  uint32_t n_ops;
  uint32_t ops_bytes;
  uint32_t arena_bytes;
  uint32_t input_offset;
  uint32_t output_offset;
  wire::Tensor input;
  wire::Tensor output;
  uint8_t plan_id[32];
  uint8_t model_sha256[32];
};
static_assert(sizeof(PlanHeader) == 156);
static_assert(offsetof(PlanHeader, magic) == 0);
static_assert(offsetof(PlanHeader, layout) == 4);
static_assert(offsetof(PlanHeader, total_bytes) == 8);
static_assert(offsetof(PlanHeader, crc) == 12);
static_assert(offsetof(PlanHeader, n_ops) == 16);
static_assert(offsetof(PlanHeader, ops_bytes) == 20);
static_assert(offsetof(PlanHeader, arena_bytes) == 24);
static_assert(offsetof(PlanHeader, input_offset) == 28);
static_assert(offsetof(PlanHeader, output_offset) == 32);
static_assert(offsetof(PlanHeader, input) == 36);
static_assert(offsetof(PlanHeader, output) == 64);
static_assert(offsetof(PlanHeader, plan_id) == 92);
static_assert(offsetof(PlanHeader, model_sha256) == 124);

struct Head {
  uint16_t kind;
  uint16_t op;
  uint32_t bytes;
  uint32_t output;
  uint32_t output_bytes;
};
static_assert(sizeof(Head) == 16);
static_assert(offsetof(Head, kind) == 0);
static_assert(offsetof(Head, op) == 2);
static_assert(offsetof(Head, bytes) == 4);
static_assert(offsetof(Head, output) == 8);
static_assert(offsetof(Head, output_bytes) == 12);

struct Conv {
  Head head;
  uint32_t input;
  uint32_t in_h;
  uint32_t in_w;
  uint32_t in_c;
  uint32_t k_h;
  uint32_t k_w;
  uint32_t out_h;
  uint32_t out_w;
  uint32_t out_c;
  uint32_t stride_h;
  uint32_t stride_w;
  uint32_t pad_h;
  uint32_t pad_w;
  uint32_t dilation_h;
  uint32_t dilation_w;
  int32_t input_offset;
  int32_t output_offset;
  int32_t act_min;
  int32_t act_max;
  uint32_t weights;
  uint32_t bias;
  uint32_t multiplier;
  uint32_t shift;
};
static_assert(sizeof(Conv) == 108);
static_assert(offsetof(Conv, head) == 0);
static_assert(offsetof(Conv, input) == 16);
static_assert(offsetof(Conv, in_h) == 20);
static_assert(offsetof(Conv, in_w) == 24);
static_assert(offsetof(Conv, in_c) == 28);
static_assert(offsetof(Conv, k_h) == 32);
static_assert(offsetof(Conv, k_w) == 36);
static_assert(offsetof(Conv, out_h) == 40);
static_assert(offsetof(Conv, out_w) == 44);
static_assert(offsetof(Conv, out_c) == 48);
static_assert(offsetof(Conv, stride_h) == 52);
static_assert(offsetof(Conv, stride_w) == 56);
static_assert(offsetof(Conv, pad_h) == 60);
static_assert(offsetof(Conv, pad_w) == 64);
static_assert(offsetof(Conv, dilation_h) == 68);
static_assert(offsetof(Conv, dilation_w) == 72);
static_assert(offsetof(Conv, input_offset) == 76);
static_assert(offsetof(Conv, output_offset) == 80);
static_assert(offsetof(Conv, act_min) == 84);
static_assert(offsetof(Conv, act_max) == 88);
static_assert(offsetof(Conv, weights) == 92);
static_assert(offsetof(Conv, bias) == 96);
static_assert(offsetof(Conv, multiplier) == 100);
static_assert(offsetof(Conv, shift) == 104);

struct DepthwiseConv {
  Head head;
  uint32_t input;
  uint32_t in_h;
  uint32_t in_w;
  uint32_t in_c;
  uint32_t k_h;
  uint32_t k_w;
  uint32_t out_h;
  uint32_t out_w;
  uint32_t out_c;
  uint32_t ch_mult;
  uint32_t stride_h;
  uint32_t stride_w;
  uint32_t pad_h;
  uint32_t pad_w;
  uint32_t dilation_h;
  uint32_t dilation_w;
  int32_t input_offset;
  int32_t output_offset;
  int32_t act_min;
  int32_t act_max;
  uint32_t weights;
  uint32_t bias;
  uint32_t multiplier;
  uint32_t shift;
};
static_assert(sizeof(DepthwiseConv) == 112);
static_assert(offsetof(DepthwiseConv, head) == 0);
static_assert(offsetof(DepthwiseConv, input) == 16);
static_assert(offsetof(DepthwiseConv, in_h) == 20);
static_assert(offsetof(DepthwiseConv, in_w) == 24);
static_assert(offsetof(DepthwiseConv, in_c) == 28);
static_assert(offsetof(DepthwiseConv, k_h) == 32);
static_assert(offsetof(DepthwiseConv, k_w) == 36);
static_assert(offsetof(DepthwiseConv, out_h) == 40);
static_assert(offsetof(DepthwiseConv, out_w) == 44);
static_assert(offsetof(DepthwiseConv, out_c) == 48);
static_assert(offsetof(DepthwiseConv, ch_mult) == 52);
static_assert(offsetof(DepthwiseConv, stride_h) == 56);
static_assert(offsetof(DepthwiseConv, stride_w) == 60);
static_assert(offsetof(DepthwiseConv, pad_h) == 64);
static_assert(offsetof(DepthwiseConv, pad_w) == 68);
static_assert(offsetof(DepthwiseConv, dilation_h) == 72);
static_assert(offsetof(DepthwiseConv, dilation_w) == 76);
static_assert(offsetof(DepthwiseConv, input_offset) == 80);
static_assert(offsetof(DepthwiseConv, output_offset) == 84);
static_assert(offsetof(DepthwiseConv, act_min) == 88);
static_assert(offsetof(DepthwiseConv, act_max) == 92);
static_assert(offsetof(DepthwiseConv, weights) == 96);
static_assert(offsetof(DepthwiseConv, bias) == 100);
static_assert(offsetof(DepthwiseConv, multiplier) == 104);
static_assert(offsetof(DepthwiseConv, shift) == 108);

struct FullyConnected {
  Head head;
  uint32_t input;
  uint32_t depth;
  uint32_t out_c;
  int32_t input_offset;
  int32_t output_offset;
  int32_t multiplier;
  int32_t shift;
  int32_t act_min;
  int32_t act_max;
  uint32_t weights;
  uint32_t bias;
};
static_assert(sizeof(FullyConnected) == 60);
static_assert(offsetof(FullyConnected, head) == 0);
static_assert(offsetof(FullyConnected, input) == 16);
static_assert(offsetof(FullyConnected, depth) == 20);
static_assert(offsetof(FullyConnected, out_c) == 24);
static_assert(offsetof(FullyConnected, input_offset) == 28);
static_assert(offsetof(FullyConnected, output_offset) == 32);
static_assert(offsetof(FullyConnected, multiplier) == 36);
static_assert(offsetof(FullyConnected, shift) == 40);
static_assert(offsetof(FullyConnected, act_min) == 44);
static_assert(offsetof(FullyConnected, act_max) == 48);
static_assert(offsetof(FullyConnected, weights) == 52);
static_assert(offsetof(FullyConnected, bias) == 56);

struct Add {
  Head head;
  uint32_t input1;
  uint32_t input2;
  uint32_t count;
  int32_t left_shift;
  int32_t input1_offset;
  int32_t input1_multiplier;
  int32_t input1_shift;
  int32_t input2_offset;
  int32_t input2_multiplier;
  int32_t input2_shift;
  int32_t output_offset;
  int32_t output_multiplier;
  int32_t output_shift;
  int32_t act_min;
  int32_t act_max;
};
static_assert(sizeof(Add) == 76);
static_assert(offsetof(Add, head) == 0);
static_assert(offsetof(Add, input1) == 16);
static_assert(offsetof(Add, input2) == 20);
static_assert(offsetof(Add, count) == 24);
static_assert(offsetof(Add, left_shift) == 28);
static_assert(offsetof(Add, input1_offset) == 32);
static_assert(offsetof(Add, input1_multiplier) == 36);
static_assert(offsetof(Add, input1_shift) == 40);
static_assert(offsetof(Add, input2_offset) == 44);
static_assert(offsetof(Add, input2_multiplier) == 48);
static_assert(offsetof(Add, input2_shift) == 52);
static_assert(offsetof(Add, output_offset) == 56);
static_assert(offsetof(Add, output_multiplier) == 60);
static_assert(offsetof(Add, output_shift) == 64);
static_assert(offsetof(Add, act_min) == 68);
static_assert(offsetof(Add, act_max) == 72);

struct Pool {
  Head head;
  uint32_t input;
  uint32_t in_h;
  uint32_t in_w;
  uint32_t channels;
  uint32_t k_h;
  uint32_t k_w;
  uint32_t out_h;
  uint32_t out_w;
  uint32_t stride_h;
  uint32_t stride_w;
  uint32_t pad_h;
  uint32_t pad_w;
  int32_t act_min;
  int32_t act_max;
};
static_assert(sizeof(Pool) == 72);
static_assert(offsetof(Pool, head) == 0);
static_assert(offsetof(Pool, input) == 16);
static_assert(offsetof(Pool, in_h) == 20);
static_assert(offsetof(Pool, in_w) == 24);
static_assert(offsetof(Pool, channels) == 28);
static_assert(offsetof(Pool, k_h) == 32);
static_assert(offsetof(Pool, k_w) == 36);
static_assert(offsetof(Pool, out_h) == 40);
static_assert(offsetof(Pool, out_w) == 44);
static_assert(offsetof(Pool, stride_h) == 48);
static_assert(offsetof(Pool, stride_w) == 52);
static_assert(offsetof(Pool, pad_h) == 56);
static_assert(offsetof(Pool, pad_w) == 60);
static_assert(offsetof(Pool, act_min) == 64);
static_assert(offsetof(Pool, act_max) == 68);

struct Mean {
  Head head;
  uint32_t input;
  uint32_t in_h;
  uint32_t in_w;
  uint32_t channels;
  int32_t input_zero_point;
  int32_t output_zero_point;
  int32_t multiplier;
  int32_t shift;
};
static_assert(sizeof(Mean) == 48);
static_assert(offsetof(Mean, head) == 0);
static_assert(offsetof(Mean, input) == 16);
static_assert(offsetof(Mean, in_h) == 20);
static_assert(offsetof(Mean, in_w) == 24);
static_assert(offsetof(Mean, channels) == 28);
static_assert(offsetof(Mean, input_zero_point) == 32);
static_assert(offsetof(Mean, output_zero_point) == 36);
static_assert(offsetof(Mean, multiplier) == 40);
static_assert(offsetof(Mean, shift) == 44);

struct Pad {
  Head head;
  uint32_t input;
  uint32_t in_dims[4];
  uint32_t before[4];
  uint32_t after[4];
  int32_t value;
};
static_assert(sizeof(Pad) == 72);
static_assert(offsetof(Pad, head) == 0);
static_assert(offsetof(Pad, input) == 16);
static_assert(offsetof(Pad, in_dims) == 20);
static_assert(offsetof(Pad, before) == 36);
static_assert(offsetof(Pad, after) == 52);
static_assert(offsetof(Pad, value) == 68);

struct Reshape {
  Head head;
  uint32_t input;
};
static_assert(sizeof(Reshape) == 20);
static_assert(offsetof(Reshape, head) == 0);
static_assert(offsetof(Reshape, input) == 16);

struct Softmax {
  Head head;
  uint32_t input;
  uint32_t rows;
  uint32_t row_size;
  int32_t multiplier;
  int32_t shift;
  int32_t diff_min;
};
static_assert(sizeof(Softmax) == 40);
static_assert(offsetof(Softmax, head) == 0);
static_assert(offsetof(Softmax, input) == 16);
static_assert(offsetof(Softmax, rows) == 20);
static_assert(offsetof(Softmax, row_size) == 24);
static_assert(offsetof(Softmax, multiplier) == 28);
static_assert(offsetof(Softmax, shift) == 32);
static_assert(offsetof(Softmax, diff_min) == 36);

struct SoftmaxTable {
  Head head;
  uint32_t input;
  uint32_t rows;
  uint32_t row_size;
  int32_t multiplier;
  int32_t shift;
  uint32_t exponential;
  uint32_t reciprocal;
};
static_assert(sizeof(SoftmaxTable) == 44);
static_assert(offsetof(SoftmaxTable, head) == 0);
static_assert(offsetof(SoftmaxTable, input) == 16);
static_assert(offsetof(SoftmaxTable, rows) == 20);
static_assert(offsetof(SoftmaxTable, row_size) == 24);
static_assert(offsetof(SoftmaxTable, multiplier) == 28);
static_assert(offsetof(SoftmaxTable, shift) == 32);
static_assert(offsetof(SoftmaxTable, exponential) == 36);
static_assert(offsetof(SoftmaxTable, reciprocal) == 40);

struct Quantize {
  Head head;
  uint32_t input;
  uint32_t count;
  int32_t input_zero_point;
  int32_t output_zero_point;
  int32_t multiplier;
  int32_t shift;
};
static_assert(sizeof(Quantize) == 40);
static_assert(offsetof(Quantize, head) == 0);
static_assert(offsetof(Quantize, input) == 16);
static_assert(offsetof(Quantize, count) == 20);
static_assert(offsetof(Quantize, input_zero_point) == 24);
static_assert(offsetof(Quantize, output_zero_point) == 28);
static_assert(offsetof(Quantize, multiplier) == 32);
static_assert(offsetof(Quantize, shift) == 36);

// Bytes of a record, 0 for an unknown kind.
constexpr uint32_t record_bytes(Kind key) {
  switch (key) {
    case Kind::kConv2dS8:
      return sizeof(Conv);
    case Kind::kDepthwiseConv2dS8:
      return sizeof(DepthwiseConv);
    case Kind::kFullyConnectedS8:
      return sizeof(FullyConnected);
    case Kind::kAddS8:
      return sizeof(Add);
    case Kind::kAveragePool2dS8:
      return sizeof(Pool);
    case Kind::kMaxPool2dS8:
      return sizeof(Pool);
    case Kind::kMeanS8:
      return sizeof(Mean);
    case Kind::kPadS8:
      return sizeof(Pad);
    case Kind::kReshape:
      return sizeof(Reshape);
    case Kind::kSoftmaxS8:
      return sizeof(Softmax);
    case Kind::kQuantizeS8:
      return sizeof(Quantize);
    case Kind::kConv2dS16:
      return sizeof(Conv);
    case Kind::kDepthwiseConv2dS16:
      return sizeof(DepthwiseConv);
    case Kind::kFullyConnectedS16:
      return sizeof(FullyConnected);
    case Kind::kAddS16:
      return sizeof(Add);
    case Kind::kAveragePool2dS16:
      return sizeof(Pool);
    case Kind::kMaxPool2dS16:
      return sizeof(Pool);
    case Kind::kMeanS16:
      return sizeof(Mean);
    case Kind::kPadS16:
      return sizeof(Pad);
    case Kind::kSoftmaxS16:
      return sizeof(SoftmaxTable);
    case Kind::kQuantizeS16:
      return sizeof(Quantize);
    case Kind::kConv2dS16B32:
      return sizeof(Conv);
    default:
      return 0;
  }
}

}  // namespace plan
