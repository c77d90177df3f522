#include "kernels.h"

#include <algorithm>
#include <cstring>

namespace kernels {
namespace {

int8_t clamp(int64_t x) { return static_cast<int8_t>(std::clamp<int64_t>(x, -128, 127)); }

}  // namespace

int32_t requantize(int32_t x, int32_t multiplier, int32_t shift) {
  // Wraps as the reference does where a left shift overflows. A multiplier is never negative, so the doubling high
  // multiply needs no saturation; adding half and shifting is its rounding.
  const uint32_t shifted = static_cast<uint32_t>(x) << std::max<int32_t>(shift, 0);
  const int64_t product = int64_t{static_cast<int32_t>(shifted)} * multiplier;
  const int32_t high = static_cast<int32_t>((product + (int64_t{1} << 30)) >> 31);
  const int32_t right = std::max<int32_t>(-shift, 0);
  const int64_t mask = (int64_t{1} << right) - 1;
  const int64_t remainder = high & mask;
  const int64_t threshold = (mask >> 1) + (high < 0 ? 1 : 0);
  return static_cast<int32_t>((int64_t{high} >> right) + (remainder > threshold ? 1 : 0));
}

void mean_s8(const plan::Mean& r, const int8_t* input, int8_t* output) {
  const uint32_t count = r.in_h * r.in_w;
  for (uint32_t c = 0; c < r.channels; ++c) {
    int32_t sum = -static_cast<int32_t>(count) * r.input_zero_point;
    for (uint32_t i = 0; i < count; ++i) sum += input[size_t{i} * r.channels + c];
    output[c] = clamp(int64_t{requantize(sum, r.multiplier, r.shift)} + r.output_zero_point);
  }
}

void pad_s8(const plan::Pad& r, const int8_t* input, int8_t* output) {
  const size_t row = size_t{r.in_dims[3]};
  const size_t out_row = row + r.before[3] + r.after[3];
  const size_t out_width = size_t{r.in_dims[2]} + r.before[2] + r.after[2];
  memset(output, r.value, r.head.output_bytes);
  for (size_t y = 0; y < r.in_dims[1]; ++y) {
    for (size_t x = 0; x < r.in_dims[2]; ++x) {
      int8_t* to = output + ((y + r.before[1]) * out_width + x + r.before[2]) * out_row + r.before[3];
      memcpy(to, input + (y * r.in_dims[2] + x) * row, row);
    }
  }
}

void quantize_s8(const plan::Quantize& r, const int8_t* input, int8_t* output) {
  for (uint32_t i = 0; i < r.count; ++i) {
    output[i] = clamp(int64_t{requantize(input[i] - r.input_zero_point, r.multiplier, r.shift)} + r.output_zero_point);
  }
}

}  // namespace kernels
