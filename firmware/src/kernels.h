// The kernels CMSIS-NN lacks, bit-exact to TFLite Micro's reference ones.
#pragma once

#include "plan.gen.h"

namespace kernels {

// x * multiplier * 2^(shift - 31), rounded twice as gemmlowp and TFLite's MultiplyByQuantizedMultiplier do.
int32_t requantize(int32_t x, int32_t multiplier, int32_t shift);

void mean_s8(const plan::Mean& r, const int8_t* input, int8_t* output);
void pad_s8(const plan::Pad& r, const int8_t* input, int8_t* output);
void quantize_s8(const plan::Quantize& r, const int8_t* input, int8_t* output);

}  // namespace kernels
