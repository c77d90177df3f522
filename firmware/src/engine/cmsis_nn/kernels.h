// The kernels CMSIS-NN lacks, or rounds otherwise in; bit-exact to TFLite Micro's reference ones.
#pragma once

#include "plan.gen.h"

namespace kernels {

// x * multiplier * 2^(shift - 31), rounded twice as gemmlowp and TFLite's
// MultiplyByQuantizedMultiplier do.
int32_t requantize(int32_t x, int32_t multiplier, int32_t shift);

// T is int8_t or int16_t. `input` holds the elements of the record's input, `output` has room for
// those of its output, both whole tensors in NHWC order; they do not overlap. A record that
// check_record() accepted (plan_check/plan_check.h) bounds every size.
template <typename T>
void mean(const plan::Mean& r, const T* input, T* output);
template <typename T>
void pad(const plan::Pad& r, const T* input, T* output);
template <typename T>
void quantize(const plan::Quantize& r, const T* input, T* output);

// The constants of a convolution.
struct ConvTables {
  const int8_t* weights;      // [out_c][k_h][k_w][in_c]
  const int32_t* bias;        // [out_c]
  const int32_t* multiplier;  // [out_c], Q31
  const int32_t* shift;       // [out_c], to the left where positive
};

// CONV_2D on int16 with an int32 accumulator and two roundings: CMSIS-NN's has int64 and one.
// `input` is [in_h][in_w][in_c], `output` [out_h][out_w][out_c].
void conv_s16_b32(const plan::Conv& r, const int16_t* input, const ConvTables& t, int16_t* output);

// SOFTMAX on int16. CMSIS-NN's wraps around where the sum of a row's exponentials rounds up to a
// power of two. `input` and `output` are [rows][row_size]; `exponential` and `reciprocal` are
// TFLite's lookup tables of plan::kTableEntries each.
void softmax_s16(const plan::SoftmaxTable& r, const int16_t* input, const int16_t* exponential,
                 const int16_t* reciprocal, int16_t* output);

}  // namespace kernels
