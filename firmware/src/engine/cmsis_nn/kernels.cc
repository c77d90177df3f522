#include "engine/cmsis_nn/kernels.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace kernels {
namespace {

template <typename T>
T clamp(int64_t x) {
  return static_cast<T>(
      std::clamp<int64_t>(x, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
}

}  // namespace

int32_t requantize(int32_t x, int32_t multiplier, int32_t shift) {
  // Wraps as the reference does where a left shift overflows. A multiplier is never negative, so
  // the doubling high multiply needs no saturation; adding half and shifting is its rounding.
  const uint32_t shifted = static_cast<uint32_t>(x) << std::max<int32_t>(shift, 0);
  const int64_t product = int64_t{static_cast<int32_t>(shifted)} * multiplier;
  const int32_t high = static_cast<int32_t>((product + (int64_t{1} << 30)) >> 31);
  const int32_t right = std::max<int32_t>(-shift, 0);
  const int64_t mask = (int64_t{1} << right) - 1;
  const int64_t remainder = high & mask;
  const int64_t threshold = (mask >> 1) + (high < 0 ? 1 : 0);
  return static_cast<int32_t>((int64_t{high} >> right) + (remainder > threshold ? 1 : 0));
}

template <typename T>
void mean(const plan::Mean& r, const T* input, T* output) {
  const uint32_t count = r.in_h * r.in_w;
  for (uint32_t c = 0; c < r.channels; ++c) {
    int32_t sum = -static_cast<int32_t>(count) * r.input_zero_point;
    for (uint32_t i = 0; i < count; ++i) sum += input[size_t{i} * r.channels + c];
    output[c] = clamp<T>(int64_t{requantize(sum, r.multiplier, r.shift)} + r.output_zero_point);
  }
}

template <typename T>
void pad(const plan::Pad& r, const T* input, T* output) {
  const size_t row = size_t{r.in_dims[3]};
  const size_t out_row = row + r.before[3] + r.after[3];
  const size_t out_width = size_t{r.in_dims[2]} + r.before[2] + r.after[2];
  std::fill_n(output, r.head.output_bytes / sizeof(T), static_cast<T>(r.value));
  for (size_t y = 0; y < r.in_dims[1]; ++y) {
    for (size_t x = 0; x < r.in_dims[2]; ++x) {
      T* to = output + ((y + r.before[1]) * out_width + x + r.before[2]) * out_row + r.before[3];
      memcpy(to, input + (y * r.in_dims[2] + x) * row, row * sizeof(T));
    }
  }
}

template <typename T>
void quantize(const plan::Quantize& r, const T* input, T* output) {
  for (uint32_t i = 0; i < r.count; ++i) {
    output[i] = clamp<T>(int64_t{requantize(input[i] - r.input_zero_point, r.multiplier, r.shift)} +
                         r.output_zero_point);
  }
}

template void mean(const plan::Mean&, const int8_t*, int8_t*);
template void mean(const plan::Mean&, const int16_t*, int16_t*);
template void pad(const plan::Pad&, const int8_t*, int8_t*);
template void pad(const plan::Pad&, const int16_t*, int16_t*);
template void quantize(const plan::Quantize&, const int8_t*, int8_t*);
template void quantize(const plan::Quantize&, const int16_t*, int16_t*);

}  // namespace kernels
